import { useInfiniteQuery } from "@tanstack/react-query";
import { Ellipsis, Pencil, SquarePen, Trash2 } from "lucide-react";
import { useState } from "react";
import type { Conversation } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import { formatRelative } from "@/shared/i18n/format";
import { classes } from "@/shared/lib/classes";
import { Button } from "@/shared/ui/Button";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { IconButton } from "@/shared/ui/IconButton";
import { Menu, MenuItem } from "@/shared/ui/Menu";
import { Skeleton } from "@/shared/ui/Skeleton";
import { conversationsQuery } from "../api";
import { DeleteConversation, RenameConversation } from "./ConversationDialogs";

type Props = { appId: string; chosenId: string | null; onChoose: (id: string | null) => void };

/** The conversations with an app, the latest first. */
export function ConversationList({ appId, chosenId, onChoose }: Props) {
  const t = useText();
  const list = useInfiniteQuery(conversationsQuery(appId));
  const [renamed, setRenamed] = useState<Conversation | null>(null);
  const [deleted, setDeleted] = useState<Conversation | null>(null);
  const conversations = list.data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <nav aria-label={t("chat.conversations.title")} className="flex h-full min-h-0 flex-col gap-2 p-3">
      <Button
        icon={<SquarePen aria-hidden="true" size={16} />}
        onClick={() => onChoose(null)}
        aria-current={chosenId === null || undefined}
      >
        {t("chat.conversations.new")}
      </Button>
      {list.isPending && <Skeleton lines={4} className="p-2" />}
      {list.isError && <ErrorNote error={list.error} onRetry={list.refetch} />}
      {list.data && conversations.length === 0 && (
        <p className="px-2 py-1 text-dense text-t3">{t("chat.conversations.none")}</p>
      )}
      <ul className="-mx-1 flex min-h-0 flex-1 flex-col gap-0.5 overflow-y-auto px-1">
        {conversations.map((conversation) => (
          <Entry
            key={conversation.id}
            conversation={conversation}
            isChosen={conversation.id === chosenId}
            onChoose={onChoose}
            onRename={() => setRenamed(conversation)}
            onDelete={() => setDeleted(conversation)}
          />
        ))}
        {list.hasNextPage && (
          <li>
            <Button size="compact" look="quiet" busy={list.isFetchingNextPage} onClick={() => list.fetchNextPage()}>
              {t("chat.conversations.more")}
            </Button>
          </li>
        )}
      </ul>
      {renamed && <RenameConversation appId={appId} conversation={renamed} onClose={() => setRenamed(null)} />}
      {deleted && (
        <DeleteConversation
          appId={appId}
          conversation={deleted}
          onClose={() => setDeleted(null)}
          onDeleted={() => deleted.id === chosenId && onChoose(null)}
        />
      )}
    </nav>
  );
}

type EntryProps = {
  conversation: Conversation;
  isChosen: boolean;
  onChoose: (id: string) => void;
  onRename: () => void;
  onDelete: () => void;
};

function Entry({ conversation, isChosen, onChoose, onRename, onDelete }: EntryProps) {
  const t = useText();
  const name = conversation.name || t("chat.conversations.unnamed");
  return (
    <li className={classes("group flex items-center rounded-control", isChosen ? "bg-accent-soft" : "hover:bg-s2")}>
      <button
        type="button"
        aria-current={isChosen || undefined}
        onClick={() => onChoose(conversation.id)}
        className="min-w-0 flex-1 rounded-control px-2 py-1.5 text-start -outline-offset-2"
      >
        <span className="block truncate text-dense text-t1" title={name}>
          {name}
        </span>
        <span className="block truncate text-label text-t3">
          {formatRelative(new Date(conversation.updated_at * 1000).toISOString())}
        </span>
      </button>
      <Menu
        trigger={
          <IconButton
            size="compact"
            label={t("chat.conversations.actions", { name })}
            icon={<Ellipsis aria-hidden="true" size={16} />}
            className="me-1 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 aria-expanded:opacity-100"
          />
        }
      >
        <MenuItem icon={<Pencil aria-hidden="true" size={16} />} onSelect={onRename}>
          {t("chat.conversations.rename")}
        </MenuItem>
        <MenuItem icon={<Trash2 aria-hidden="true" size={16} />} isDanger onSelect={onDelete}>
          {t("common.delete")}
        </MenuItem>
      </Menu>
    </li>
  );
}
