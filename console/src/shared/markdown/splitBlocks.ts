const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const MATH = /^\s*\$\$/;
const LIST_ITEM = /^\s{0,3}(?:[-*+]|\d{1,9}[.)])\s/;
const CONTINUATION = /^(?: {2,}|\t)\S/;
/** Link and footnote definitions may serve a reference anywhere in the text. */
const DEFINITION = /^ {0,3}\[[^\]\n]+\]:/m;

type Open = { fence: string } | { math: true } | null;

function nextOpen(open: Open, line: string): Open {
  const fence = FENCE.exec(line)?.[1];
  if (open && "fence" in open) {
    const isClosing =
      fence !== undefined && fence[0] === open.fence[0] && fence.length >= open.fence.length && line.trim() === fence;
    return isClosing ? null : open;
  }
  const marks = line.split("$$").length - 1;
  if (open) return marks % 2 === 1 ? null : open;
  if (fence !== undefined) return { fence };
  return MATH.test(line) && marks % 2 === 1 ? { math: true } : null;
}

/**
 * Cuts Markdown at blank lines outside fences and math, so that a growing text re-renders only its
 * last block. Loose lists stay whole; a text with definitions is not cut, since they apply to all of it.
 */
export function splitBlocks(text: string): string[] {
  if (DEFINITION.test(text)) return [text];
  const blocks: string[] = [];
  let lines: string[] = [];
  let open: Open = null;
  let isAfterBlank = false;
  for (const line of text.split("\n")) {
    if (!open && line.trim() === "") {
      isAfterBlank = lines.length > 0;
      if (isAfterBlank) lines.push(line);
      continue;
    }
    if (isAfterBlank && !continues(lines, line)) {
      blocks.push(lines.join("\n").trimEnd());
      lines = [];
    }
    isAfterBlank = false;
    lines.push(line);
    open = nextOpen(open, line);
  }
  if (lines.length > 0) blocks.push(lines.join("\n").trimEnd());
  return blocks.filter((block) => block !== "");
}

function continues(block: readonly string[], line: string): boolean {
  const first = block[0] ?? "";
  return LIST_ITEM.test(first) && (LIST_ITEM.test(line) || CONTINUATION.test(line));
}
