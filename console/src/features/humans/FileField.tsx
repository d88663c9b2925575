import { FileText, Paperclip, X } from "lucide-react";
import { useRef, useState } from "react";
import { problemText } from "@/shared/api/problem";
import { useText } from "@/shared/i18n";
import { Button } from "@/shared/ui/Button";
import { useFieldIds } from "@/shared/ui/Field";
import { IconButton } from "@/shared/ui/IconButton";
import { uploadFile } from "./api";
import type { FormField, SentFile } from "./form";

const SERVER_LIMIT = 10;

type Props = {
  token: string;
  field: FormField;
  files: readonly SentFile[];
  onChange: (files: readonly SentFile[]) => void;
  onUploading: (step: 1 | -1) => void;
};

/** The files of one field: added one by one, and taken away again. */
export function FileField({ token, field, files, onChange, onUploading }: Props) {
  const t = useText();
  const ids = useFieldIds();
  const input = useRef<HTMLInputElement>(null);
  const [error, setError] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const limit = field.type === "file" ? 1 : (field.number_limits ?? SERVER_LIMIT);

  const add = async (picked: readonly File[]) => {
    const room = limit - files.length;
    setError(picked.length > room ? t("humans.field.tooMany", { count: limit }) : null);
    setIsBusy(true);
    onUploading(1);
    let all = files;
    for (const file of picked.slice(0, room)) {
      try {
        all = [...all, await uploadFile(token, file)];
        onChange(all);
      } catch (problem) {
        setError(t("humans.field.failed", { name: file.name, reason: problemText(t, problem) }));
      }
    }
    onUploading(-1);
    setIsBusy(false);
  };

  return (
    <div className="flex flex-col items-start gap-2">
      {files.length > 0 && (
        <ul className="flex w-full flex-col gap-1">
          {files.map((file) => (
            <li key={file.id} className="flex items-center gap-2 text-dense text-t2">
              <FileText aria-hidden="true" size={16} className="shrink-0" />
              <span className="min-w-0 flex-1 truncate">{file.name}</span>
              <IconButton
                label={t("humans.field.remove", { name: file.name })}
                icon={<X aria-hidden="true" size={16} />}
                size="compact"
                onClick={() => onChange(files.filter((each) => each.id !== file.id))}
              />
            </li>
          ))}
        </ul>
      )}
      <Button
        aria-describedby={ids?.describedBy}
        icon={<Paperclip aria-hidden="true" size={16} />}
        busy={isBusy}
        disabled={files.length >= limit}
        onClick={() => input.current?.click()}
      >
        {t("humans.field.add", { count: limit })}
      </Button>
      <input
        ref={input}
        id={ids?.id}
        type="file"
        hidden
        multiple={limit > 1}
        onChange={(event) => {
          void add([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
      {error && (
        <p role="alert" className="text-label text-err">
          {error}
        </p>
      )}
    </div>
  );
}
