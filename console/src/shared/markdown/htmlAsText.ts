import type { Root, RootContent } from "mdast";

const LINE_BREAK = /^<br\s*\/?>$/i;

function isParent(node: Root | RootContent): node is Extract<Root | RootContent, { children: unknown[] }> {
  return "children" in node;
}

/** Tags in an answer are shown as they were written, since they are never run. Only a line break has its meaning. */
export function htmlAsText() {
  const visit = (node: Root | RootContent): void => {
    if (!isParent(node)) return;
    for (const child of node.children) {
      if (child.type === "html")
        Object.assign(child, LINE_BREAK.test(child.value) ? { type: "break" } : { type: "text" });
      else visit(child);
    }
  };
  return (root: Root) => visit(root);
}
