import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "@/shared/api/client";

export const keysQuery = (appId: string) =>
  queryOptions({
    queryKey: ["keys", appId],
    queryFn: ({ signal }) => unwrap(api.GET("/apps/{app_id}/keys", { params: { path: { app_id: appId } }, signal })),
  });

export const parametersQuery = (appId: string) =>
  queryOptions({
    queryKey: ["apps", "parameters", appId],
    queryFn: ({ signal }) =>
      unwrap(api.GET("/apps/{app_id}/parameters", { params: { path: { app_id: appId } }, signal })),
  });

export function useCreateKey(appId: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: { name?: string; value?: string }) =>
      unwrap(api.POST("/apps/{app_id}/keys", { params: { path: { app_id: appId } }, body })),
    onSuccess: () => queryClient.invalidateQueries(keysQuery(appId)),
  });
}

export function useRevokeKey(appId: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (keyId: string) =>
      unwrap(api.DELETE("/apps/{app_id}/keys/{key_id}", { params: { path: { app_id: appId, key_id: keyId } } })),
    onSuccess: () => queryClient.invalidateQueries(keysQuery(appId)),
  });
}
