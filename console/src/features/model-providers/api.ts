import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "@/shared/api/client";
import type { ModelAdd, ModelKind, ModelRef } from "@/shared/api/types";

export const providersQuery = queryOptions({
  queryKey: ["models", "providers"],
  queryFn: ({ signal }) => unwrap(api.GET("/model-providers", { signal })),
});

export const modelsQuery = (kind: ModelKind) =>
  queryOptions({
    queryKey: ["models", "usable", kind],
    queryFn: ({ signal }) => unwrap(api.GET("/models", { params: { query: { kind } }, signal })),
  });

/** Model servers on this machine that answer without any setting. */
export const discoverQuery = queryOptions({
  queryKey: ["models", "discover"],
  queryFn: ({ signal }) => unwrap(api.GET("/model-providers/discover", { signal })),
  staleTime: 60_000,
  retry: false,
});

type Credentials = Record<string, string>;

export function useTestCredentials(providerId: string) {
  return useMutation({
    mutationFn: (body: { credentials: Credentials; model?: string }) =>
      unwrap(api.POST("/model-providers/{provider}/test", { params: { path: { provider: providerId } }, body })),
  });
}

export function useSaveCredentials(providerId: string) {
  return useChange((credentials: Credentials) =>
    unwrap(
      api.PUT("/model-providers/{provider}/credentials", {
        params: { path: { provider: providerId } },
        body: { credentials },
      }),
    ),
  );
}

export function useRemoveCredentials(providerId: string) {
  return useChange(() =>
    unwrap(api.DELETE("/model-providers/{provider}/credentials", { params: { path: { provider: providerId } } })),
  );
}

export function useAddModel(providerId: string) {
  return useChange((body: ModelAdd) =>
    unwrap(api.POST("/model-providers/{provider}/models", { params: { path: { provider: providerId } }, body })),
  );
}

export function useRemoveModel(providerId: string) {
  return useChange((name: string) =>
    unwrap(
      api.DELETE("/model-providers/{provider}/models/{name}", {
        params: { path: { provider: providerId, name } },
      }),
    ),
  );
}

export function useSetDefault(kind: ModelKind) {
  return useChange((model: ModelRef) => unwrap(api.PUT("/models/default", { body: { kind, ...model } })));
}

/** A change of what models there are; apps may have become runnable or stopped being so. */
function useChange<I, R>(change: (input: I) => Promise<R>) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: async () => {
      await Promise.all([
        queryClient.invalidateQueries({ queryKey: ["models"] }),
        queryClient.invalidateQueries({ queryKey: ["apps"] }),
      ]);
    },
  });
}
