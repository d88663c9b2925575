import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { isUnauthorized, Problem } from "@/shared/api/problem";

/** Server data lives here and nowhere else. `onSignedOut` is called when any request finds the session gone. */
export function createQueryClient(onSignedOut: () => void): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      onError: (error, query) => {
        if (isUnauthorized(error) && query.queryKey[0] !== "me") onSignedOut();
      },
    }),
    mutationCache: new MutationCache({
      onError: (error) => {
        if (error instanceof Problem && error.code === "unauthorized") onSignedOut();
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        refetchOnWindowFocus: false,
        retry: (count, error) => count < 2 && !(error instanceof Problem && error.status > 0 && error.status < 500),
      },
    },
  });
}
