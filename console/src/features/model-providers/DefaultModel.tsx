import { problemText } from "@/shared/api/problem";
import type { Model } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import { Field } from "@/shared/ui/Field";
import { toast } from "@/shared/ui/Toast";
import { useSetDefault } from "./api";
import { ModelPicker } from "./ModelPicker";
import { modelKey, parseModelKey } from "./modelKey";

/** The model that templates and replacements take when nothing else is said. */
export function DefaultModel({ models }: { models: readonly Model[] }) {
  const t = useText();
  const setDefault = useSetDefault("chat");
  const current = models.find((model) => model.is_default);
  const choose = (key: string) =>
    setDefault.mutate(parseModelKey(key), {
      onSuccess: () => toast(t("models.default.done", { name: parseModelKey(key).name })),
      onError: (error) => toast(problemText(t, error), "error"),
    });
  return (
    <Field label={t("models.default.label")} help={t("models.default.help")} className="max-w-md">
      <ModelPicker models={models} value={current ? modelKey(current) : null} onChange={choose} />
    </Field>
  );
}
