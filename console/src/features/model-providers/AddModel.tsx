import { Plus } from "lucide-react";
import { type FormEvent, useId, useState } from "react";
import { Problem } from "@/shared/api/problem";
import type { ModelProvider } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import { Button } from "@/shared/ui/Button";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { Field } from "@/shared/ui/Field";
import { Input } from "@/shared/ui/Input";
import { toast } from "@/shared/ui/Toast";
import { useAddModel } from "./api";
import { toCount } from "./toCount";

type Props = { provider: ModelProvider; suggestions: readonly string[]; onAdded: () => void };

/** Adds a model by name. The window may stay empty only for a model that the catalogue knows. */
export function AddModel({ provider, suggestions, onAdded }: Props) {
  const t = useText();
  const listId = useId();
  const has = (name: string) => provider.models.some((model) => model.name === name);
  const open = suggestions.filter((name) => !has(name));
  const [name, setName] = useState("");
  const [window, setWindow] = useState("");
  const [maxOutput, setMaxOutput] = useState("");
  const add = useAddModel(provider.id);
  const needsWindow = add.error instanceof Problem && add.error.code === "window_required";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() === "") return;
    add.mutate(
      { name: name.trim(), kind: "chat", window_tokens: toCount(window), max_output_tokens: toCount(maxOutput) },
      {
        onSuccess: (model) => {
          toast(t("models.add.done", { name: model.name }));
          setName("");
          setWindow("");
          setMaxOutput("");
          onAdded();
        },
      },
    );
  };
  return (
    <form noValidate onSubmit={submit} className="flex flex-col gap-3 border-t border-line pt-4">
      <h3 className="text-dense font-semibold text-t1">{t("models.add.title")}</h3>
      {open.length > 0 && (
        <ul aria-label={t("models.add.listed")} className="flex max-h-24 flex-wrap gap-1.5 overflow-y-auto p-0.5">
          {open.slice(0, 40).map((each) => (
            <li key={each}>
              <button
                type="button"
                onClick={() => setName(each)}
                className="h-6 rounded-chip border border-line bg-s2 px-1.5 font-mono text-label text-t2 hover:border-line-strong hover:text-t1"
              >
                {each}
              </button>
            </li>
          ))}
        </ul>
      )}
      <div className="grid gap-3 tablet:grid-cols-[2fr_1fr_1fr]">
        <Field label={t("models.add.name")} isRequired>
          <Input
            isCode
            list={listId}
            autoComplete="off"
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </Field>
        <datalist id={listId}>
          {open.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
        <Field label={t("models.add.window")} error={needsWindow ? t("errors.window_required") : null}>
          <Input
            inputMode="numeric"
            placeholder="8192"
            value={window}
            onChange={(event) => setWindow(event.target.value)}
          />
        </Field>
        <Field label={t("models.add.maxOutput")}>
          <Input inputMode="numeric" value={maxOutput} onChange={(event) => setMaxOutput(event.target.value)} />
        </Field>
      </div>
      <p className="text-label text-t3">{t("models.add.help")}</p>
      {add.error && !needsWindow && <ErrorNote error={add.error} />}
      <Button
        type="submit"
        className="self-end"
        icon={<Plus aria-hidden="true" size={16} />}
        busy={add.isPending}
        disabled={name.trim() === ""}
      >
        {t("models.add.submit")}
      </Button>
    </form>
  );
}
