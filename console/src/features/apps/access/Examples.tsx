import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { App, Me } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import { Code } from "@/shared/ui/Code";
import { Section } from "@/shared/ui/Section";
import { Tabs } from "@/shared/ui/Tabs";
import { parametersQuery } from "./api";
import { curlExample, openaiExample, pythonExample, sampleInputs } from "./exampleCalls";

type Language = "curl" | "python" | "openai";

/** Calls with this app's address and inputs filled in; only the key is left to the reader. */
export function Examples({ app, urls }: { app: App; urls: Me["urls"] }) {
  const t = useText();
  const [language, setLanguage] = useState<Language>("curl");
  const { data: parameters } = useQuery(parametersQuery(app.id));
  const call = { mode: app.mode, inputs: sampleInputs(parameters), query: t("access.examples.query") };
  const panel = (label: string, text: string) => <Code label={label} text={text} />;
  return (
    <Section title={t("access.examples.title")} description={t("access.examples.text")}>
      <Tabs<Language>
        label={t("access.examples.title")}
        value={language}
        onChange={setLanguage}
        tabs={[
          {
            value: "curl",
            label: t("access.examples.curl"),
            panel: panel(t("access.examples.curl"), curlExample(urls.api, call)),
          },
          {
            value: "python",
            label: t("access.examples.python"),
            panel: panel(t("access.examples.pythonLabel"), pythonExample(urls.api, call)),
          },
          {
            value: "openai",
            label: t("access.examples.openai"),
            panel: panel(t("access.examples.openaiLabel"), openaiExample(urls.openai, call)),
          },
        ]}
      />
    </Section>
  );
}
