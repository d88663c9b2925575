import type { ReactNode } from "react";

type Props = { title: string; icon?: ReactNode; children?: ReactNode; actions?: ReactNode };

/** What a view says when it has nothing yet, and what can be done about it. */
export function EmptyState({ title, icon, children, actions }: Props) {
  return (
    <div className="flex flex-col items-center gap-2 rounded-card border border-dashed border-line-strong px-6 py-10 text-center">
      {icon && <div className="mb-1 text-t3">{icon}</div>}
      <p className="text-body font-medium text-t1">{title}</p>
      {children && <div className="max-w-prose text-body text-t2">{children}</div>}
      {actions && <div className="mt-3 flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  );
}
