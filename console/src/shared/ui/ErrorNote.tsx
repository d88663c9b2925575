import { TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { Problem, problemText } from "@/shared/api/problem";
import { useText } from "@/shared/i18n";
import { Button } from "./Button";

type Props = { error: unknown; onRetry?: (() => void) | undefined; actions?: ReactNode };

/** A failure that stays in the page: its cause, the request's id if there is one, and a way to try again. */
export function ErrorNote({ error, onRetry, actions }: Props) {
  const t = useText();
  const requestId = error instanceof Problem ? error.requestId : undefined;
  return (
    <div role="alert" className="flex items-start gap-3 rounded-card border border-err bg-s1 px-4 py-3">
      <TriangleAlert aria-hidden="true" size={18} className="mt-px shrink-0 text-err" />
      <div className="min-w-0 flex-1">
        <p className="text-body break-words whitespace-pre-wrap text-t1">{problemText(t, error)}</p>
        {requestId && <p className="mt-1 font-mono text-label text-t3">{t("common.requestId", { id: requestId })}</p>}
      </div>
      {onRetry && (
        <Button size="compact" onClick={onRetry}>
          {t("common.retry")}
        </Button>
      )}
      {actions}
    </div>
  );
}
