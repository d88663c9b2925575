import { CircleCheck, CircleX, Trash2, Zap } from "lucide-react";
import { type FormEvent, useState } from "react";
import type { CredentialField, CredentialTest, ModelProvider } from "@/shared/api/types";
import { useLanguage, useText } from "@/shared/i18n";
import { formatNumber } from "@/shared/i18n/format";
import { Button } from "@/shared/ui/Button";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { Field } from "@/shared/ui/Field";
import { Input } from "@/shared/ui/Input";
import { toast } from "@/shared/ui/Toast";
import { useRemoveCredentials, useSaveCredentials, useTestCredentials } from "./api";
import { providerName } from "./providerName";

type Props = {
  provider: ModelProvider;
  localUrl?: string | undefined;
  onListed: (models: readonly string[]) => void;
  onSaved: () => void;
};

/** The fields the server names for this provider. A secret that is set is never shown; left empty, it stays. */
export function CredentialForm({ provider, localUrl, onListed, onSaved }: Props) {
  const t = useText();
  const language = useLanguage();
  const [values, setValues] = useState(() => initialValues(provider, localUrl));
  const [isChecked, setIsChecked] = useState(false);
  const test = useTestCredentials(provider.id);
  const save = useSaveCredentials(provider.id);
  const remove = useRemoveCredentials(provider.id);
  const isMissing = (field: CredentialField) =>
    field.is_required && !values[field.name]?.trim() && !(field.kind === "secret" && provider.is_configured);
  const isComplete = !provider.fields.some(isMissing);

  const runTest = () => {
    setIsChecked(true);
    if (isComplete) test.mutate({ credentials: values }, { onSuccess: (result) => onListed(result.models) });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setIsChecked(true);
    if (!isComplete) return;
    save.mutate(values, {
      onSuccess: () => {
        toast(t("models.dialog.saved", { name: providerName(provider, language) }));
        onSaved();
      },
    });
  };
  return (
    <form noValidate onSubmit={submit} className="flex flex-col gap-4">
      {provider.fields.map((field) => (
        <Field
          key={field.name}
          label={field.label[language] ?? field.label.en ?? field.name}
          isRequired={field.is_required}
          error={isChecked && isMissing(field) ? t("models.dialog.missing") : null}
        >
          <Input
            isCode
            type={field.kind === "secret" ? "password" : "text"}
            autoComplete="off"
            placeholder={placeholderOf(field)}
            value={values[field.name] ?? ""}
            onChange={(event) => {
              setValues({ ...values, [field.name]: event.target.value });
              test.reset();
            }}
          />
        </Field>
      ))}
      {test.data && <TestResult result={test.data} />}
      {test.error && <ErrorNote error={test.error} />}
      {save.error && <ErrorNote error={save.error} />}
      {remove.error && <ErrorNote error={remove.error} />}
      <div className="flex flex-wrap items-center gap-2">
        {provider.is_configured && (
          <Button
            look="quiet"
            icon={<Trash2 aria-hidden="true" size={16} />}
            busy={remove.isPending}
            onClick={() => remove.mutate(undefined)}
          >
            {t("models.dialog.remove")}
          </Button>
        )}
        <span className="flex-1" />
        <Button icon={<Zap aria-hidden="true" size={16} />} busy={test.isPending} onClick={runTest}>
          {t("models.dialog.test")}
        </Button>
        <Button type="submit" look="primary" busy={save.isPending}>
          {t("common.save")}
        </Button>
      </div>
    </form>
  );

  function placeholderOf(field: CredentialField): string {
    if (field.kind !== "secret" || !provider.is_configured) return field.placeholder;
    return provider.credential_hint
      ? t("models.dialog.setEnding", { hint: provider.credential_hint })
      : t("models.dialog.set");
  }
}

function TestResult({ result }: { result: CredentialTest }) {
  const t = useText();
  const latency = formatNumber(result.latency_ms, { style: "unit", unit: "millisecond", maximumFractionDigits: 0 });
  return (
    <div role="status" className="flex items-start gap-2.5 rounded-card border border-line bg-s2 px-3 py-2.5 text-body">
      {result.ok ? (
        <CircleCheck aria-hidden="true" size={18} className="mt-px shrink-0 text-ok" />
      ) : (
        <CircleX aria-hidden="true" size={18} className="mt-px shrink-0 text-err" />
      )}
      <div className="min-w-0 flex-1">
        <p className="font-medium text-t1">
          {result.ok ? t("models.dialog.works", { latency }) : t("models.dialog.fails")}
        </p>
        {!result.ok && result.message && <p className="break-words text-t2">{result.message}</p>}
        {result.ok && result.models.length > 0 && (
          <p className="text-t2">{t("models.dialog.listed", { count: result.models.length })}</p>
        )}
      </div>
    </div>
  );
}

function initialValues(provider: ModelProvider, localUrl: string | undefined): Record<string, string> {
  const entries = provider.fields.map((field) => {
    const isAddress = field.name.includes("url");
    return [field.name, (isAddress && localUrl) || field.default] as const;
  });
  return Object.fromEntries(entries);
}
