import type { Element, ElementContent } from "hast";
import { useText } from "@/shared/i18n";
import { CopyButton } from "@/shared/ui/CopyButton";

function textOf(node: ElementContent | undefined): string {
  if (!node) return "";
  if (node.type === "text") return node.value;
  return node.type === "element" ? node.children.map(textOf).join("") : "";
}

function languageOf(node: ElementContent | undefined): string {
  const names = node?.type === "element" ? node.properties.className : undefined;
  const name = Array.isArray(names) ? names.find((each) => String(each).startsWith("language-")) : undefined;
  return name === undefined ? "" : String(name).slice("language-".length);
}

/** A fenced block: its language, a button that copies it, and the code as it is. */
export function CodeBlock({ node }: { node: Element | undefined }) {
  const t = useText();
  const code = node?.children.find((child) => child.type === "element");
  const language = languageOf(code);
  const text = textOf(code).replace(/\n$/, "");
  const name = language ? t("chat.markdown.codeIn", { language }) : t("chat.markdown.code");
  return (
    <div className="overflow-hidden rounded-card border border-line bg-s2">
      <div className="flex h-8 items-center justify-between border-b border-line ps-3 pe-1">
        <span className="font-mono text-label text-t3">{language || t("chat.markdown.code")}</span>
        <CopyButton text={text} label={t("chat.markdown.copyCode")} isIcon />
      </div>
      <section tabIndex={0} aria-label={name} className="overflow-x-auto -outline-offset-2">
        <pre className="px-3 py-2.5 font-mono text-dense text-t1">
          <code>{text}</code>
        </pre>
      </section>
    </div>
  );
}
