import { queryOptions, useMutation } from "@tanstack/react-query";
import { z } from "zod/mini";
import { siteUrl } from "@/shared/api/client";
import { Problem, readProblem } from "@/shared/api/problem";
import { formSchema, type SentFile } from "./form";

const uploadSchema = z.object({ id: z.string(), name: z.string() });

/** The form's routes need no account: the token in the link is all there is. */
async function call(token: string, path: string, init: RequestInit): Promise<unknown> {
  const response = await reach(`${siteUrl}api/form/human_input/${encodeURIComponent(token)}${path}`, init);
  if (!response.ok) throw await readProblem(response);
  return response.json();
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, credentials: "omit" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem({ code: "unreachable", message: "The server cannot be reached.", status: 0 });
  }
}

export const formQuery = (token: string) =>
  queryOptions({
    queryKey: ["form", token],
    queryFn: async ({ signal }) => formSchema.parse(await call(token, "", { signal })),
    // What is being typed must not be replaced, and a closed form does not open again.
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });

export async function uploadFile(token: string, file: File): Promise<SentFile> {
  const body = new FormData();
  body.append("file", file);
  return uploadSchema.parse(await call(token, "/files", { method: "POST", body }));
}

export function useAnswer(token: string) {
  return useMutation({
    mutationFn: (answer: { action: string; inputs: Record<string, unknown> }) =>
      call(token, "", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(answer),
      }),
  });
}
