import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { WaitingForms } from "@/features/humans";
import type { RunDetail } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import { formatDateTime, formatNumber, formatSeconds } from "@/shared/i18n/format";
import { StatusMark } from "@/shared/nodes/StatusMark";
import { buttonClass } from "@/shared/ui/Button";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { Skeleton } from "@/shared/ui/Skeleton";
import { runQuery } from "../api";
import { toSteps } from "../model/runDetail";
import { formatPrice } from "./figures";
import { NodeDetails } from "./NodeDetails";
import { sourceName } from "./sourceName";
import { ValueList } from "./ValueView";
import { Waterfall } from "./Waterfall";

/** One run, from its first node to its last: when each ran, and everything that went in and came out. */
export function RunTrace({ runId, appId }: { runId: string; appId: string }) {
  const run = useQuery(runQuery(runId));
  if (run.isPending) return <Skeleton lines={6} className="p-4" />;
  if (run.isError) {
    return (
      <div className="p-4">
        <ErrorNote error={run.error} onRetry={run.refetch} />
      </div>
    );
  }
  return <Trace key={runId} detail={run.data} appId={appId} />;
}

function Trace({ detail, appId }: { detail: RunDetail; appId: string }) {
  const t = useText();
  const steps = useMemo(() => toSteps(detail), [detail]);
  const failed = steps.find((step) => step.status === "failed");
  const [chosenId, setChosenId] = useState<string | null>(null);
  const chosen = steps.find((step) => step.id === chosenId) ?? failed ?? steps.find((step) => step.usage) ?? steps[0];
  return (
    <section
      tabIndex={0}
      aria-label={t("runs.trace.title")}
      className="flex min-h-0 flex-1 flex-col gap-5 overflow-y-auto p-4 -outline-offset-2 tablet:px-6"
    >
      <Summary detail={detail} appId={appId} />
      {detail.run.status === "paused" && <WaitingForms runId={detail.run.id} />}
      {detail.run.error && (
        <div role="alert" className="rounded-card border border-err bg-s1 px-4 py-3 text-body text-t1">
          {failed && <p className="mb-1 font-medium">{t("runs.trace.failedIn", { title: failed.title })}</p>}
          <p className="wrap-anywhere whitespace-pre-wrap">{detail.run.error}</p>
        </div>
      )}
      {steps.length === 0 || !chosen ? (
        <p className="text-dense text-t3">{t("runs.trace.noNodes")}</p>
      ) : (
        <>
          <section aria-labelledby="trace-nodes">
            <h3 id="trace-nodes" className="mb-2 text-body font-semibold text-t1">
              {t("runs.trace.nodes")}
            </h3>
            <Waterfall steps={steps} chosenId={chosen.id} onChoose={setChosenId} />
          </section>
          <section aria-labelledby="trace-node">
            <h3 id="trace-node" className="mb-2 text-body font-semibold text-t1">
              {chosen.title}
            </h3>
            <NodeDetails key={chosen.id} step={chosen} />
          </section>
        </>
      )}
      <section aria-labelledby="trace-values" className="flex flex-col gap-3">
        <h3 id="trace-values" className="text-body font-semibold text-t1">
          {t("runs.trace.whole")}
        </h3>
        <ValueList values={detail.run.inputs} empty={t("runs.trace.noInput")} />
        <ValueList values={detail.run.outputs} empty={t("runs.trace.noOutput")} />
      </section>
    </section>
  );
}

function Summary({ detail, appId }: { detail: RunDetail; appId: string }) {
  const t = useText();
  const { run } = detail;
  const price = formatPrice(run.total_price, run.currency);
  const facts: [string, string][] = [
    [t("runs.columns.time"), formatDateTime(run.created_at)],
    [t("runs.columns.duration"), run.elapsed_s === null ? t("runs.columns.none") : formatSeconds(run.elapsed_s)],
    [t("runs.columns.tokens"), formatNumber(run.total_tokens)],
    [t("runs.columns.price"), price ?? t("runs.columns.none")],
    [t("runs.columns.source"), sourceName(t, run.source)],
  ];
  return (
    <div className="flex flex-wrap items-start justify-between gap-3">
      <h2 className="sr-only">{t("runs.trace.title")}</h2>
      <dl className="flex flex-wrap gap-x-6 gap-y-2 text-dense">
        <div>
          <dt className="text-label text-t3">{t("runs.columns.status")}</dt>
          <dd>
            <StatusMark status={run.status} />
          </dd>
        </div>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt className="text-label text-t3">{name}</dt>
            <dd className="text-t1 tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
      <div className="flex gap-1">
        <Link
          to="/apps/$appId/canvas"
          params={{ appId }}
          search={{ run: run.id }}
          className={buttonClass("plain", "compact")}
        >
          {t("runs.trace.onCanvas")}
        </Link>
        <Link to="/apps/$appId/runs" params={{ appId }} search={{}} className={buttonClass("quiet", "compact")}>
          {t("common.close")}
        </Link>
      </div>
    </div>
  );
}
