import { parseSync, Visitor } from "vite";
import { expect, it } from "vitest";
import { list, read } from "./files";

/** Attributes whose value a person reads or hears. */
const WORDS = new Set([
  "aria-label",
  "aria-description",
  "aria-roledescription",
  "alt",
  "title",
  "placeholder",
  "label",
  "description",
  "help",
  "text",
]);
const LETTER = /\p{L}/u;

it.each(list("src", ".tsx"))("%s has no text of its own", (path) => {
  const found: string[] = [];
  const inspect = (value: unknown) => {
    if (typeof value === "string" && LETTER.test(value)) found.push(value.trim());
  };
  const { program } = parseSync(path, read(path));
  new Visitor({
    JSXText: (node) => inspect(node.value),
    JSXElement: (node) => {
      for (const child of node.children) {
        if (child.type === "JSXExpressionContainer" && child.expression.type === "Literal")
          inspect(child.expression.value);
      }
    },
    JSXAttribute: (node) => {
      if (node.name.type !== "JSXIdentifier" || !WORDS.has(node.name.name)) return;
      if (node.value?.type === "Literal") inspect(node.value.value);
      if (node.value?.type === "JSXExpressionContainer" && node.value.expression.type === "Literal") {
        inspect(node.value.expression.value);
      }
    },
  }).visit(program);

  expect(found).toEqual([]);
});
