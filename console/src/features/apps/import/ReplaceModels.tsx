import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowRight } from "lucide-react";
import { useState } from "react";
import { ModelPicker, modelKey, modelsQuery, parseModelKey } from "@/features/model-providers";
import type { App, ModelRef } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import { Button, buttonClass } from "@/shared/ui/Button";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { Notice } from "@/shared/ui/Notice";
import { Skeleton } from "@/shared/ui/Skeleton";
import { useReplaceModels } from "../api";

type Props = { app: App; onDone: (app: App) => void; onLater?: () => void };

/** For every model the file names and the workspace lacks: which one to use instead. */
export function ReplaceModels({ app, onDone, onLater }: Props) {
  const t = useText();
  const { data: models, error, isFetching } = useQuery(modelsQuery("chat"));
  const replace = useReplaceModels(app.id);
  const [chosen, setChosen] = useState<Readonly<Record<string, string>>>({});
  if (error) return <ErrorNote error={error} />;
  if (!models) return <Skeleton lines={2} />;
  const first = models.find((model) => model.is_default) ?? models[0];
  const targetOf = (missing: ModelRef) => chosen[modelKey(missing)] ?? (first ? modelKey(first) : "");
  const save = async () => {
    const mappings = app.missing_models.map((from) => ({ from, to: parseModelKey(targetOf(from)) }));
    // Awaited, since a callback would be lost: with no model missing any more, this component is gone.
    onDone(await replace.mutateAsync({ mappings }));
  };
  return (
    <div className="flex flex-col gap-3">
      <Notice tone="warn" title={t("apps.models.missingTitle", { count: app.missing_models.length })}>
        {first ? t("apps.models.missingText") : t("apps.models.noneUsable")}
      </Notice>
      {first && (
        <ul className="flex flex-col gap-3">
          {app.missing_models.map((missing) => (
            <li key={modelKey(missing)} className="grid items-center gap-2 tablet:grid-cols-[1fr_auto_1fr]">
              <span className="min-w-0">
                <span className="block truncate text-body font-medium text-t1">{missing.name || missing.provider}</span>
                <span className="block truncate text-label text-t3">{missing.provider}</span>
              </span>
              <ArrowRight aria-hidden="true" size={16} className="hidden text-t3 tablet:block" />
              <ModelPicker
                label={t("apps.models.replacementFor", { name: missing.name || missing.provider })}
                models={models}
                value={targetOf(missing)}
                onChange={(key) => setChosen({ ...chosen, [modelKey(missing)]: key })}
              />
            </li>
          ))}
        </ul>
      )}
      {replace.error && <ErrorNote error={replace.error} />}
      <div className="flex flex-wrap justify-end gap-2">
        {onLater && <Button onClick={onLater}>{t("apps.models.later")}</Button>}
        {first ? (
          // A list from before a model was added would offer the wrong one.
          <Button
            look="primary"
            busy={replace.isPending || isFetching}
            onClick={() => void save().catch(() => undefined)}
          >
            {t("apps.models.use", { count: app.missing_models.length })}
          </Button>
        ) : (
          <Link to="/settings/models" className={buttonClass("primary")}>
            {t("apps.models.add")}
          </Link>
        )}
      </div>
    </div>
  );
}
