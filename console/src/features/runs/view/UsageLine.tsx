import { useText } from "@/shared/i18n";
import { formatNumber } from "@/shared/i18n/format";
import type { StepUsage } from "../model/runState";
import { formatPrice } from "./figures";

/** Tokens in and out, and the price where the catalogue knows one. */
export function UsageLine({ usage }: { usage: StepUsage }) {
  const t = useText();
  const price = formatPrice(usage.price, usage.currency);
  const tokens =
    usage.promptTokens === null || usage.answerTokens === null
      ? t("runs.usage.total", { tokens: formatNumber(usage.totalTokens ?? 0) })
      : t("runs.usage.inOut", { in: formatNumber(usage.promptTokens), out: formatNumber(usage.answerTokens) });
  return (
    <span className="tabular-nums whitespace-nowrap">
      {price ? t("runs.usage.withPrice", { tokens, price }) : tokens}
    </span>
  );
}
