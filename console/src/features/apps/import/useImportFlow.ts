import { useCallback, useState } from "react";
import type { ImportResult } from "@/shared/api/types";
import { useConfirmImport, useImportApp } from "../api";

export type Source = { name: string; content: string };

/** The largest file that is sent at all; the server has the last word. */
const MAX_BYTES = 20 * 1024 * 1024;

export type ImportFlow = {
  /** "choose" a file, wait for the answer, "confirm" a newer version, read the "report". */
  step: "closed" | "choose" | "busy" | "confirm" | "report" | "failed";
  source: Source | null;
  result: ImportResult | null;
  error: unknown;
  isTooLarge: boolean;
  open: () => void;
  close: () => void;
  importText: (source: Source) => void;
  importFile: (file: File) => Promise<void>;
  confirm: () => void;
};

/** One import from choosing the file to the report. `appId` names an app whose draft the file replaces. */
export function useImportFlow(appId?: string): ImportFlow {
  const [isOpen, setIsOpen] = useState(false);
  const [source, setSource] = useState<Source | null>(null);
  const [isTooLarge, setIsTooLarge] = useState(false);
  const start = useImportApp();
  const accept = useConfirmImport();
  const { mutate: send, reset: resetStart } = start;
  const { mutate: sendConfirm, reset: resetAccept } = accept;

  const reset = useCallback(() => {
    resetStart();
    resetAccept();
    setSource(null);
    setIsTooLarge(false);
  }, [resetStart, resetAccept]);

  const open = useCallback(() => {
    reset();
    setIsOpen(true);
  }, [reset]);

  const importText = useCallback(
    (next: Source) => {
      reset();
      setIsOpen(true);
      setSource(next);
      send({ content: next.content, ...(appId && { app_id: appId }) });
    },
    [reset, send, appId],
  );

  const importFile = useCallback(
    async (file: File) => {
      if (file.size <= MAX_BYTES) return importText({ name: file.name, content: await file.text() });
      reset();
      setSource({ name: file.name, content: "" });
      setIsTooLarge(true);
      setIsOpen(true);
    },
    [importText, reset],
  );

  const result = accept.data ?? start.data ?? null;
  const importId = result?.import_id;
  const confirm = useCallback(() => {
    if (importId) sendConfirm(importId);
  }, [importId, sendConfirm]);

  const error = accept.error ?? start.error;
  return {
    step: isOpen ? stepOf(result, error, start.isPending || accept.isPending, isTooLarge) : "closed",
    source,
    result,
    error,
    isTooLarge,
    open,
    close: useCallback(() => setIsOpen(false), []),
    importText,
    importFile,
    confirm,
  };
}

function stepOf(result: ImportResult | null, error: unknown, isBusy: boolean, isTooLarge: boolean): ImportFlow["step"] {
  if (isBusy) return "busy";
  if (error || isTooLarge || result?.status === "failed") return "failed";
  if (!result) return "choose";
  return result.status === "pending" ? "confirm" : "report";
}
