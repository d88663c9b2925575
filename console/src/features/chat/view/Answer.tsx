import { Pencil, RotateCcw } from "lucide-react";
import type { ReactNode } from "react";
import { useText } from "@/shared/i18n";
import { Markdown } from "@/shared/markdown/Markdown";
import { splitThought } from "@/shared/markdown/splitThought";
import { CopyButton } from "@/shared/ui/CopyButton";
import { IconButton } from "@/shared/ui/IconButton";

type Props = {
  text: string;
  isLive: boolean;
  isStopped: boolean;
  /** The node that is running, while there is no text yet. */
  activity: string | null;
  onRetry: () => void;
  onEdit: () => void;
  children: ReactNode;
};

/** The answer of one turn, as it grows and when it is done, with what can be done with it. */
export function Answer({ text, isLive, isStopped, activity, onRetry, onEdit, children }: Props) {
  const t = useText();
  const { thought, rest } = splitThought(text);
  return (
    <div className="flex min-w-0 flex-col gap-2">
      <h2 className="sr-only">{t("chat.turn.answer")}</h2>
      {thought && (
        <details className="rounded-card border border-line bg-s1 px-3 py-2 text-dense text-t2">
          <summary className="cursor-pointer font-medium">{t("chat.turn.thought")}</summary>
          <p className="mt-2 wrap-anywhere whitespace-pre-wrap">{thought}</p>
        </details>
      )}
      {rest && (
        <div className="text-read text-t1">
          <Markdown text={rest} />
        </div>
      )}
      {isLive && !rest && <Waiting activity={activity} />}
      {isStopped && <p className="text-label text-t3">{t("chat.turn.stopped")}</p>}
      {children}
      {!isLive && (
        <div className="-ms-1.5 flex gap-0.5">
          {rest && <CopyButton text={rest} label={t("chat.turn.copy")} isIcon />}
          <IconButton
            size="compact"
            label={t("chat.turn.retry")}
            icon={<RotateCcw aria-hidden="true" size={16} />}
            onClick={onRetry}
          />
          <IconButton
            size="compact"
            label={t("chat.turn.edit")}
            icon={<Pencil aria-hidden="true" size={16} />}
            onClick={onEdit}
          />
        </div>
      )}
    </div>
  );
}

function Waiting({ activity }: { activity: string | null }) {
  const t = useText();
  return (
    <p className="flex items-center gap-2 text-body text-t3">
      <span aria-hidden="true" className="flex gap-1">
        {[0, 150, 300].map((delay) => (
          <span
            key={delay}
            className="size-1.5 animate-pulse rounded-full bg-t3"
            style={{ animationDelay: `${delay}ms` }}
          />
        ))}
      </span>
      {activity ? t("chat.turn.working", { title: activity }) : t("chat.turn.starting")}
    </p>
  );
}
