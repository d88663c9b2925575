import { FirstModel } from "@/features/model-providers";
import { useText } from "@/shared/i18n";
import { Button } from "@/shared/ui/Button";

/** A key, a local server, or the demo model. Skipping it leaves the demo model. */
export function ModelStep({ onDone }: { onDone: () => void }) {
  const t = useText();
  return (
    <div className="flex flex-col gap-6">
      <FirstModel onDone={onDone} />
      <div className="flex flex-wrap items-center justify-between gap-3 border-t border-line pt-4">
        <p className="max-w-md text-dense text-t3">{t("setup.model.demoHint")}</p>
        <Button onClick={onDone}>{t("setup.model.skip")}</Button>
      </div>
    </div>
  );
}
