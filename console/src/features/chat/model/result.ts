import type { JsonObject } from "@/shared/api/events";

/** The text of a run's outputs when they are one text; null when they are something else. */
export function onlyText(outputs: JsonObject | null): string | null {
  const values = Object.values(outputs ?? {});
  const [value] = values;
  return values.length === 1 && typeof value === "string" ? value : null;
}
