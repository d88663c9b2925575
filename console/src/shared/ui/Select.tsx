import { Select as Base } from "@base-ui/react/select";
import { Check, ChevronDown } from "lucide-react";
import type { ReactNode } from "react";
import { classes } from "@/shared/lib/classes";
import { useFieldIds } from "./Field";
import { controlClass } from "./Input";
import { itemClass, popupClass } from "./popup";

export type Option<V extends string = string> = { value: V; label: string; detail?: ReactNode; isDisabled?: boolean };

type Props<V extends string> = {
  options: readonly Option<V>[];
  value: V | null;
  onChange: (value: V) => void;
  placeholder?: string;
  /** The name of the control where no `Field` gives it one. */
  label?: string;
  isDisabled?: boolean;
  className?: string;
};

/** A choice of a few options. For many options or search, use `Combobox`. */
export function Select<V extends string>({
  options,
  value,
  onChange,
  placeholder,
  label,
  isDisabled,
  className,
}: Props<V>) {
  const field = useFieldIds();
  return (
    <Base.Root
      items={options.map((option) => ({ value: option.value, label: option.label }))}
      value={value}
      onValueChange={(next) => next !== null && onChange(next)}
      disabled={isDisabled ?? false}
    >
      <Base.Trigger
        id={field?.id}
        aria-label={label}
        aria-describedby={field?.describedBy}
        aria-invalid={field?.isInvalid || undefined}
        className={classes(controlClass, "flex h-8 items-center justify-between gap-2 px-2.5 text-start", className)}
      >
        <Base.Value className="truncate data-placeholder:text-t3" placeholder={placeholder} />
        <Base.Icon className="text-t3">
          <ChevronDown aria-hidden="true" size={16} />
        </Base.Icon>
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner sideOffset={4} alignItemWithTrigger={false} className="z-popover">
          <Base.Popup className={classes(popupClass, "min-w-(--anchor-width)")}>
            <Base.List className="max-h-80 overflow-y-auto p-1">
              {options.map((option) => (
                <Base.Item
                  key={option.value}
                  value={option.value}
                  disabled={option.isDisabled ?? false}
                  className={classes(itemClass, "pe-2")}
                >
                  <Base.ItemText className="min-w-0 flex-1 truncate">{option.label}</Base.ItemText>
                  {option.detail && <span className="text-label text-t3">{option.detail}</span>}
                  <Base.ItemIndicator className="text-accent">
                    <Check aria-hidden="true" size={16} />
                  </Base.ItemIndicator>
                </Base.Item>
              ))}
            </Base.List>
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
