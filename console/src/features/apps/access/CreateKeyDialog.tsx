import { type FormEvent, useState } from "react";
import { useText } from "@/shared/i18n";
import { Button } from "@/shared/ui/Button";
import { Code } from "@/shared/ui/Code";
import { Dialog } from "@/shared/ui/Dialog";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { Field } from "@/shared/ui/Field";
import { Input } from "@/shared/ui/Input";
import { Notice } from "@/shared/ui/Notice";
import { SwitchRow } from "@/shared/ui/SwitchRow";
import { useCreateKey } from "./api";

const KEY_SHAPE = "app-…";

/** Makes a key, or keeps one that clients already use, and shows the secret this one time. */
export function CreateKeyDialog({ appId, onClose }: { appId: string; onClose: () => void }) {
  const t = useText();
  const [name, setName] = useState("");
  const [isKeeping, setIsKeeping] = useState(false);
  const [value, setValue] = useState("");
  const create = useCreateKey(appId);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ name: name.trim(), ...(isKeeping && { value: value.trim() }) });
  };
  if (create.data) {
    return (
      <Dialog
        isOpen
        onClose={onClose}
        holdsInput
        title={t("access.keys.createdTitle")}
        actions={
          <Button look="primary" onClick={onClose}>
            {t("access.keys.stored")}
          </Button>
        }
      >
        <div className="flex flex-col gap-3">
          <Notice tone="warn">{t("access.keys.once")}</Notice>
          <Code label={t("access.keys.secret")} text={create.data.secret} />
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog
      isOpen
      onClose={onClose}
      holdsInput
      width="narrow"
      title={t("access.keys.create")}
      actions={
        <>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button
            type="submit"
            form="create-key"
            look="primary"
            busy={create.isPending}
            disabled={isKeeping && value.trim() === ""}
          >
            {isKeeping ? t("access.keys.keep") : t("access.keys.create")}
          </Button>
        </>
      }
    >
      <form id="create-key" noValidate onSubmit={submit} className="flex flex-col gap-4">
        <Field label={t("common.name")} help={t("access.keys.nameHelp")}>
          <Input maxLength={100} autoComplete="off" value={name} onChange={(event) => setName(event.target.value)} />
        </Field>
        <SwitchRow
          label={t("access.keys.existing")}
          help={t("access.keys.existingHelp")}
          isOn={isKeeping}
          onChange={setIsKeeping}
        />
        {isKeeping && (
          <Field label={t("access.keys.value")} isRequired>
            <Input
              isCode
              autoComplete="off"
              placeholder={KEY_SHAPE}
              value={value}
              onChange={(event) => setValue(event.target.value)}
            />
          </Field>
        )}
        {create.error && <ErrorNote error={create.error} />}
      </form>
    </Dialog>
  );
}
