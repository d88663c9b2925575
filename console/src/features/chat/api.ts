import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { RunSession } from "@/features/runs";
import { api, consoleUrl, csrfHeaders, unwrap } from "@/shared/api/client";
import { readProblem } from "@/shared/api/problem";
import { postEvents } from "@/shared/api/sse";
import type { UploadedFile } from "@/shared/api/types";
import { type ChatFile, fileReference, kindOfFile } from "./model/files";
import { toParameters } from "./model/parameters";

const PAGE_SIZE = 30;

export const parametersQuery = (appId: string) =>
  queryOptions({
    queryKey: ["parameters", appId],
    queryFn: async ({ signal }) =>
      toParameters(await unwrap(api.GET("/apps/{app_id}/parameters", { params: { path: { app_id: appId } }, signal }))),
  });

export const conversationsQuery = (appId: string) =>
  infiniteQueryOptions({
    queryKey: ["conversations", appId],
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET("/apps/{app_id}/conversations", {
          params: { path: { app_id: appId }, query: { limit: PAGE_SIZE, ...(pageParam && { last_id: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => (page.has_more ? page.data.at(-1)?.id : undefined),
  });

/** Messages of a conversation, oldest first within a page; the next page is the one before. */
export const messagesQuery = (appId: string, conversationId: string) =>
  infiniteQueryOptions({
    queryKey: ["messages", appId, conversationId],
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET("/apps/{app_id}/conversations/{conversation_id}/messages", {
          params: {
            path: { app_id: appId, conversation_id: conversationId },
            query: { limit: PAGE_SIZE, ...(pageParam && { first_id: pageParam }) },
          },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => (page.has_more ? page.data[0]?.id : undefined),
  });

export function useRenameConversation(appId: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ id, name }: { id: string; name: string }) =>
      unwrap(
        api.PATCH("/apps/{app_id}/conversations/{conversation_id}", {
          params: { path: { app_id: appId, conversation_id: id } },
          body: { name },
        }),
      ),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: conversationsQuery(appId).queryKey }),
  });
}

export function useDeleteConversation(appId: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(
        api.DELETE("/apps/{app_id}/conversations/{conversation_id}", {
          params: { path: { app_id: appId, conversation_id: id } },
        }),
      ),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: conversationsQuery(appId).queryKey }),
  });
}

export async function uploadFile(appId: string, file: File): Promise<ChatFile> {
  const body = new FormData();
  body.append("file", file);
  const response = await fetch(consoleUrl(`/apps/${appId}/files`), {
    method: "POST",
    credentials: "same-origin",
    headers: csrfHeaders(),
    body,
  });
  if (!response.ok) throw await readProblem(response);
  const stored: UploadedFile = await response.json();
  return { id: stored.id, name: stored.name, kind: kindOfFile(stored.name), sizeBytes: stored.size };
}

type Question = {
  query: string;
  inputs: Record<string, unknown>;
  files: readonly ChatFile[];
  conversationId: string | null;
};

function sessionFor(appId: string, path: string, body: unknown): RunSession {
  return new RunSession({
    open: (options) => postEvents(`/apps/${appId}${path}`, body, options),
    stop: (taskId) =>
      unwrap(api.POST("/apps/{app_id}/tasks/{task_id}/stop", { params: { path: { app_id: appId, task_id: taskId } } })),
  });
}

export function chatSession(appId: string, question: Question): RunSession {
  return sessionFor(appId, "/chat", {
    query: question.query,
    inputs: question.inputs,
    files: question.files.map(fileReference),
    ...(question.conversationId && { conversation_id: question.conversationId }),
  });
}

export function runSession(appId: string, inputs: Record<string, unknown>): RunSession {
  return sessionFor(appId, "/run", { inputs });
}
