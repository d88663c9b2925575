import { useText } from "@/shared/i18n";
import { DropOverlay } from "../import/DropOverlay";
import { ImportDialog } from "../import/ImportDialog";
import { useFileDrop } from "../import/useFileDrop";
import { useImportFlow } from "../import/useImportFlow";
import { FirstApp } from "./FirstApp";

/** The ways to a first app, with the import that some of them need; for the last step of the first run. */
export function NewApp() {
  const t = useText();
  const flow = useImportFlow();
  const isDragging = useFileDrop(
    (file) => void flow.importFile(file),
    (content) => flow.importText({ name: t("apps.import.pasted"), content }),
  );
  return (
    <>
      <FirstApp onImport={flow.open} />
      <ImportDialog flow={flow} />
      {isDragging && <DropOverlay />}
    </>
  );
}
