import { create } from "zustand";
import type { RunSession } from "@/features/runs";
import type { ChatFile } from "./files";

/** A question asked in this page, with the run that answers it. */
export type LiveTurn = { key: string; query: string; files: readonly ChatFile[]; session: RunSession };

type Threads = Readonly<Record<string, readonly LiveTurn[]>>;

/** Turns asked since the page was opened, by conversation. They outlive the view, so a stream goes on in the background. */
export const useLiveTurns = create<{
  threads: Threads;
  /** Conversations that began in this page: all their turns are here, and the record has nothing to add. */
  begunHere: ReadonlySet<string>;
}>(() => ({ threads: {}, begunHere: new Set() }));

/** A conversation has no id before the server answers. */
export function threadKey(appId: string, conversationId: string | null): string {
  return `${appId}/${conversationId ?? "new"}`;
}

export function addTurn(key: string, turn: LiveTurn): void {
  useLiveTurns.setState(({ threads }) => ({ threads: { ...threads, [key]: [...(threads[key] ?? []), turn] } }));
}

/** The server gave the conversation its id: its turns follow. */
export function moveThread(from: string, to: string): void {
  useLiveTurns.setState(({ threads, begunHere }) => {
    const { [from]: turns, ...rest } = threads;
    if (!turns) return { threads };
    return { threads: { ...rest, [to]: [...(rest[to] ?? []), ...turns] }, begunHere: new Set([...begunHere, to]) };
  });
}

export function dropThread(key: string): void {
  useLiveTurns.setState(({ threads }) => {
    const { [key]: _, ...rest } = threads;
    return { threads: rest };
  });
}
