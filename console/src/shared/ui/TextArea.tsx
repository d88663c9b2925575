import type { ComponentProps } from "react";
import { classes } from "@/shared/lib/classes";
import { useFieldIds } from "./Field";
import { controlClass } from "./Input";

type Props = ComponentProps<"textarea"> & { isCode?: boolean };

export function TextArea({ isCode = false, className, rows = 4, ...rest }: Props) {
  const field = useFieldIds();
  return (
    <textarea
      id={field?.id}
      aria-describedby={field?.describedBy}
      aria-invalid={field?.isInvalid || undefined}
      aria-required={field?.isRequired || undefined}
      spellCheck={isCode ? false : undefined}
      rows={rows}
      {...rest}
      className={classes(controlClass, "px-2.5 py-1.5", isCode && "font-mono text-dense", className)}
    />
  );
}
