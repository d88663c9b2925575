import { useState } from "react";
import { useText } from "@/shared/i18n";
import { formatSeconds } from "@/shared/i18n/format";
import { StatusMark } from "@/shared/nodes/StatusMark";
import { Tabs } from "@/shared/ui/Tabs";
import { promptsOf } from "../model/prompts";
import type { Step } from "../model/runState";
import { BudgetBar } from "./BudgetBar";
import { formatPrice } from "./figures";
import { UsageLine } from "./UsageLine";
import { ValueList, ValueView } from "./ValueView";

type Tab = "input" | "output" | "prompt" | "usage";

/** What one node got, what it gave, what it asked a model, and what that cost. */
export function NodeDetails({ step }: { step: Step }) {
  const t = useText();
  const [tab, setTab] = useState<Tab>("output");
  const prompts = promptsOf(step);
  const hasUsage = step.usage !== null || step.budget !== null;
  const shown = (tab === "prompt" && prompts.length === 0) || (tab === "usage" && !hasUsage) ? "output" : tab;
  return (
    <div className="flex flex-col gap-3">
      <p className="flex flex-wrap items-center gap-x-3 text-dense text-t2">
        <StatusMark status={step.status} />
        {step.elapsedS !== null && <span className="tabular-nums">{formatSeconds(step.elapsedS)}</span>}
        {step.retries > 0 && <span>{t("runs.steps.retries", { count: step.retries })}</span>}
      </p>
      {step.error && (
        <p
          role="alert"
          className="rounded-card border border-err px-3 py-2 text-dense wrap-anywhere whitespace-pre-wrap text-t1"
        >
          {step.error}
        </p>
      )}
      <Tabs<Tab>
        label={t("runs.trace.tabs")}
        value={shown}
        onChange={setTab}
        tabs={[
          {
            value: "input" as const,
            label: t("runs.trace.input"),
            panel: <ValueList values={step.inputs} empty={t("runs.trace.noInput")} />,
          },
          {
            value: "output" as const,
            label: t("runs.trace.output"),
            panel: <ValueList values={step.outputs} empty={t("runs.trace.noOutput")} />,
          },
          ...(prompts.length > 0
            ? [
                {
                  value: "prompt" as const,
                  label: t("runs.trace.prompt"),
                  panel: (
                    <div className="flex flex-col gap-3">
                      {prompts.map(({ key, role, text }) => (
                        <ValueView key={key} name={role} value={text} />
                      ))}
                    </div>
                  ),
                },
              ]
            : []),
          ...(hasUsage
            ? [{ value: "usage" as const, label: t("runs.trace.usage"), panel: <UsagePanel step={step} /> }]
            : []),
        ]}
      />
    </div>
  );
}

function UsagePanel({ step }: { step: Step }) {
  const t = useText();
  const price = step.usage && formatPrice(step.usage.price, step.usage.currency);
  return (
    <div className="flex flex-col gap-4 text-dense">
      {step.budget?.model && (
        <p className="text-t2">
          {t("runs.usage.model")}
          <span className="ms-2 font-mono text-t1">{`${step.budget.provider}/${step.budget.model}`}</span>
        </p>
      )}
      {step.usage && (
        <p className="text-t2">
          <UsageLine usage={{ ...step.usage, price: null }} />
        </p>
      )}
      {step.usage && <p className="text-t2">{price ? t("runs.usage.price", { price }) : t("runs.usage.noPrice")}</p>}
      {step.budget && <BudgetBar budget={step.budget} />}
    </div>
  );
}
