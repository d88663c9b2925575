import type { ComponentProps, ReactNode } from "react";
import { classes } from "@/shared/lib/classes";
import { Tooltip } from "./Tooltip";

const SIZES = { compact: "size-7", normal: "size-8", touch: "size-11" };
const LOOKS = {
  quiet: "text-t2 hover:bg-s2 hover:text-t1 border-transparent",
  plain: "bg-s1 text-t1 border-line-strong hover:bg-s2",
  primary: "bg-accent text-on-accent border-transparent hover:opacity-90",
};

type Props = Omit<ComponentProps<"button">, "children" | "aria-label"> & {
  label: string;
  icon: ReactNode;
  size?: keyof typeof SIZES;
  look?: keyof typeof LOOKS;
};

/** A button that is only an icon; `label` is its name and its tooltip. */
export function IconButton({ label, icon, size = "normal", look = "quiet", className, ...rest }: Props) {
  return (
    <Tooltip text={label}>
      <button
        type="button"
        {...rest}
        aria-label={label}
        className={classes(
          "inline-flex shrink-0 items-center justify-center rounded-control border transition-colors",
          "disabled:pointer-events-none disabled:opacity-50",
          LOOKS[look],
          SIZES[size],
          className,
        )}
      >
        {icon}
      </button>
    </Tooltip>
  );
}
