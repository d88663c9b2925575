import { ArrowUp, Square } from "lucide-react";
import { type KeyboardEvent, type SyntheticEvent, useEffect, useRef, useState } from "react";
import { useText } from "@/shared/i18n";
import { classes } from "@/shared/lib/classes";
import type { ChatFile } from "../model/files";
import type { UploadRules } from "../model/parameters";
import { AttachButton } from "./AttachButton";
import { FileChips } from "./FileChips";
import { useUploads } from "./useUploads";

const MAX_HEIGHT = 200;

type Props = {
  appId: string;
  draft: string;
  upload: UploadRules | null;
  isBusy: boolean;
  onSend: (query: string, files: ChatFile[]) => void;
  onStop: () => void;
};

/**
 * Where a question is written. What is typed stays here, so that typing never renders the answers again. Enter sends,
 * but not while an input method is composing a word.
 */
export function Composer({ appId, draft, upload, isBusy, onSend, onStop }: Props) {
  const t = useText();
  const [text, setText] = useState(draft);
  const area = useRef<HTMLTextAreaElement>(null);
  const uploads = useUploads(appId, upload?.limit ?? 0);
  const canSend = !isBusy && text.trim() !== "" && !uploads.isUploading;

  useEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = text === "" ? "" : `${Math.min(element.scrollHeight, MAX_HEIGHT)}px`;
  }, [text]);

  const send = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!canSend) return;
    onSend(text.trim(), uploads.files);
    setText("");
    uploads.clear();
    area.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    const isComposing = event.nativeEvent.isComposing || event.keyCode === 229;
    if (event.key === "Enter" && !event.shiftKey && !isComposing) send(event);
  };

  return (
    <form
      onSubmit={send}
      className="rounded-dialog border border-line-strong bg-s1 p-2 focus-within:border-accent focus-within:outline-1 focus-within:outline-accent"
    >
      <FileChips files={uploads.files} onRemove={uploads.remove} />
      {uploads.error && <p className="px-2 pb-1 text-label text-err">{uploads.error}</p>}
      <div className="flex items-end gap-2">
        {upload && (
          <AttachButton rules={upload} isBusy={uploads.isUploading} isFull={uploads.isFull} onPick={uploads.add} />
        )}
        <textarea
          ref={area}
          rows={1}
          value={text}
          aria-label={t("chat.composer.label")}
          placeholder={t("chat.composer.placeholder")}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
          className="min-h-8 flex-1 resize-none bg-transparent px-2 py-1 text-read text-t1 outline-none placeholder:text-t3"
        />
        <SendOrStop isBusy={isBusy} canSend={canSend} onStop={onStop} />
      </div>
    </form>
  );
}

function SendOrStop({ isBusy, canSend, onStop }: { isBusy: boolean; canSend: boolean; onStop: () => void }) {
  const t = useText();
  const shape = "inline-flex h-8 shrink-0 items-center gap-1.5 rounded-control px-3 text-body font-medium";
  if (isBusy) {
    return (
      <button
        type="button"
        onClick={onStop}
        className={classes(shape, "border border-line-strong bg-s1 text-t1 hover:bg-s2")}
      >
        <Square aria-hidden="true" size={12} fill="currentColor" />
        {t("chat.composer.stop")}
      </button>
    );
  }
  return (
    <button
      type="submit"
      disabled={!canSend}
      className={classes(shape, "bg-accent text-on-accent hover:opacity-90 disabled:bg-s2 disabled:text-t3")}
    >
      <ArrowUp aria-hidden="true" size={16} />
      {t("chat.composer.send")}
    </button>
  );
}
