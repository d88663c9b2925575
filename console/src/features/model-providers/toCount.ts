/** "128,000", "128 000" and "128k" are all counts of tokens people write. */
export function toCount(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(k|m)?$/i.exec(text.replace(/[\s,，_]/g, ""));
  if (!match) return null;
  const unit = match[2]?.toLowerCase();
  const factor = unit === "k" ? 1000 : unit === "m" ? 1_000_000 : 1;
  return Math.round(Number(match[1]) * factor);
}
