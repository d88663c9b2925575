import { isTextKey, type Text } from "@/shared/i18n";

/** Where a run came from, in words. */
export function sourceName(t: Text, source: string): string {
  const key = `runs.sources.${source}`;
  return isTextKey(key) ? t(key) : source;
}
