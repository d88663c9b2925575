import type { Model, ModelProvider } from "@/shared/api/types";
import { isTextKey, useLanguage, useText } from "@/shared/i18n";
import { formatNumber } from "@/shared/i18n/format";
import { Badge } from "@/shared/ui/Badge";
import { EmptyState } from "@/shared/ui/EmptyState";
import { providerName } from "./providerName";

type Props = { models: readonly Model[]; providers: readonly ModelProvider[] };

/** Every model an app can use now, with what it can hold. */
export function ModelTable({ models, providers }: Props) {
  const t = useText();
  const language = useLanguage();
  if (models.length === 0)
    return <EmptyState title={t("models.table.empty")}>{t("models.table.emptyText")}</EmptyState>;
  const nameOf = (id: string) => {
    const provider = providers.find((each) => each.id === id);
    return provider ? providerName(provider, language) : id;
  };
  const featureLabel = (feature: string) => {
    const key = `models.features.${feature}`;
    return isTextKey(key) ? t(key) : null;
  };
  return (
    <section
      tabIndex={0}
      aria-label={t("models.table.label")}
      className="max-h-96 overflow-auto rounded-card border border-line bg-s1"
    >
      <table className="w-full text-dense">
        <thead className="sticky top-0 z-panel bg-s2 text-label text-t2">
          <tr>
            <th className="px-3 py-2 text-start font-medium">{t("models.table.model")}</th>
            <th className="px-3 py-2 text-start font-medium">{t("models.table.provider")}</th>
            <th className="px-3 py-2 text-end font-medium whitespace-nowrap">{t("models.table.window")}</th>
            <th className="px-3 py-2 text-end font-medium whitespace-nowrap">{t("models.table.maxOutput")}</th>
            <th className="px-3 py-2 text-start font-medium">{t("models.table.features")}</th>
          </tr>
        </thead>
        <tbody>
          {models.map((model) => (
            <tr key={`${model.provider}/${model.name}`} className="border-t border-line">
              <td className="px-3 py-2">
                <span className="flex flex-wrap items-center gap-2 font-medium text-t1">
                  {model.name}
                  {model.is_default && <Badge tone="accent">{t("models.table.default")}</Badge>}
                </span>
              </td>
              <td className="px-3 py-2 whitespace-nowrap text-t2">{nameOf(model.provider)}</td>
              <td className="px-3 py-2 text-end text-t2 tabular-nums">{formatNumber(model.window_tokens)}</td>
              <td className="px-3 py-2 text-end text-t2 tabular-nums">
                {model.max_output_tokens === null ? "–" : formatNumber(model.max_output_tokens)}
              </td>
              <td className="px-3 py-2">
                <span className="flex flex-wrap gap-1">
                  {model.features.map((feature) => {
                    const label = featureLabel(feature);
                    return label && <Badge key={feature}>{label}</Badge>;
                  })}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
