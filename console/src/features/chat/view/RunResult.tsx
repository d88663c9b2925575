import { useState, useSyncExternalStore } from "react";
import { WaitingForms } from "@/features/humans";
import { isLive, type RunSession, type RunState, StepsFold, ValueList, ValueView } from "@/features/runs";
import { useText } from "@/shared/i18n";
import { Markdown } from "@/shared/markdown/Markdown";
import { splitThought } from "@/shared/markdown/splitThought";
import { StatusMark } from "@/shared/nodes/StatusMark";
import { CopyButton } from "@/shared/ui/CopyButton";
import { Skeleton } from "@/shared/ui/Skeleton";
import { Tabs } from "@/shared/ui/Tabs";
import { onlyText } from "../model/result";
import { RunProblem } from "./RunProblem";

type Props = { appId: string; session: RunSession; onRetry: () => void };

/** What a run gives, while it goes on and when it is done, with the steps it took. */
export function RunResult({ appId, session, onRetry }: Props) {
  const t = useText();
  const state = useSyncExternalStore(session.subscribe, session.snapshot);
  return (
    <div className="flex flex-col gap-4" aria-busy={isLive(state)}>
      <p role="status" className="text-body">
        <StatusMark status={state.status} />
      </p>
      {state.error && <RunProblem error={state.error} onRetry={onRetry} />}
      {state.status === "paused" && state.runId && <WaitingForms runId={state.runId} />}
      <Outcome state={state} />
      {state.status === "stopped" && <p className="text-label text-t3">{t("chat.turn.stopped")}</p>}
      {(state.steps.length > 0 || state.runId) && (
        <StepsFold
          appId={appId}
          runId={state.runId}
          status={state.status}
          steps={state.steps}
          elapsedS={state.elapsedS}
          usage={
            state.usage ??
            (state.totalTokens
              ? { promptTokens: null, answerTokens: null, totalTokens: state.totalTokens, price: null, currency: null }
              : null)
          }
        />
      )}
    </div>
  );
}

function Outcome({ state }: { state: RunState }) {
  const t = useText();
  const [tab, setTab] = useState<"text" | "json">("text");
  const text = onlyText(state.outputs) ?? (state.text || null);
  if (isLive(state)) return text ? <Text text={text} /> : <Skeleton lines={3} />;
  if (!state.outputs || Object.keys(state.outputs).length === 0) return text ? <Text text={text} /> : null;
  return (
    <Tabs
      label={t("chat.run.result")}
      value={tab}
      onChange={setTab}
      tabs={[
        {
          value: "text" as const,
          label: t("chat.run.asText"),
          panel:
            onlyText(state.outputs) !== null ? (
              <Text text={text ?? ""} />
            ) : (
              <ValueList values={state.outputs} empty="" />
            ),
        },
        {
          value: "json" as const,
          label: t("chat.run.asJson"),
          panel: <ValueView name={t("chat.run.outputs")} value={state.outputs} />,
        },
      ]}
    />
  );
}

function Text({ text }: { text: string }) {
  const t = useText();
  const { rest } = splitThought(text);
  return (
    <div className="flex flex-col gap-2">
      <div className="rounded-card border border-line bg-s1 p-4 text-read text-t1">
        <Markdown text={rest} />
      </div>
      <div>
        <CopyButton text={rest} label={t("chat.run.copy")} />
      </div>
    </div>
  );
}
