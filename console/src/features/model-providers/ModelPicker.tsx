import { useQuery } from "@tanstack/react-query";
import type { Model } from "@/shared/api/types";
import { useLanguage, useText } from "@/shared/i18n";
import { formatNumber } from "@/shared/i18n/format";
import { Combobox } from "@/shared/ui/Combobox";
import { providersQuery } from "./api";
import { modelKey } from "./modelKey";

type Props = {
  models: readonly Model[];
  value: string | null;
  onChange: (key: string) => void;
  label?: string;
};

/** A choice among usable models, by "provider/name", with each one's window. */
export function ModelPicker({ models, value, onChange, label }: Props) {
  const t = useText();
  const language = useLanguage();
  const { data: providers = [] } = useQuery(providersQuery);
  const nameOf = (id: string) => providers.find((provider) => provider.id === id)?.name[language] ?? id;
  return (
    <Combobox
      {...(label !== undefined && { label })}
      placeholder={t("models.pick")}
      value={value}
      onChange={(key) => key && onChange(key)}
      options={models.map((model) => ({
        value: modelKey(model),
        label: `${model.name} · ${nameOf(model.provider)}`,
        detail: formatNumber(model.window_tokens, { notation: "compact" }),
      }))}
    />
  );
}
