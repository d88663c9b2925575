import { FileText, Image, X } from "lucide-react";
import { useText } from "@/shared/i18n";

type Shown = { id: string; name: string; kind: string };

/** Names of files that go with a question; with `onRemove` they can be taken away again. */
export function FileChips({ files, onRemove }: { files: readonly Shown[]; onRemove?: (id: string) => void }) {
  const t = useText();
  if (files.length === 0) return null;
  return (
    <ul className="flex flex-wrap gap-1.5 px-1 pb-2" aria-label={t("chat.files.list")}>
      {files.map((file) => {
        const Icon = file.kind === "image" ? Image : FileText;
        return (
          <li
            key={file.id}
            className="inline-flex h-7 max-w-60 items-center gap-1.5 rounded-chip border border-line bg-s2 px-2 text-label text-t2"
          >
            <Icon aria-hidden="true" size={14} className="shrink-0" />
            <span className="truncate" title={file.name}>
              {file.name}
            </span>
            {onRemove && (
              <button
                type="button"
                aria-label={t("chat.files.remove", { name: file.name })}
                onClick={() => onRemove(file.id)}
                className="-me-1 inline-flex size-6 items-center justify-center rounded-chip hover:text-t1"
              >
                <X aria-hidden="true" size={14} />
              </button>
            )}
          </li>
        );
      })}
    </ul>
  );
}
