import { useText } from "@/shared/i18n";
import { formatNumber } from "@/shared/i18n/format";

type Props = { prompt: number; answer: number; window: number };

/** A window as a bar: the prompt, what is reserved for the answer, and what is free. */
export function BudgetBar({ prompt, answer, window }: Props) {
  const t = useText();
  const share = (tokens: number) => `${Math.min(100, (tokens / window) * 100)}%`;
  return (
    <div className="flex flex-col gap-1.5">
      <div aria-hidden="true" className="flex h-2.5 overflow-hidden rounded-chip bg-s2">
        <span className="bg-node-model" style={{ width: share(prompt) }} />
        <span className="bg-node-io" style={{ width: share(answer) }} />
      </div>
      <ul className="flex flex-wrap gap-x-5 gap-y-1 text-label text-t2">
        <Legend color="bg-node-model" text={t("models.budget.legendPrompt", { tokens: formatNumber(prompt) })} />
        <Legend color="bg-node-io" text={t("models.budget.legendAnswer", { tokens: formatNumber(answer) })} />
        <Legend color="bg-line-strong" text={t("models.budget.legendWindow", { tokens: formatNumber(window) })} />
      </ul>
    </div>
  );
}

function Legend({ color, text }: { color: string; text: string }) {
  return (
    <li className="flex items-center gap-1.5 tabular-nums">
      <span aria-hidden="true" className={`size-2 rounded-full ${color}`} />
      {text}
    </li>
  );
}
