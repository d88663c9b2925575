import { Link } from "@tanstack/react-router";
import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { useText } from "@/shared/i18n";
import { formatSeconds } from "@/shared/i18n/format";
import { classes } from "@/shared/lib/classes";
import { StatusMark } from "@/shared/nodes/StatusMark";
import type { Step, StepUsage } from "../model/runState";
import { StepList } from "./StepList";
import { UsageLine } from "./UsageLine";

type Props = {
  appId: string;
  runId: string | null;
  status: string;
  steps: readonly Step[];
  elapsedS: number | null;
  usage: StepUsage | null;
  /** Called when the steps are first asked for; for runs whose steps are not here yet. */
  onOpen?: () => void;
  /** How many steps there are when `steps` are not here yet; null when not known either. */
  stepCount?: number | null;
};

/** One line under an answer that says how it came about, and unfolds to its steps. */
export function StepsFold({ appId, runId, status, steps, elapsedS, usage, onOpen, stepCount }: Props) {
  const t = useText();
  const [isOpen, setIsOpen] = useState(false);
  const running = steps.findLast((step) => step.status === "running");
  const count = stepCount === undefined ? steps.length : stepCount;
  const toggle = () => {
    if (!isOpen) onOpen?.();
    setIsOpen(!isOpen);
  };
  return (
    <div className="min-w-0 text-label text-t3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <button
          type="button"
          aria-expanded={isOpen}
          onClick={toggle}
          className="inline-flex h-7 items-center gap-1.5 rounded-control pe-2 text-label text-t2 hover:text-t1"
        >
          <ChevronRight
            aria-hidden="true"
            size={14}
            className={classes("transition-transform", isOpen && "rotate-90")}
          />
          <StatusMark status={status} isIconOnly />
          {running && status === "running" && running.title}
          {!(running && status === "running") &&
            (count === null ? t("runs.steps.list") : t("runs.steps.count", { count }))}
        </button>
        {elapsedS !== null && <span className="tabular-nums">{formatSeconds(elapsedS)}</span>}
        {usage && <UsageLine usage={usage} />}
        {runId && (
          <Link
            to="/apps/$appId/runs"
            params={{ appId }}
            search={{ run: runId }}
            className="inline-flex h-7 items-center text-accent underline underline-offset-2"
          >
            {t("runs.steps.trace")}
          </Link>
        )}
      </div>
      {isOpen && (
        <div className="mt-1 rounded-card border border-line bg-s1 px-3 py-1">
          <StepList steps={steps} />
        </div>
      )}
    </div>
  );
}
