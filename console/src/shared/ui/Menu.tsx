import { Menu as Base } from "@base-ui/react/menu";
import { Check } from "lucide-react";
import type { ReactElement, ReactNode } from "react";
import { classes } from "@/shared/lib/classes";
import { itemClass, popupClass } from "./popup";

type MenuProps = {
  /** The button that opens the menu. */
  trigger: ReactElement<Record<string, unknown>>;
  align?: "start" | "end";
  side?: "top" | "bottom" | "right";
  children: ReactNode;
};

export function Menu({ trigger, align = "end", side = "bottom", children }: MenuProps) {
  return (
    <Base.Root>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner align={align} side={side} sideOffset={4} className="z-popover">
          <Base.Popup className={classes(popupClass, "max-h-(--available-height) min-w-52 overflow-y-auto p-1")}>
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

type ItemProps = {
  icon?: ReactNode;
  isDanger?: boolean;
  isDisabled?: boolean;
  onSelect: () => void;
  children: ReactNode;
};

export function MenuItem({ icon, isDanger = false, isDisabled = false, onSelect, children }: ItemProps) {
  return (
    <Base.Item disabled={isDisabled} onClick={onSelect} className={classes(itemClass, isDanger && "text-err")}>
      {icon && <span className={isDanger ? "text-err" : "text-t3"}>{icon}</span>}
      {children}
    </Base.Item>
  );
}

type LinkProps = {
  icon?: ReactNode;
  href: string;
  download?: string | true;
  isExternal?: boolean;
  children: ReactNode;
};

export function MenuLink({ icon, href, download, isExternal = false, children }: LinkProps) {
  return (
    <Base.LinkItem
      href={href}
      download={download}
      closeOnClick
      target={isExternal ? "_blank" : undefined}
      rel={isExternal ? "noopener noreferrer" : undefined}
      className={itemClass}
    >
      {icon && <span className="text-t3">{icon}</span>}
      {children}
    </Base.LinkItem>
  );
}

type ChoiceProps<V extends string> = {
  label: string;
  value: V;
  options: readonly { value: V; label: string; lang?: string }[];
  onChange: (value: V) => void;
};

/** A named group of which exactly one entry is on. */
export function MenuChoice<V extends string>({ label, value, options, onChange }: ChoiceProps<V>) {
  return (
    <Base.RadioGroup value={value} onValueChange={(next: V) => onChange(next)}>
      <Base.Group>
        <Base.GroupLabel className="px-2 pt-2 pb-1 text-label font-medium text-t3">{label}</Base.GroupLabel>
        {options.map((option) => (
          <Base.RadioItem key={option.value} value={option.value} lang={option.lang} className={itemClass}>
            <span className="flex-1">{option.label}</span>
            <Base.RadioItemIndicator className="text-accent">
              <Check aria-hidden="true" size={16} />
            </Base.RadioItemIndicator>
          </Base.RadioItem>
        ))}
      </Base.Group>
    </Base.RadioGroup>
  );
}

export function MenuSeparator() {
  return <Base.Separator className="my-1 h-px bg-line" />;
}
