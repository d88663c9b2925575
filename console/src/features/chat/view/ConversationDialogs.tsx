import { type SyntheticEvent, useId, useState } from "react";
import type { Conversation } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import { Button } from "@/shared/ui/Button";
import { Dialog } from "@/shared/ui/Dialog";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { Field } from "@/shared/ui/Field";
import { Input } from "@/shared/ui/Input";
import { useDeleteConversation, useRenameConversation } from "../api";
import { dropThread, threadKey } from "../model/liveTurns";

type Props = { appId: string; conversation: Conversation; onClose: () => void };

export function RenameConversation({ appId, conversation, onClose }: Props) {
  const t = useText();
  const form = useId();
  const [name, setName] = useState(conversation.name);
  const rename = useRenameConversation(appId);
  const save = (event: SyntheticEvent) => {
    event.preventDefault();
    if (name.trim() !== "") rename.mutate({ id: conversation.id, name: name.trim() }, { onSuccess: onClose });
  };
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={t("chat.conversations.renameTitle")}
      width="narrow"
      holdsInput
      actions={
        <>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button type="submit" form={form} look="primary" busy={rename.isPending}>
            {t("common.save")}
          </Button>
        </>
      }
    >
      <form id={form} onSubmit={save} className="flex flex-col gap-3">
        <Field label={t("common.name")} error={name.trim() === "" ? t("chat.conversations.nameNeeded") : null}>
          <Input value={name} maxLength={100} onChange={(event) => setName(event.target.value)} />
        </Field>
        {rename.error && <ErrorNote error={rename.error} />}
      </form>
    </Dialog>
  );
}

export function DeleteConversation({ appId, conversation, onClose, onDeleted }: Props & { onDeleted: () => void }) {
  const t = useText();
  const remove = useDeleteConversation(appId);
  const confirm = () =>
    remove.mutate(conversation.id, {
      onSuccess: () => {
        dropThread(threadKey(appId, conversation.id));
        onDeleted();
        onClose();
      },
    });
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={t("chat.conversations.deleteTitle")}
      description={t("chat.conversations.deleteText", { name: conversation.name })}
      width="narrow"
      actions={
        <>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button look="danger" busy={remove.isPending} onClick={confirm}>
            {t("common.delete")}
          </Button>
        </>
      }
    >
      {remove.error && <ErrorNote error={remove.error} />}
    </Dialog>
  );
}
