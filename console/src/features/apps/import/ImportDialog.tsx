import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import type { App, ImportResult } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import { Button } from "@/shared/ui/Button";
import { Dialog } from "@/shared/ui/Dialog";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { Notice } from "@/shared/ui/Notice";
import { Spinner } from "@/shared/ui/Spinner";
import { toast } from "@/shared/ui/Toast";
import { ChooseSource } from "./ChooseSource";
import { ImportReport } from "./ImportReport";
import { remarksOf } from "./Remarks";
import type { ImportFlow } from "./useImportFlow";

type Props = { flow: ImportFlow; isUpdate?: boolean };

/** Carries one import to its end: what to read, what the file's version means, what came of it. */
export function ImportDialog({ flow, isUpdate = false }: Props) {
  const t = useText();
  const navigate = useNavigate();
  const { step, result, close } = flow;
  const app = step === "report" ? result?.app : null;
  const isClean = app && result && !needsReading(result);

  const open = async (target: App) => {
    close();
    await navigate({ to: "/apps/$appId", params: { appId: target.id } });
  };
  const cleanId = isClean ? app.id : undefined;
  const cleanName = isClean ? app.name : "";
  useEffect(() => {
    if (!cleanId) return;
    toast(t("apps.import.done", { name: cleanName }));
    close();
    void navigate({ to: "/apps/$appId", params: { appId: cleanId } });
  }, [cleanId, cleanName, close, navigate, t]);

  const title = isUpdate ? t("apps.import.titleUpdate") : t("apps.import.title");
  return (
    <Dialog
      isOpen={step !== "closed" && !isClean}
      onClose={close}
      title={app && result ? t("apps.import.reportTitle", { name: app.name }) : title}
      holdsInput={step === "report"}
      actions={
        step === "confirm" ? <ConfirmActions flow={flow} /> : step === "failed" ? <FailedActions flow={flow} /> : null
      }
    >
      {step === "choose" && <ChooseSource flow={flow} />}
      {step === "busy" && (
        <p role="status" className="flex items-center gap-3 py-6 text-body text-t2">
          <Spinner />
          {t("apps.import.busy", { name: flow.source?.name ?? "" })}
        </p>
      )}
      {step === "failed" && <Failure flow={flow} />}
      {step === "confirm" && result && (
        <Notice tone="warn" title={t("apps.import.newer.title")}>
          {t("apps.import.newer.text", { file: result.imported_dsl_version, ours: result.current_dsl_version })}
        </Notice>
      )}
      {app && result && <ImportReport app={app} result={result} onOpen={(target) => void open(target)} />}
    </Dialog>
  );
}

function Failure({ flow }: { flow: ImportFlow }) {
  const t = useText();
  const problems = flow.result?.report.errors ?? [];
  return (
    <div className="flex flex-col gap-3">
      {flow.source && <p className="text-body break-all text-t2">{flow.source.name}</p>}
      {flow.error ? (
        <ErrorNote error={flow.error} />
      ) : (
        <Notice tone="warn">{flow.isTooLarge ? t("errors.file_too_large") : flow.result?.error}</Notice>
      )}
      {problems.length > 1 && (
        <ul className="list-disc ps-5 text-body text-t2">
          {problems.map((problem) => (
            <li key={`${problem.node_id}-${problem.code}-${problem.message}`}>{problem.message}</li>
          ))}
        </ul>
      )}
      <p className="text-body text-t2">{t("apps.import.nothingStored")}</p>
    </div>
  );
}

function ConfirmActions({ flow }: { flow: ImportFlow }) {
  const t = useText();
  return (
    <>
      <Button onClick={flow.close}>{t("common.cancel")}</Button>
      <Button look="primary" onClick={flow.confirm}>
        {t("apps.import.newer.confirm")}
      </Button>
    </>
  );
}

function FailedActions({ flow }: { flow: ImportFlow }) {
  const t = useText();
  return (
    <Button look="primary" onClick={flow.open}>
      {t("apps.import.another")}
    </Button>
  );
}

function needsReading({ report, app }: ImportResult): boolean {
  const missing = [...report.missing_tools, ...report.missing_knowledge, ...(app?.missing_models ?? [])];
  return missing.length + remarksOf(report).length > 0;
}
