import { createContext, type ReactNode, useContext, useId } from "react";
import { classes } from "@/shared/lib/classes";

type FieldIds = { id: string; describedBy: string | undefined; isInvalid: boolean; isRequired: boolean };

const FieldContext = createContext<FieldIds | null>(null);

/** What a control inside a `Field` needs to be tied to its label, help and error. */
export function useFieldIds(): FieldIds | null {
  return useContext(FieldContext);
}

type Props = {
  label: ReactNode;
  help?: ReactNode;
  error?: string | null | undefined;
  isRequired?: boolean;
  hideLabel?: boolean;
  className?: string;
  children: ReactNode;
};

/** Label above, control, help and error below; the error is linked to the control. */
export function Field({ label, help, error, isRequired = false, hideLabel = false, className, children }: Props) {
  const id = useId();
  const helpId = `${id}-help`;
  const errorId = `${id}-error`;
  const described = [help ? helpId : "", error ? errorId : ""].filter(Boolean).join(" ") || undefined;
  return (
    <FieldContext value={{ id, describedBy: described, isInvalid: Boolean(error), isRequired }}>
      <div className={classes("flex min-w-0 flex-col gap-1.5", className)}>
        <label htmlFor={id} className={hideLabel ? "sr-only" : "text-dense font-medium text-t1"}>
          {label}
          {isRequired && (
            <span aria-hidden="true" className="ms-1 text-err">
              {"*"}
            </span>
          )}
        </label>
        {children}
        {help && (
          <p id={helpId} className="text-label text-t3">
            {help}
          </p>
        )}
        {error && (
          <p id={errorId} className="text-label text-err">
            {error}
          </p>
        )}
      </div>
    </FieldContext>
  );
}
