import type { Text, TextKey } from "@/shared/i18n";

const LABELS: Readonly<Record<string, TextKey>> = {
  chat: "apps.modes.chat",
  completion: "apps.modes.completion",
  "agent-chat": "apps.modes.agentChat",
  "advanced-chat": "apps.modes.advancedChat",
  workflow: "apps.modes.workflow",
  agent: "apps.modes.agent",
  rag_pipeline: "apps.modes.pipeline",
};

export function modeLabel(t: Text, mode: string): string {
  const key = LABELS[mode];
  return key ? t(key) : mode;
}

/** Whether one talks with the app; the other kind takes a form and gives one result. */
export function isConversational(mode: string): boolean {
  return mode === "chat" || mode === "advanced-chat" || mode === "agent-chat" || mode === "agent";
}
