import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, unwrap } from "@/shared/api/client";
import type { Model, TokenRequest } from "@/shared/api/types";
import { useDebounced } from "@/shared/hooks/useDebounced";
import { useText } from "@/shared/i18n";
import { formatNumber } from "@/shared/i18n/format";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { Field } from "@/shared/ui/Field";
import { Input } from "@/shared/ui/Input";
import { TextArea } from "@/shared/ui/TextArea";
import { BudgetBar } from "./BudgetBar";
import { ModelPicker } from "./ModelPicker";
import { modelKey, parseModelKey } from "./modelKey";
import { toCount } from "./toCount";

const tokensQuery = (body: TokenRequest) =>
  queryOptions({
    queryKey: ["tokens", body],
    queryFn: ({ signal }) => unwrap(api.POST("/tokens", { body, signal })),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });

/** The example everybody can check by hand. */
const EXAMPLE = { window: 8192, prompt: 4000 };

/** How the window is shared, worked through: first the example, then the reader's own text, counted live. */
export function TokenBudget({ models }: { models: readonly Model[] }) {
  const t = useText();
  const [text, setText] = useState("");
  const [wish, setWish] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const first = models.find((model) => model.is_default) ?? models[0];
  const key = chosen ?? (first ? modelKey(first) : null);
  const maxTokens = toCount(wish);
  const body: TokenRequest = {
    text: useDebounced(text, 300),
    ...(key && { model: parseModelKey(key) }),
    ...(maxTokens && { max_tokens: maxTokens }),
  };
  const { data, error } = useQuery({ ...tokensQuery(body), enabled: models.length > 0 });
  const left = EXAMPLE.window - EXAMPLE.prompt;
  return (
    <div className="flex flex-col gap-5 rounded-card border border-line bg-s1 p-4">
      <div className="flex flex-col gap-2">
        <p className="text-body text-t2">
          {t("models.budget.example", {
            window: formatNumber(EXAMPLE.window),
            prompt: formatNumber(EXAMPLE.prompt),
            left: formatNumber(left),
          })}
        </p>
        <BudgetBar prompt={EXAMPLE.prompt} answer={left} window={EXAMPLE.window} />
      </div>
      <div className="flex flex-col gap-3 border-t border-line pt-4">
        <div className="grid gap-3 tablet:grid-cols-[2fr_1fr]">
          <Field label={t("models.budget.model")}>
            <ModelPicker models={models} value={key} onChange={setChosen} />
          </Field>
          <Field label={t("models.budget.wish")}>
            <Input inputMode="numeric" value={wish} onChange={(event) => setWish(event.target.value)} />
          </Field>
        </div>
        <Field label={t("models.budget.prompt")}>
          <TextArea rows={4} value={text} onChange={(event) => setText(event.target.value)} />
        </Field>
        {error && <ErrorNote error={error} />}
        {data && (
          <div className="flex flex-col gap-2">
            <p role="status" className="text-body text-t2">
              {t(data.is_exact ? "models.budget.exact" : "models.budget.estimated", {
                tokens: formatNumber(data.tokens),
              })}{" "}
              {data.max_tokens !== null &&
                data.window_tokens !== null &&
                t("models.budget.atMost", {
                  left: formatNumber(data.max_tokens),
                  window: formatNumber(data.window_tokens),
                })}
            </p>
            {data.window_tokens !== null && (
              <BudgetBar prompt={data.tokens} answer={data.max_tokens ?? 0} window={data.window_tokens} />
            )}
          </div>
        )}
      </div>
    </div>
  );
}
