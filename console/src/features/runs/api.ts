import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/shared/api/client";

const PAGE_SIZE = 50;
const LIVE_REFRESH_MS = 2000;

export const runsQuery = (appId: string) =>
  infiniteQueryOptions({
    queryKey: ["runs", appId],
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET("/apps/{app_id}/runs", {
          params: { path: { app_id: appId }, query: { limit: PAGE_SIZE, ...(pageParam && { cursor: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
    staleTime: 0,
  });

/** A saved run with its nodes; asked again while it is still going on. */
export const runQuery = (runId: string) =>
  queryOptions({
    queryKey: ["run", runId],
    queryFn: ({ signal }) => unwrap(api.GET("/runs/{run_id}", { params: { path: { run_id: runId } }, signal })),
    refetchInterval: ({ state }) => {
      const status = state.data?.run.status;
      return status === "running" || status === "paused" ? LIVE_REFRESH_MS : false;
    },
  });
