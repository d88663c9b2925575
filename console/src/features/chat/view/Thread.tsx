import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { useText } from "@/shared/i18n";
import { Button } from "@/shared/ui/Button";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { Skeleton } from "@/shared/ui/Skeleton";
import { messagesQuery } from "../api";
import { type LiveTurn, threadKey, useLiveTurns } from "../model/liveTurns";
import { LiveTurnView, SavedTurnView } from "./Turns";

type Props = {
  appId: string;
  conversationId: string | null;
  live: readonly LiveTurn[];
  /** Shown before the first turn. */
  opening: ReactNode;
  onRetry: (query: string) => void;
  onEdit: (query: string) => void;
};

/** The turns of one conversation: those on record, then those asked in this page. */
export function Thread({ appId, conversationId, live, opening, onRetry, onEdit }: Props) {
  const t = useText();
  const isBegunHere = useLiveTurns(({ begunHere }) => begunHere.has(threadKey(appId, conversationId)));
  const saved = useInfiniteQuery({
    ...messagesQuery(appId, conversationId ?? ""),
    enabled: conversationId !== null && !isBegunHere,
  });
  const messages = useMemo(() => {
    const followed = new Set(live.map((turn) => turn.session.snapshot().messageId));
    const pages = saved.data?.pages.toReversed() ?? [];
    return pages.flatMap((page) => page.data).filter((message) => !followed.has(message.id));
  }, [saved.data, live]);
  const isNew = conversationId === null && live.length === 0;
  return (
    <>
      {isNew && opening}
      {saved.hasNextPage && (
        <Button size="compact" look="quiet" busy={saved.isFetchingNextPage} onClick={() => saved.fetchNextPage()}>
          {t("chat.turn.earlier")}
        </Button>
      )}
      {conversationId !== null && saved.isPending && live.length === 0 && <Skeleton lines={5} />}
      {saved.isError && live.length === 0 && <ErrorNote error={saved.error} onRetry={saved.refetch} />}
      {messages.map((message) => (
        <SavedTurnView key={message.id} message={message} appId={appId} onRetry={onRetry} onEdit={onEdit} />
      ))}
      {live.map((turn) => (
        <LiveTurnView key={turn.key} turn={turn} appId={appId} onRetry={onRetry} onEdit={onEdit} />
      ))}
    </>
  );
}
