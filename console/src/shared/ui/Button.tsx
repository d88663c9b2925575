import type { ComponentProps, ReactNode } from "react";
import { classes } from "@/shared/lib/classes";
import { Spinner } from "./Spinner";

export type ButtonLook = "primary" | "plain" | "quiet" | "danger";

const LOOKS: Readonly<Record<ButtonLook, string>> = {
  primary: "bg-accent text-on-accent border-transparent hover:opacity-90",
  plain: "bg-s1 text-t1 border-line-strong hover:bg-s2",
  quiet: "bg-transparent text-t2 border-transparent hover:bg-s2 hover:text-t1",
  danger: "bg-s1 text-err border-err hover:bg-s2",
};
const SIZES = { compact: "h-7 px-2.5 text-dense", normal: "h-8 px-3 text-body", touch: "h-11 px-5 text-body" };

/** Classes of a button, for links that look like one. */
export function buttonClass(look: ButtonLook = "plain", size: keyof typeof SIZES = "normal"): string {
  return classes(
    "inline-flex items-center justify-center gap-2 rounded-control border font-medium whitespace-nowrap select-none",
    "transition-colors no-underline disabled:opacity-50 disabled:pointer-events-none shrink-0",
    LOOKS[look],
    SIZES[size],
  );
}

type Props = ComponentProps<"button"> & {
  look?: ButtonLook;
  size?: keyof typeof SIZES;
  icon?: ReactNode;
  busy?: boolean;
};

/** While `busy` it keeps its place and its name, shows a spinner and ignores presses. */
export function Button({ look, size, icon, busy = false, className, children, onClick, ...rest }: Props) {
  return (
    <button
      type="button"
      {...rest}
      aria-busy={busy || undefined}
      aria-disabled={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
      className={classes(buttonClass(look, size), busy && "cursor-progress", className)}
    >
      {busy ? <Spinner /> : icon}
      {children}
    </button>
  );
}
