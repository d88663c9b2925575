import { useText } from "@/shared/i18n";
import { Dialog } from "@/shared/ui/Dialog";
import { TemplateGrid } from "./TemplateGrid";

export function TemplateDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const t = useText();
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      width="wide"
      title={t("apps.templates.title")}
      description={t("apps.templates.text")}
    >
      <div className="pb-4">
        <TemplateGrid onDone={onClose} />
      </div>
    </Dialog>
  );
}
