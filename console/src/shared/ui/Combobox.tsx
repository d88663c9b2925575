import { Combobox as Base } from "@base-ui/react/combobox";
import { Check, ChevronDown } from "lucide-react";
import { useText } from "@/shared/i18n";
import { classes } from "@/shared/lib/classes";
import { useFieldIds } from "./Field";
import { controlClass } from "./Input";
import { itemClass, popupClass } from "./popup";
import type { Option } from "./Select";

type Props<V extends string> = {
  options: readonly Option<V>[];
  value: V | null;
  onChange: (value: V | null) => void;
  placeholder?: string;
  label?: string;
  className?: string;
};

/** A choice of many options, with search by typing. */
export function Combobox<V extends string>({ options, value, onChange, placeholder, label, className }: Props<V>) {
  const t = useText();
  const field = useFieldIds();
  const selected = options.find((option) => option.value === value) ?? null;
  return (
    <Base.Root items={options} value={selected} onValueChange={(option) => onChange(option?.value ?? null)}>
      <Base.InputGroup className={classes("relative", className)}>
        <Base.Input
          id={field?.id}
          aria-label={label}
          aria-describedby={field?.describedBy}
          placeholder={placeholder}
          className={classes(controlClass, "h-8 ps-2.5 pe-8")}
        />
        <Base.Trigger
          aria-label={t("common.openList")}
          className="absolute inset-y-0 end-0 inline-flex w-8 items-center justify-center text-t3"
        >
          <ChevronDown aria-hidden="true" size={16} />
        </Base.Trigger>
      </Base.InputGroup>
      <Base.Portal>
        <Base.Positioner sideOffset={4} className="z-popover">
          <Base.Popup className={classes(popupClass, "w-(--anchor-width) max-w-(--available-width)")}>
            <Base.Empty>
              <div className="px-3 py-2 text-dense text-t3">{t("common.noMatches")}</div>
            </Base.Empty>
            <Base.List className="max-h-72 overflow-y-auto p-1 data-empty:p-0">
              {(option: Option<V>) => (
                <Base.Item key={option.value} value={option} className={itemClass}>
                  <span className="min-w-0 flex-1 truncate">{option.label}</span>
                  {option.detail && <span className="text-label text-t3">{option.detail}</span>}
                  <Base.ItemIndicator className="text-accent">
                    <Check aria-hidden="true" size={16} />
                  </Base.ItemIndicator>
                </Base.Item>
              )}
            </Base.List>
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
