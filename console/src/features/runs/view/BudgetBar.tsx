import type { Budget } from "@/shared/api/events";
import { useText } from "@/shared/i18n";
import { formatNumber } from "@/shared/i18n/format";
import { classes } from "@/shared/lib/classes";

const CROWDED = 0.8;

/** How one model call was fitted into the model's window: prompt, room for the answer, and what was left out. */
export function BudgetBar({ budget }: { budget: Budget }) {
  const t = useText();
  const windowTokens = budget.window_tokens ?? 0;
  const promptTokens = budget.prompt_tokens ?? 0;
  const maxTokens = budget.max_tokens ?? 0;
  if (windowTokens <= 0) return null;
  const promptPart = Math.min(1, promptTokens / windowTokens);
  const answerPart = Math.min(1 - promptPart, maxTokens / windowTokens);
  const isCrowded = promptPart >= CROWDED;
  const wanted = budget.requested_max_tokens ?? 0;
  return (
    <div className="flex flex-col gap-1 text-label text-t2">
      <p>
        {t(budget.is_exact === false ? "runs.budget.sumEstimated" : "runs.budget.sum", {
          prompt: formatNumber(promptTokens),
          answer: formatNumber(maxTokens),
          window: formatNumber(windowTokens),
        })}
      </p>
      <div aria-hidden="true" className="flex h-1.5 overflow-hidden rounded-chip bg-s2">
        <div className={isCrowded ? "bg-warn" : "bg-accent"} style={{ width: `${promptPart * 100}%` }} />
        <div className="bg-line-strong" style={{ width: `${answerPart * 100}%` }} />
      </div>
      {isCrowded && <p className={classes("text-warn")}>{t("runs.budget.crowded")}</p>}
      {wanted > maxTokens && (
        <p className="text-warn">
          {t("runs.budget.lowered", { wanted: formatNumber(wanted), given: formatNumber(maxTokens) })}
        </p>
      )}
      {(budget.trimmed_messages ?? 0) > 0 && (
        <p className="text-warn">{t("runs.budget.trimmed", { count: budget.trimmed_messages ?? 0 })}</p>
      )}
    </div>
  );
}
