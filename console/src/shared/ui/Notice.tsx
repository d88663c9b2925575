import { CircleCheck, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { classes } from "@/shared/lib/classes";

const TONES = {
  info: { border: "border-info", text: "text-info", Icon: Info },
  ok: { border: "border-ok", text: "text-ok", Icon: CircleCheck },
  warn: { border: "border-warn", text: "text-warn", Icon: TriangleAlert },
};

type Props = { tone?: keyof typeof TONES; title?: string; actions?: ReactNode; children?: ReactNode };

/** A remark that stays in the page and is not a failure. */
export function Notice({ tone = "info", title, actions, children }: Props) {
  const { border, text, Icon } = TONES[tone];
  return (
    <div className={classes("flex items-start gap-3 rounded-card border bg-s1 px-4 py-3", border)}>
      <Icon aria-hidden="true" size={18} className={classes("mt-px shrink-0", text)} />
      <div className="min-w-0 flex-1 text-body text-t2">
        {title && <p className="font-medium text-t1">{title}</p>}
        {children}
      </div>
      {actions}
    </div>
  );
}
