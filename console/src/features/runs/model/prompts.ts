import type { Step } from "./runState";

export type Prompt = { key: string; role: string; text: string };

/** The messages a node sent to its model, from what it recorded about its work. */
export function promptsOf(step: Step): Prompt[] {
  const prompts = step.processData?.prompts;
  if (!Array.isArray(prompts)) return [];
  return prompts.flatMap((prompt, place) => {
    if (typeof prompt !== "object" || prompt === null || Array.isArray(prompt)) return [];
    const { role, text, content } = prompt;
    const said = text ?? content;
    return [
      {
        key: `prompt-${place}`,
        role: typeof role === "string" ? role : "user",
        text: typeof said === "string" ? said : JSON.stringify(said, null, 2),
      },
    ];
  });
}
