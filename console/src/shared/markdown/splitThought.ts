const OPEN = "<think>";
const CLOSE = "</think>";

/** Some models write their reasoning before the answer, between marks. While the second mark is missing, all is thought. */
export function splitThought(text: string): { thought: string; rest: string } {
  const start = text.trimStart();
  if (!start.startsWith(OPEN)) return { thought: "", rest: text };
  const end = start.indexOf(CLOSE);
  if (end < 0) return { thought: start.slice(OPEN.length).trim(), rest: "" };
  return { thought: start.slice(OPEN.length, end).trim(), rest: start.slice(end + CLOSE.length).trimStart() };
}
