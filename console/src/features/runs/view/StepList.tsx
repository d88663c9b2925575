import { useText } from "@/shared/i18n";
import { formatSeconds } from "@/shared/i18n/format";
import { NodeTile } from "@/shared/nodes/NodeTile";
import { typeName } from "@/shared/nodes/nodeText";
import { StatusMark } from "@/shared/nodes/StatusMark";
import type { Step } from "../model/runState";
import { BudgetBar } from "./BudgetBar";
import { UsageLine } from "./UsageLine";

/** The nodes of a run in the order in which they started, each with its state, time, tokens and budget. */
export function StepList({ steps }: { steps: readonly Step[] }) {
  const t = useText();
  return (
    <ol className="flex flex-col text-dense" aria-label={t("runs.steps.list")}>
      {steps.map((step) => (
        <StepRow key={step.id} step={step} />
      ))}
    </ol>
  );
}

function StepRow({ step }: { step: Step }) {
  const t = useText();
  return (
    <li
      className="flex flex-col gap-1 border-t border-line py-2 first:border-t-0"
      style={{ paddingInlineStart: step.scope ? 24 : 0 }}
    >
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <NodeTile type={step.nodeType} />
        <span className="min-w-0 flex-1 truncate" title={step.title}>
          <span className="font-medium text-t1">{step.title}</span>
          <span className="ms-2 text-label text-t3">{typeName(t, step.nodeType)}</span>
          {step.scope?.round !== null && step.scope?.round !== undefined && (
            <span className="ms-2 text-label text-t3">{t("runs.steps.round", { round: step.scope.round + 1 })}</span>
          )}
        </span>
        {step.usage && (
          <span className="text-label text-t3">
            <UsageLine usage={step.usage} />
          </span>
        )}
        {step.elapsedS !== null && (
          <span className="text-label text-t3 tabular-nums">{formatSeconds(step.elapsedS)}</span>
        )}
        <span className="inline-flex text-label">
          <StatusMark status={step.status} />
        </span>
      </div>
      {step.retries > 0 && (
        <p className="ps-8 text-label text-warn">{t("runs.steps.retries", { count: step.retries })}</p>
      )}
      {step.error && <p className="ps-8 text-label break-words whitespace-pre-wrap text-err">{step.error}</p>}
      {step.budget && (
        <div className="ps-8">
          <BudgetBar budget={step.budget} />
        </div>
      )}
    </li>
  );
}
