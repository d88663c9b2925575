import { useQuery } from "@tanstack/react-query";
import { memo, useState, useSyncExternalStore } from "react";
import { WaitingForms } from "@/features/humans";
import { isLive, runQuery, StepsFold, type StepUsage, toSteps } from "@/features/runs";
import type { Message } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import type { LiveTurn } from "../model/liveTurns";
import { Answer } from "./Answer";
import { FileChips } from "./FileChips";
import { RunProblem } from "./RunProblem";

type Actions = { appId: string; onRetry: (query: string) => void; onEdit: (query: string) => void };

/** A turn whose run is followed in this page. */
export const LiveTurnView = memo(function LiveTurnView({ turn, appId, onRetry, onEdit }: Actions & { turn: LiveTurn }) {
  const state = useSyncExternalStore(turn.session.subscribe, turn.session.snapshot);
  const isOpen = isLive(state);
  const retry = () => onRetry(turn.query);
  const current = state.steps.findLast((step) => step.status === "running");
  return (
    <article className="flex flex-col gap-4" aria-busy={isOpen}>
      <Question text={turn.query} files={turn.files} />
      <Answer
        text={state.text}
        isLive={isOpen}
        isStopped={state.status === "stopped"}
        activity={current?.title ?? null}
        onRetry={retry}
        onEdit={() => onEdit(turn.query)}
      >
        {state.error && <RunProblem error={state.error} onRetry={retry} />}
        {state.status === "paused" && state.runId && <WaitingForms runId={state.runId} />}
        {(state.steps.length > 0 || state.runId) && (
          <StepsFold
            appId={appId}
            runId={state.runId}
            status={state.status}
            steps={state.steps}
            elapsedS={state.elapsedS}
            usage={state.usage}
          />
        )}
      </Answer>
    </article>
  );
});

/** A turn from the record. Its steps are fetched when they are asked for. */
export const SavedTurnView = memo(function SavedTurnView({
  message,
  appId,
  onRetry,
  onEdit,
}: Actions & { message: Message }) {
  const retry = () => onRetry(message.query);
  const files = message.message_files
    .filter((file) => file.belongs_to !== "assistant")
    .map((file) => ({ id: file.id ?? file.filename, name: file.filename, kind: file.type ?? "" }));
  return (
    <article className="flex flex-col gap-4">
      <Question text={message.query} files={files} />
      <Answer
        text={message.answer}
        isLive={false}
        isStopped={false}
        activity={null}
        onRetry={retry}
        onEdit={() => onEdit(message.query)}
      >
        {message.error && (
          <RunProblem error={{ message: message.error, code: null, nodeTitle: null }} onRetry={retry} />
        )}
        {message.workflow_run_id && <SavedSteps appId={appId} runId={message.workflow_run_id} message={message} />}
      </Answer>
    </article>
  );
});

function usageOf(message: Message): StepUsage | null {
  if (!message.total_tokens) return null;
  return {
    promptTokens: message.message_tokens ?? null,
    answerTokens: message.answer_tokens ?? null,
    totalTokens: message.total_tokens,
    price: message.total_price ?? null,
    currency: message.currency ?? null,
  };
}

function SavedSteps({ appId, runId, message }: { appId: string; runId: string; message: Message }) {
  const [isAsked, setIsAsked] = useState(false);
  const run = useQuery({ ...runQuery(runId), enabled: isAsked });
  return (
    <StepsFold
      appId={appId}
      runId={runId}
      status={run.data?.run.status ?? (message.error ? "failed" : "succeeded")}
      steps={run.data ? toSteps(run.data) : []}
      stepCount={run.data?.nodes.length ?? null}
      elapsedS={run.data?.run.elapsed_s ?? (message.provider_response_latency || null)}
      usage={usageOf(message)}
      onOpen={() => setIsAsked(true)}
    />
  );
}

function Question({ text, files }: { text: string; files: readonly { id: string; name: string; kind: string }[] }) {
  const t = useText();
  return (
    <div className="flex flex-col items-end gap-1">
      <h2 className="sr-only">{t("chat.turn.you")}</h2>
      <FileChips files={files} />
      <p className="max-w-[85%] rounded-dialog bg-accent-soft px-4 py-2 text-read wrap-anywhere whitespace-pre-wrap text-t1">
        {text}
      </p>
    </div>
  );
}
