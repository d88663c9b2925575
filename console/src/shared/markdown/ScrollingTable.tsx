import type { ReactNode } from "react";
import { useText } from "@/shared/i18n";

/** A table that scrolls sideways inside the text instead of widening it. */
export function ScrollingTable({ children }: { children: ReactNode }) {
  const t = useText();
  return (
    <section
      tabIndex={0}
      aria-label={t("chat.markdown.table")}
      className="overflow-x-auto rounded-card border border-line"
    >
      <table>{children}</table>
    </section>
  );
}
