import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, consoleUrl, unwrap } from "@/shared/api/client";
import { readProblem } from "@/shared/api/problem";
import type { Graph } from "./model/graph";
import { arrangeFlow } from "./worker/arrangeFlow";

/** The flow of an app with a place for every node. */
export const flowQuery = (appId: string) =>
  queryOptions({
    queryKey: ["flow", appId],
    queryFn: async ({ signal }) => {
      const graph: Graph = await unwrap(
        api.GET("/apps/{app_id}/graph", { params: { path: { app_id: appId } }, signal }),
      );
      return { graph, arrangement: await arrangeFlow(graph, signal) };
    },
  });

/** The app as the file it would be exported to; secrets are left out of it. */
export const fileQuery = (appId: string) =>
  queryOptions({
    queryKey: ["flow", appId, "file"],
    queryFn: async ({ signal }) => {
      const response = await fetch(consoleUrl(`/apps/${appId}/export`), { credentials: "same-origin", signal });
      if (!response.ok) throw await readProblem(response);
      return response.text();
    },
  });

export function useRenameNode(appId: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ nodeId, title }: { nodeId: string; title: string }) =>
      unwrap(
        api.PATCH("/apps/{app_id}/nodes/{node_id}", {
          params: { path: { app_id: appId, node_id: nodeId } },
          body: { title },
        }),
      ),
    onSuccess: () =>
      Promise.all([
        queryClient.invalidateQueries({ queryKey: ["flow", appId] }),
        queryClient.invalidateQueries({ queryKey: ["apps"] }),
      ]),
  });
}
