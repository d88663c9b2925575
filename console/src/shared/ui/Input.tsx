import type { ComponentProps } from "react";
import { classes } from "@/shared/lib/classes";
import { useFieldIds } from "./Field";

export const controlClass = classes(
  "w-full min-w-0 rounded-control border border-line-strong bg-s1 text-body text-t1 placeholder:text-t3",
  "transition-colors focus-visible:outline-offset-0 disabled:opacity-60 aria-invalid:border-err",
);

type Props = ComponentProps<"input"> & { isCode?: boolean };

export function Input({ isCode = false, className, ...rest }: Props) {
  const field = useFieldIds();
  return (
    <input
      id={field?.id}
      aria-describedby={field?.describedBy}
      aria-invalid={field?.isInvalid || undefined}
      aria-required={field?.isRequired || undefined}
      spellCheck={isCode ? false : undefined}
      {...rest}
      className={classes(controlClass, "h-8 px-2.5", isCode && "font-mono text-dense", className)}
    />
  );
}
