import { Link } from "@tanstack/react-router";
import { TriangleAlert } from "lucide-react";
import type { RunError } from "@/features/runs";
import { useText } from "@/shared/i18n";
import { Button, buttonClass } from "@/shared/ui/Button";

/** Failures that are mended in the model settings. */
const MODEL_CODES: ReadonlySet<string> = new Set([
  "provider_not_initialize",
  "provider_quota_exceeded",
  "model_currently_not_support",
]);

/** Why a run has no answer, where it failed, and what can be done. */
export function RunProblem({ error, onRetry }: { error: RunError; onRetry: () => void }) {
  const t = useText();
  const isModel = error.code !== null && MODEL_CODES.has(error.code);
  const text =
    error.code === "stream_cut" || error.code === "unreachable"
      ? t("chat.problem.cut")
      : error.message || t("chat.problem.unexpected");
  return (
    <div role="alert" className="flex items-start gap-3 rounded-card border border-err bg-s1 px-4 py-3 text-body">
      <TriangleAlert aria-hidden="true" size={18} className="mt-px shrink-0 text-err" />
      <div className="min-w-0 flex-1">
        {error.nodeTitle && (
          <p className="font-medium text-t1">{t("chat.problem.inNode", { title: error.nodeTitle })}</p>
        )}
        <p className="wrap-anywhere whitespace-pre-wrap text-t1">{text}</p>
      </div>
      <div className="flex shrink-0 flex-wrap gap-2">
        {isModel && (
          <Link to="/settings/models" className={buttonClass("plain", "compact")}>
            {t("chat.problem.models")}
          </Link>
        )}
        <Button size="compact" onClick={onRetry}>
          {t("common.retry")}
        </Button>
      </div>
    </div>
  );
}
