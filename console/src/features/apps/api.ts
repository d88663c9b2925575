import {
  infiniteQueryOptions,
  type QueryClient,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import { api, unwrap } from "@/shared/api/client";
import type { App, AppUpdate, ImportRequest, ImportResult, ModelMappings } from "@/shared/api/types";
import { currentLanguage } from "@/shared/i18n";

const PAGE_SIZE = 30;

export const appsQuery = (query: string) =>
  infiniteQueryOptions({
    queryKey: ["apps", "list", query],
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET("/apps", {
          params: { query: { limit: PAGE_SIZE, ...(query && { query }), ...(pageParam && { cursor: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });

export const appQuery = (appId: string) =>
  queryOptions({
    queryKey: ["apps", "one", appId],
    queryFn: ({ signal }) => unwrap(api.GET("/apps/{app_id}", { params: { path: { app_id: appId } }, signal })),
  });

export const templatesQuery = queryOptions({
  queryKey: ["templates"],
  queryFn: ({ signal }) => unwrap(api.GET("/templates", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
});

/** Puts a changed app into the cache and marks everything drawn from it as stale. */
export async function takeOver(queryClient: QueryClient, app: App): Promise<void> {
  queryClient.setQueryData(appQuery(app.id).queryKey, app);
  await queryClient.invalidateQueries({ queryKey: ["apps"] });
}

export function useImportApp() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: ImportRequest) => unwrap(api.POST("/apps/import", { body })),
    onSuccess: (result) => afterImport(queryClient, result),
  });
}

export function useConfirmImport() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (importId: string) =>
      unwrap(api.POST("/apps/import/{import_id}/confirm", { params: { path: { import_id: importId } } })),
    onSuccess: (result) => afterImport(queryClient, result),
  });
}

/** Makes an app of a built-in template. Its models are replaced by the default model, so that it runs at once. */
export function useTemplateApp() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async (slug: string) => {
      const body = { language: currentLanguage() };
      const result = await unwrap(api.POST("/templates/{slug}/use", { params: { path: { slug } }, body }));
      const app = result.app;
      return app && app.missing_models.length > 0 ? { ...result, app: await mapToDefault(app) } : result;
    },
    onSuccess: (result) => afterImport(queryClient, result),
  });
}

export function useUpdateApp(appId: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: AppUpdate) => unwrap(api.PATCH("/apps/{app_id}", { params: { path: { app_id: appId } }, body })),
    onSuccess: (app) => takeOver(queryClient, app),
  });
}

export function useReplaceModels(appId: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: ModelMappings) => putModels(appId, body),
    onSuccess: (app) => takeOver(queryClient, app),
  });
}

export function useDeleteApp(onDone: () => Promise<void>) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (appId: string) => unwrap(api.DELETE("/apps/{app_id}", { params: { path: { app_id: appId } } })),
    onSuccess: async (_nothing, appId) => {
      await onDone();
      queryClient.removeQueries({ queryKey: appQuery(appId).queryKey });
      await queryClient.invalidateQueries({ queryKey: ["apps", "list"] });
    },
  });
}

export function usePublish(appId: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () => unwrap(api.POST("/apps/{app_id}/publish", { params: { path: { app_id: appId } }, body: {} })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ["apps"] }),
  });
}

async function afterImport(queryClient: QueryClient, result: ImportResult): Promise<void> {
  if (result.app) await takeOver(queryClient, result.app);
}

async function mapToDefault(app: App): Promise<App> {
  const models = await unwrap(api.GET("/models", { params: { query: { kind: "chat" } } }));
  const target = models.find((model) => model.is_default) ?? models[0];
  if (!target) return app;
  const to = { provider: target.provider, name: target.name };
  return putModels(app.id, { mappings: app.missing_models.map((from) => ({ from, to })) });
}

function putModels(appId: string, body: ModelMappings): Promise<App> {
  return unwrap(api.PUT("/apps/{app_id}/models", { params: { path: { app_id: appId } }, body }));
}
