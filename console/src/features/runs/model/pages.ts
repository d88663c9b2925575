const PAGE_ROWS = 100;
const PAGE_CHARS = 65_536;

export type Cut = { text: string; isCut: boolean };

/** The first `pages` pages of a text: 100 rows or 64 K characters each, whichever ends first. */
export function cutText(text: string, pages: number): Cut {
  const room = text.slice(0, pages * PAGE_CHARS);
  let end = 0;
  for (let row = 0; row < pages * PAGE_ROWS; row++) {
    const next = room.indexOf("\n", end);
    if (next < 0) return { text: room, isCut: room.length < text.length };
    end = next + 1;
  }
  const rows = room.slice(0, end - 1);
  return { text: rows, isCut: end < text.length };
}

/** A value as text to read: strings as they are, everything else as indented JSON. */
export function textOfValue(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
}
