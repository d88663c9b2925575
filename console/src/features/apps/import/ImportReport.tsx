import { useQuery } from "@tanstack/react-query";
import type { App, ImportResult } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import { formatList } from "@/shared/i18n/format";
import { Button } from "@/shared/ui/Button";
import { Notice } from "@/shared/ui/Notice";
import { appQuery } from "../api";
import { modeLabel } from "../mode";
import { Remarks, remarksOf } from "./Remarks";
import { ReplaceModels } from "./ReplaceModels";

type Props = { app: App; result: ImportResult; onOpen: (app: App) => void };

/** What was read, and what the app still lacks before it can run whole. */
export function ImportReport({ app, result, onOpen }: Props) {
  const t = useText();
  const { report } = result;
  const { data: current = app } = useQuery({ ...appQuery(app.id), initialData: app });
  return (
    <div className="flex flex-col gap-4 pb-4">
      <Facts app={app} result={result} />
      <Remarks remarks={remarksOf(report)} />
      {report.missing_tools.length > 0 && (
        <Notice tone="warn" title={t("apps.import.missingTools")}>
          {formatList(report.missing_tools)}
        </Notice>
      )}
      {report.missing_knowledge.length > 0 && (
        <Notice tone="warn" title={t("apps.import.missingKnowledge")}>
          {formatList(report.missing_knowledge)}
        </Notice>
      )}
      {current.missing_models.length > 0 ? (
        <ReplaceModels app={current} onLater={() => onOpen(current)} onDone={onOpen} />
      ) : (
        <Button look="primary" className="self-end" onClick={() => onOpen(current)}>
          {t("apps.import.open")}
        </Button>
      )}
    </div>
  );
}

function Facts({ app, result }: { app: App; result: ImportResult }) {
  const t = useText();
  const facts = [
    [t("apps.import.facts.kind"), modeLabel(t, app.mode)],
    [t("apps.import.facts.nodes"), String(result.report.nodes)],
    [t("apps.import.facts.version"), result.imported_dsl_version],
  ] as const;
  return (
    <dl className="flex flex-wrap gap-x-8 gap-y-2">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt className="text-label text-t3">{name}</dt>
          <dd className="text-body font-medium text-t1 tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
