import { useMemo } from "react";
import { useText } from "@/shared/i18n";
import { formatSeconds } from "@/shared/i18n/format";
import { classes } from "@/shared/lib/classes";
import { walkFocus } from "@/shared/lib/walkFocus";
import { categoryColor, categoryOf } from "@/shared/nodes/kinds";
import { NodeTile } from "@/shared/nodes/NodeTile";
import { StatusMark } from "@/shared/nodes/StatusMark";
import type { Step } from "../model/runState";
import { type Bar, waterfall } from "../model/waterfall";

type Props = { steps: readonly Step[]; chosenId: string; onChoose: (id: string) => void };

const moveFocus = walkFocus("button");

/** Each node as a bar on the run's time, in the colour of its category. Arrow keys walk the rows. */
export function Waterfall({ steps, chosenId, onChoose }: Props) {
  const t = useText();
  const bars = useMemo(() => waterfall(steps), [steps]);
  return (
    <ol
      aria-label={t("runs.trace.nodes")}
      onKeyDown={moveFocus}
      className="max-h-96 overflow-y-auto rounded-card border border-line bg-s1 p-1"
    >
      {bars.map((bar) => (
        <li key={bar.step.id}>
          <Row bar={bar} isChosen={bar.step.id === chosenId} onChoose={onChoose} />
        </li>
      ))}
    </ol>
  );
}

function Row({ bar, isChosen, onChoose }: { bar: Bar; isChosen: boolean; onChoose: (id: string) => void }) {
  const { step, depth, start, length } = bar;
  return (
    <button
      type="button"
      aria-current={isChosen || undefined}
      onClick={() => onChoose(step.id)}
      className={classes(
        "grid w-full grid-cols-[minmax(0,2fr)_minmax(0,3fr)_5.5rem] items-center gap-3 rounded-control px-2 py-1 text-start text-dense -outline-offset-2",
        isChosen ? "bg-accent-soft" : "hover:bg-s2",
      )}
    >
      <span className="flex min-w-0 items-center gap-2" style={{ paddingInlineStart: depth * 16 }}>
        <NodeTile type={step.nodeType} />
        <span className="truncate text-t1" title={step.title}>
          {step.title}
        </span>
      </span>
      <span aria-hidden="true" className="relative h-2 rounded-chip bg-s2">
        <span
          className="absolute inset-y-0 rounded-chip"
          style={{
            insetInlineStart: `${start * 100}%`,
            width: `${length * 100}%`,
            background: step.status === "failed" ? "var(--err)" : categoryColor(categoryOf(step.nodeType)),
          }}
        />
      </span>
      <span className="flex items-center justify-end gap-2 text-label text-t2">
        <span className="tabular-nums">{step.elapsedS === null ? "" : formatSeconds(step.elapsedS)}</span>
        <StatusMark status={step.status} isIconOnly />
      </span>
    </button>
  );
}
