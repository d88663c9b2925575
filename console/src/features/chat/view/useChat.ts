import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { chatSession, conversationsQuery } from "../api";
import type { ChatFile } from "../model/files";
import { addTurn, dropThread, type LiveTurn, moveThread, threadKey, useLiveTurns } from "../model/liveTurns";
import { useIsBusy } from "./useIsBusy";

// `crypto.randomUUID` exists on secure origins only; a server in the local network is none.
let asked = 0;
/** The server names a new conversation after its first answer, which takes a model call. */
const NAMING_MS = 3000;

const NONE: readonly LiveTurn[] = [];

/** Asking in one conversation. `onNamed` is called when the server has given a new conversation its id. */
export function useChat(appId: string, conversationId: string | null, onNamed: (id: string) => void) {
  const queryClient = useQueryClient();
  const key = threadKey(appId, conversationId);
  const live = useLiveTurns(({ threads }) => threads[key]) ?? NONE;
  const current = live.at(-1)?.session;
  const isBusy = useIsBusy(current);
  // The stream outlives the render that opened it; by then the reader may be elsewhere.
  const shownKey = useRef<string | null>(key);
  useEffect(() => {
    shownKey.current = key;
    return () => {
      shownKey.current = null;
    };
  }, [key]);

  const ask = (query: string, inputs: Record<string, unknown>, files: readonly ChatFile[]) => {
    if (isBusy) return;
    asked += 1;
    const session = chatSession(appId, { query, inputs, files, conversationId });
    addTurn(key, { key: `turn-${asked}`, query, files, session });
    const refreshList = () => void queryClient.invalidateQueries({ queryKey: conversationsQuery(appId).queryKey });
    let isNamed = conversationId !== null;
    void session
      .follow((state) => {
        if (isNamed || !state.conversationId) return;
        isNamed = true;
        moveThread(key, threadKey(appId, state.conversationId));
        if (shownKey.current === key) onNamed(state.conversationId);
        refreshList();
      })
      .then(() => {
        refreshList();
        void queryClient.invalidateQueries({ queryKey: ["runs", appId] });
        if (conversationId === null) setTimeout(refreshList, NAMING_MS);
      });
  };

  return {
    live,
    isBusy,
    ask,
    stop: () => current?.stop(),
    /** A conversation that failed before it got an id is not kept. */
    startNew: () => dropThread(threadKey(appId, null)),
  };
}
