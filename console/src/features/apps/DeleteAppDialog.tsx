import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { App } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import { Button } from "@/shared/ui/Button";
import { Dialog } from "@/shared/ui/Dialog";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { Field } from "@/shared/ui/Field";
import { Input } from "@/shared/ui/Input";
import { toast } from "@/shared/ui/Toast";
import { useDeleteApp } from "./api";

/** Deletes an app after its name was typed: with it go its runs, conversations and keys. */
export function DeleteAppDialog({ app, onClose }: { app: App; onClose: () => void }) {
  const t = useText();
  const navigate = useNavigate();
  const [typed, setTyped] = useState("");
  const remove = useDeleteApp(async () => {
    onClose();
    toast(t("apps.delete.done", { name: app.name }));
    await navigate({ to: "/apps" });
  });
  const isNamed = typed.trim() === app.name.trim();
  return (
    <Dialog
      isOpen
      onClose={onClose}
      width="narrow"
      title={t("apps.delete.title")}
      description={t("apps.delete.text", { name: app.name })}
      actions={
        <>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button type="submit" form="delete-app" look="danger" disabled={!isNamed} busy={remove.isPending}>
            {t("apps.delete.confirm")}
          </Button>
        </>
      }
    >
      <form
        id="delete-app"
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (isNamed) remove.mutate(app.id);
        }}
      >
        <Field label={t("apps.delete.label", { name: app.name })}>
          <Input autoComplete="off" value={typed} onChange={(event) => setTyped(event.target.value)} />
        </Field>
        {remove.error && <ErrorNote error={remove.error} />}
      </form>
    </Dialog>
  );
}
