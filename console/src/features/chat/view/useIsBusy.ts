import { useSyncExternalStore } from "react";
import { isLive, type RunSession } from "@/features/runs";

const noListener = () => () => undefined;

/** Whether a run is going on. Changes only at its start and end, so that text arriving renders nothing here. */
export function useIsBusy(session: RunSession | null | undefined): boolean {
  return useSyncExternalStore(session?.subscribe ?? noListener, () => (session ? isLive(session.snapshot()) : false));
}
