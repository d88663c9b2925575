import { Dialog as Base } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import { type ReactNode, useRef } from "react";
import { useText } from "@/shared/i18n";
import { classes } from "@/shared/lib/classes";
import { IconButton } from "./IconButton";

const WIDTHS = { narrow: "max-w-[440px]", normal: "max-w-[560px]", wide: "max-w-[760px]" };

/** What to fill in comes before what to press. */
const FIRST_FIELD = "input:not([type=file], [tabindex='-1']), textarea";

type Props = {
  isOpen: boolean;
  onClose: () => void;
  title: string;
  description?: ReactNode;
  width?: keyof typeof WIDTHS;
  /** Buttons of the foot, the main one last. */
  actions?: ReactNode;
  /** Set while closing would lose what was typed: Esc still closes, a press outside does not. */
  holdsInput?: boolean;
  children?: ReactNode;
};

export function Dialog({
  isOpen,
  onClose,
  title,
  description,
  width = "normal",
  actions,
  holdsInput,
  children,
}: Props) {
  const t = useText();
  const popup = useRef<HTMLDivElement>(null);
  return (
    <Base.Root open={isOpen} onOpenChange={(open) => !open && onClose()} disablePointerDismissal={holdsInput ?? false}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-dialog bg-scrim transition-opacity duration-180 data-ending-style:opacity-0 data-starting-style:opacity-0" />
        <Base.Viewport className="fixed inset-0 z-dialog flex items-center justify-center overflow-y-auto p-4">
          <Base.Popup
            ref={popup}
            initialFocus={() => popup.current?.querySelector<HTMLElement>(FIRST_FIELD) ?? popup.current}
            className={classes(
              "flex max-h-full w-full flex-col rounded-dialog border border-line bg-s1 shadow-float outline-none",
              "transition-[opacity,translate] duration-180 data-ending-style:opacity-0 data-starting-style:translate-y-2 data-starting-style:opacity-0",
              WIDTHS[width],
            )}
          >
            <header className="flex items-start gap-3 px-6 pt-5 pb-3">
              <div className="min-w-0 flex-1">
                <Base.Title className="text-title font-semibold text-t1">{title}</Base.Title>
                {description && <Base.Description className="mt-1 text-body text-t2">{description}</Base.Description>}
              </div>
              <Base.Close render={<IconButton label={t("common.close")} icon={<X aria-hidden="true" size={18} />} />} />
            </header>
            {children && <div className="min-h-0 flex-1 overflow-y-auto px-6 py-2">{children}</div>}
            {actions && <footer className="flex flex-wrap justify-end gap-2 px-6 pt-3 pb-5">{actions}</footer>}
          </Base.Popup>
        </Base.Viewport>
      </Base.Portal>
    </Base.Root>
  );
}
