import { Trash2 } from "lucide-react";
import { problemText } from "@/shared/api/problem";
import type { ModelProvider } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import { formatNumber } from "@/shared/i18n/format";
import { IconButton } from "@/shared/ui/IconButton";
import { toast } from "@/shared/ui/Toast";
import { useRemoveModel } from "./api";

/** The models of one provider; those that were added by hand can be removed. */
export function ProviderModels({ provider }: { provider: ModelProvider }) {
  const t = useText();
  const remove = useRemoveModel(provider.id);
  if (provider.models.length === 0) return null;
  return (
    <div className="flex flex-col gap-2">
      <h3 className="text-dense font-semibold text-t1">{t("models.dialog.models")}</h3>
      <section
        tabIndex={0}
        aria-label={t("models.dialog.models")}
        className="max-h-48 overflow-y-auto rounded-card border border-line"
      >
        <ul>
          {provider.models.map((model) => (
            <li
              key={`${model.kind}/${model.name}`}
              className="flex min-h-9 items-center gap-3 border-b border-line px-3 last:border-b-0"
            >
              <span className="min-w-0 flex-1 truncate text-dense text-t1">{model.name}</span>
              <span className="text-label text-t3 tabular-nums">
                {t("models.dialog.windowOf", { tokens: formatNumber(model.window_tokens) })}
              </span>
              {model.source === "workspace" && (
                <IconButton
                  size="compact"
                  label={t("models.dialog.removeModel", { name: model.name })}
                  icon={<Trash2 aria-hidden="true" size={14} />}
                  disabled={remove.isPending}
                  onClick={() =>
                    remove.mutate(model.name, { onError: (error) => toast(problemText(t, error), "error") })
                  }
                />
              )}
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}
