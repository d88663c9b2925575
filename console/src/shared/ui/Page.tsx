import type { ReactNode } from "react";
import { classes } from "@/shared/lib/classes";

const WIDTHS = { normal: "max-w-5xl", wide: "max-w-[1200px]", narrow: "max-w-3xl" };

type Props = {
  title: string;
  description?: ReactNode;
  actions?: ReactNode;
  width?: keyof typeof WIDTHS;
  children: ReactNode;
};

/** A page with one `h1`, its actions beside it, and content of a readable width. */
export function Page({ title, description, actions, width = "normal", children }: Props) {
  return (
    <div className={classes("mx-auto w-full px-4 pt-6 pb-12 tablet:px-8 tablet:pt-8", WIDTHS[width])}>
      <title>{title}</title>
      <header className="mb-6 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0">
          <h1 className="text-hero font-semibold text-t1">{title}</h1>
          {description && <p className="mt-1 max-w-prose text-body text-t2">{description}</p>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}
