import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { accept, meQuery } from "@/features/auth";
import { api, unwrap } from "@/shared/api/client";
import type { SetupRequest } from "@/shared/api/types";

export const setupQuery = queryOptions({
  queryKey: ["setup"],
  queryFn: ({ signal }) => unwrap(api.GET("/setup", { signal })),
});

export function useCreateOwner() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async (body: SetupRequest) => accept(await unwrap(api.POST("/setup", { body }))),
    onSuccess: (me) => {
      queryClient.setQueryData(meQuery.queryKey, me);
      queryClient.setQueryData(setupQuery.queryKey, (state) => state && { ...state, is_done: true });
    },
  });
}
