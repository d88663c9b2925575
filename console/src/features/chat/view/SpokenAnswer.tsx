import { useSyncExternalStore } from "react";
import { isLive, type RunSession } from "@/features/runs";
import { useText } from "@/shared/i18n";

const nothing = () => () => undefined;

/** Reads an answer out to screen readers once it is whole; a growing text would be read over and over. */
export function SpokenAnswer({ session }: { session: RunSession | null }) {
  const t = useText();
  const spoken = useSyncExternalStore(session?.subscribe ?? nothing, () => {
    const state = session?.snapshot();
    if (!state || isLive(state)) return "";
    return state.text || state.status;
  });
  return (
    <p role="status" className="sr-only">
      {spoken && t("chat.turn.spoken", { answer: spoken })}
    </p>
  );
}
