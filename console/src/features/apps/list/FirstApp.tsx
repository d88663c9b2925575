import { FileDown } from "lucide-react";
import { useText } from "@/shared/i18n";
import { Button } from "@/shared/ui/Button";
import { Section } from "@/shared/ui/Section";
import { TemplateGrid } from "./TemplateGrid";

/** The empty list: take a template, or bring a file. */
export function FirstApp({ onImport }: { onImport: () => void }) {
  const t = useText();
  return (
    <div className="flex flex-col gap-8">
      <Section title={t("apps.first.templates")} description={t("apps.templates.text")}>
        <TemplateGrid />
      </Section>
      <Section title={t("apps.first.import")}>
        <div className="flex flex-col items-center gap-3 rounded-card border border-dashed border-line-strong bg-s1 px-6 py-10 text-center">
          <FileDown aria-hidden="true" size={28} strokeWidth={1.5} className="text-t3" />
          <p className="max-w-md text-body text-t2">{t("apps.first.importText")}</p>
          <Button onClick={onImport}>{t("apps.list.import")}</Button>
        </div>
      </Section>
    </div>
  );
}
