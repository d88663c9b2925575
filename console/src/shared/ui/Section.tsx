import { type ReactNode, useId } from "react";
import { classes } from "@/shared/lib/classes";

type Props = { title: string; description?: ReactNode; actions?: ReactNode; className?: string; children: ReactNode };

/** A named part of a page under an `h2`. */
export function Section({ title, description, actions, className, children }: Props) {
  const id = useId();
  return (
    <section aria-labelledby={id} className={classes("flex flex-col gap-3", className)}>
      <header className="flex flex-wrap items-end justify-between gap-x-4 gap-y-2">
        <div className="min-w-0">
          <h2 id={id} className="text-read font-semibold text-t1">
            {title}
          </h2>
          {description && <p className="mt-0.5 max-w-prose text-body text-t2">{description}</p>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {children}
    </section>
  );
}
