import { queryOptions, useMutation, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { api, setCsrfToken, unwrap } from "@/shared/api/client";
import type { Me, MeUpdate } from "@/shared/api/types";
import { switchLanguage } from "@/shared/i18n";
import { toLanguage } from "@/shared/i18n/languages";
import { applyTheme, THEME_CHOICES } from "@/shared/theme/theme";

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: async ({ signal }) => accept(await unwrap(api.GET("/me", { signal }))),
  staleTime: Number.POSITIVE_INFINITY,
});

/** Who is signed in. Only below the signed-in layout, whose loader has put it into the cache. */
export function useMe(): Me {
  return useSuspenseQuery(meQuery).data;
}

/** Takes over what comes with a session: the token of writing requests, and the account's language and theme. */
export async function accept(me: Me): Promise<Me> {
  setCsrfToken(me.csrf_token);
  const theme = THEME_CHOICES.find((choice) => choice === me.account.theme);
  const language = toLanguage(me.account.language);
  if (theme) applyTheme(theme);
  if (language) await switchLanguage(language);
  return me;
}

export function useSignIn() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async (body: { email: string; password: string }) =>
      accept(await unwrap(api.POST("/session", { body }))),
    onSuccess: (me) => queryClient.setQueryData(meQuery.queryKey, me),
  });
}

export function useSignOut(onDone: () => void) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () => unwrap(api.DELETE("/session")),
    onSuccess: () => {
      setCsrfToken("");
      queryClient.clear();
      onDone();
    },
  });
}

export function useUpdateMe() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: MeUpdate) => unwrap(api.PATCH("/me", { body })),
    onSuccess: (me) => queryClient.setQueryData(meQuery.queryKey, me),
  });
}
