import { isTextKey, type Text } from "@/shared/i18n";

export type ProblemBody = {
  code: string;
  message: string;
  status: number;
  /** The field at fault, where there is one. */
  params?: string;
};

/** A refused request: the server's stable code, its English sentence, and the field at fault. */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly field: string | undefined;
  readonly requestId: string | undefined;

  constructor(body: ProblemBody, requestId?: string) {
    super(body.message);
    this.name = "Problem";
    this.code = body.code;
    this.status = body.status;
    this.field = body.params;
    this.requestId = requestId;
  }
}

/** The problem a failed response stands for, also when a proxy answered with something that is not ours. */
export function problemOf(response: Response, body: unknown): Problem {
  const requestId = response.headers.get("x-request-id") ?? undefined;
  if (isProblemBody(body)) return new Problem({ ...body, status: response.status }, requestId);
  return new Problem(
    { code: codeOfStatus(response.status), message: response.statusText, status: response.status },
    requestId,
  );
}

/** Same as `problemOf`, for a response whose body has not been read yet. */
export async function readProblem(response: Response): Promise<Problem> {
  const text = await response.text();
  try {
    return problemOf(response, JSON.parse(text));
  } catch {
    return problemOf(response, text);
  }
}

/** The sentence to show: translated by code where the catalogue has it, else the server's own. */
export function problemText(t: Text, error: unknown): string {
  if (!(error instanceof Problem)) return t("errors.unexpected");
  const key = `errors.${error.code}`;
  if (isTextKey(key)) return t(key, { message: error.message, field: error.field ?? "" });
  return error.message || t("errors.unexpected");
}

export function isUnauthorized(error: unknown): boolean {
  return error instanceof Problem && error.status === 401;
}

function isProblemBody(body: unknown): body is ProblemBody {
  return (
    typeof body === "object" && body !== null && "code" in body && "message" in body && typeof body.code === "string"
  );
}

function codeOfStatus(status: number): string {
  if (status === 401) return "unauthorized";
  if (status === 404) return "not_found";
  if (status === 413) return "file_too_large";
  if (status === 429) return "too_many_requests";
  return status >= 502 && status <= 504 ? "unreachable" : "unexpected";
}
