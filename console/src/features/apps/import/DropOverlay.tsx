import { FileDown } from "lucide-react";
import { createPortal } from "react-dom";
import { useText } from "@/shared/i18n";

/** Covers the page while a file is dragged over it. */
export function DropOverlay() {
  const t = useText();
  return createPortal(
    <div className="pointer-events-none fixed inset-0 z-toast bg-scrim p-6">
      <div className="flex h-full flex-col items-center justify-center gap-3 rounded-dialog border-2 border-dashed border-accent bg-s1 text-center">
        <FileDown aria-hidden="true" size={40} strokeWidth={1.5} className="text-accent" />
        <p className="text-title font-semibold text-t1">{t("apps.import.drop")}</p>
        <p className="text-body text-t2">{t("apps.import.dropHint")}</p>
      </div>
    </div>,
    document.body,
  );
}
