import { useRef, useState } from "react";
import { problemText } from "@/shared/api/problem";
import { useText } from "@/shared/i18n";
import { uploadFile } from "../api";
import type { ChatFile } from "../model/files";

/** Files on their way to the server and those that have arrived, up to `limit`. */
export function useUploads(appId: string, limit: number, onChange?: (files: ChatFile[]) => void) {
  const t = useText();
  const [files, setFiles] = useState<ChatFile[]>([]);
  const [waiting, setWaiting] = useState(0);
  const [error, setError] = useState<string | null>(null);
  // Uploads end one by one, in renders long after the one that began them.
  const latest = useRef(files);

  const change = (next: ChatFile[]) => {
    latest.current = next;
    setFiles(next);
    onChange?.(next);
  };

  const add = async (picked: readonly File[]) => {
    const room = Math.max(0, limit - files.length - waiting);
    setError(picked.length > room ? t("chat.files.tooMany", { count: limit }) : null);
    const accepted = picked.slice(0, room);
    setWaiting((before) => before + accepted.length);
    for (const file of accepted) {
      try {
        change([...latest.current, await uploadFile(appId, file)]);
      } catch (problem) {
        setError(t("chat.files.failed", { name: file.name, reason: problemText(t, problem) }));
      }
      setWaiting((before) => before - 1);
    }
  };

  return {
    files,
    error,
    isUploading: waiting > 0,
    isFull: files.length + waiting >= limit,
    add,
    remove: (id: string) => change(files.filter((file) => file.id !== id)),
    clear: () => change([]),
  };
}
