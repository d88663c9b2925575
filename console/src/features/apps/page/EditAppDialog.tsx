import { useState } from "react";
import type { App } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import { Button } from "@/shared/ui/Button";
import { Dialog } from "@/shared/ui/Dialog";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { Field } from "@/shared/ui/Field";
import { Input } from "@/shared/ui/Input";
import { TextArea } from "@/shared/ui/TextArea";
import { useUpdateApp } from "../api";

export function EditAppDialog({ app, onClose }: { app: App; onClose: () => void }) {
  const t = useText();
  const [name, setName] = useState(app.name);
  const [description, setDescription] = useState(app.description);
  const update = useUpdateApp(app.id);
  const isEmpty = name.trim() === "";
  return (
    <Dialog
      isOpen
      onClose={onClose}
      width="narrow"
      title={t("apps.actions.edit")}
      holdsInput
      actions={
        <>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button type="submit" form="edit-app" look="primary" disabled={isEmpty} busy={update.isPending}>
            {t("common.save")}
          </Button>
        </>
      }
    >
      <form
        id="edit-app"
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          update.mutate({ name: name.trim(), description }, { onSuccess: onClose });
        }}
      >
        <Field label={t("common.name")} isRequired>
          <Input maxLength={255} value={name} onChange={(event) => setName(event.target.value)} />
        </Field>
        <Field label={t("apps.edit.description")}>
          <TextArea rows={3} value={description} onChange={(event) => setDescription(event.target.value)} />
        </Field>
        {update.error && <ErrorNote error={update.error} />}
      </form>
    </Dialog>
  );
}
