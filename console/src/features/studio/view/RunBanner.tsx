import { Link } from "@tanstack/react-router";
import { History } from "lucide-react";
import { useText } from "@/shared/i18n";
import { buttonClass } from "@/shared/ui/Button";

/** Says that the canvas shows a run, and leads to its trace or back to the flow. */
export function RunBanner({ appId, runId }: { appId: string; runId: string }) {
  const t = useText();
  return (
    <div className="flex flex-wrap items-center gap-3 border-b border-line bg-accent-soft px-4 py-1.5 text-dense text-t1">
      <History aria-hidden="true" size={16} />
      <span className="flex-1">{t("studio.run.shown")}</span>
      <Link
        to="/apps/$appId/runs"
        params={{ appId }}
        search={{ run: runId }}
        className={buttonClass("plain", "compact")}
      >
        {t("studio.run.trace")}
      </Link>
      <Link to="/apps/$appId/canvas" params={{ appId }} search={{}} className={buttonClass("quiet", "compact")}>
        {t("studio.run.hide")}
      </Link>
    </div>
  );
}
