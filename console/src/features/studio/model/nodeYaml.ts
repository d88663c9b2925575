const NODES = "\n    nodes:\n";
const ITEM = "    - ";
const ID = /^ {4}(?:- | {2})id: (.*)$/;
const DATA = /^ {4}(?:- | {2})data:$/;
const DEPTH = 8;
/** Shown elsewhere in the panel, or marks of an editor that say nothing. */
const LEFT_OUT = /^(?:title|type|selected|desc): /;

function itemsOf(text: string): string[][] {
  const start = text.indexOf(NODES);
  if (start < 0) return [];
  const items: string[][] = [];
  for (const line of text.slice(start + NODES.length).split("\n")) {
    if (line.startsWith(ITEM)) items.push([line]);
    else if (line === "" || line.startsWith("     ")) items.at(-1)?.push(line);
    else break;
  }
  return items;
}

/**
 * What a node is set to, as the app file writes it. The file is the one that Tidemill exports: its form is fixed, so
 * lines are enough and no parser is needed. Null when the file draws no such node.
 */
export function nodeYaml(file: string, id: string): string | null {
  const item = itemsOf(file).find((lines) =>
    lines.some((line) => {
      const written = ID.exec(line)?.[1];
      return written !== undefined && (written === id || written === `'${id}'` || written === `"${id}"`);
    }),
  );
  if (!item) return null;
  const begin = item.findIndex((line) => DATA.test(line));
  if (begin < 0) return null;
  const lines: string[] = [];
  for (const line of item.slice(begin + 1)) {
    if (line !== "" && !line.startsWith(" ".repeat(DEPTH))) break;
    lines.push(line.slice(DEPTH));
  }
  return lines
    .filter((line) => !LEFT_OUT.test(line))
    .join("\n")
    .trimEnd();
}
