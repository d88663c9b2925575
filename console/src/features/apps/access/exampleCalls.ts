/** What one call of an app says; the texts built from it are programs, not sentences, and are not translated. */
export type Call = { mode: string; inputs: Record<string, string | number>; query: string };

const KEY = "app-YOUR_KEY";
const USER = "user-1";

export function curlExample(baseUrl: string, call: Call): string {
  const body = JSON.stringify(bodyOf(call, "streaming"), null, 2).replaceAll("'", "'\\''");
  return [
    `curl -N '${baseUrl}${pathOf(call.mode)}' \\`,
    `  -H 'Authorization: Bearer ${KEY}' \\`,
    "  -H 'Content-Type: application/json' \\",
    `  -d '${body}'`,
  ].join("\n");
}

/** Uses nothing but the standard library, so that it runs when pasted. */
export function pythonExample(baseUrl: string, call: Call): string {
  const answer = call.mode === "workflow" ? 'reply["data"]["outputs"]' : 'reply["answer"]';
  return [
    "import json",
    "import urllib.request",
    "",
    `body = ${toPython(bodyOf(call, "blocking"))}`,
    "request = urllib.request.Request(",
    `    "${baseUrl}${pathOf(call.mode)}",`,
    "    data=json.dumps(body).encode(),",
    `    headers={"Authorization": "Bearer ${KEY}", "Content-Type": "application/json"},`,
    ")",
    "with urllib.request.urlopen(request) as response:",
    "    reply = json.load(response)",
    `print(${answer})`,
  ].join("\n");
}

export function openaiExample(baseUrl: string, call: Call): string {
  const hasInputs = Object.keys(call.inputs).length > 0;
  return [
    "from openai import OpenAI",
    "",
    `client = OpenAI(base_url="${baseUrl}", api_key="${KEY}")`,
    "stream = client.chat.completions.create(",
    '    model="app",',
    `    messages=[{"role": "user", "content": ${JSON.stringify(call.query)}}],`,
    ...(hasInputs ? [`    extra_body={"inputs": ${toPython(call.inputs).replaceAll("\n", "\n    ")}},`] : []),
    "    stream=True,",
    ")",
    "for chunk in stream:",
    '    print(chunk.choices[0].delta.content or "", end="")',
  ].join("\n");
}

/** One plausible value for every field of the app's form, from what `/parameters` answers. */
export function sampleInputs(parameters: Record<string, unknown> | undefined): Record<string, string | number> {
  const form = parameters?.user_input_form;
  if (!Array.isArray(form)) return {};
  const inputs: Record<string, string | number> = {};
  for (const entry of form) {
    const [kind, field] = Object.entries(entry as Record<string, Field>)[0] ?? [];
    if (!kind || !field?.variable || kind.startsWith("file")) continue;
    inputs[field.variable] = sampleOf(kind, field);
  }
  return inputs;
}

type Field = { variable?: string; default?: string | number; options?: string[] };

function sampleOf(kind: string, field: Field): string | number {
  if (field.default !== undefined && field.default !== null && field.default !== "") return field.default;
  if (kind === "number") return 1;
  return field.options?.[0] ?? "";
}

function pathOf(mode: string): string {
  if (mode === "workflow") return "/workflows/run";
  return mode === "completion" ? "/completion-messages" : "/chat-messages";
}

function bodyOf(call: Call, mode: "streaming" | "blocking"): Record<string, unknown> {
  const isWithoutQuery = call.mode === "workflow" || call.mode === "completion";
  return {
    inputs: call.inputs,
    ...(isWithoutQuery ? {} : { query: call.query }),
    response_mode: mode,
    user: USER,
  };
}

/** Texts, numbers and nested objects of them read the same in JSON and in Python. */
function toPython(value: Record<string, unknown>): string {
  return JSON.stringify(value, null, 4);
}
