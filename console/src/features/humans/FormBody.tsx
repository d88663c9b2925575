import { useState } from "react";
import { useText } from "@/shared/i18n";
import { formatDateTime } from "@/shared/i18n/format";
import { Markdown } from "@/shared/markdown/Markdown";
import { Button, type ButtonLook } from "@/shared/ui/Button";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { useAnswer } from "./api";
import { FieldControl } from "./FieldControl";
import {
  type FieldValue,
  type FormAction,
  firstValues,
  missingFields,
  partsOf,
  sentValues,
  type WaitingForm,
} from "./form";

const LOOKS: Readonly<Record<FormAction["button_style"], ButtonLook>> = {
  primary: "primary",
  accent: "primary",
  default: "plain",
  ghost: "quiet",
};

type Props = { token: string; form: WaitingForm; onSent: () => void; onRefused: (error: unknown) => void };

/** The text of a form with its fields in place, and a button for each action. */
export function FormBody({ token, form, onSent, onRefused }: Props) {
  const t = useText();
  const answer = useAnswer(token);
  const [values, setValues] = useState(() => firstValues(form));
  const [missing, setMissing] = useState<readonly string[]>([]);
  const [uploads, setUploads] = useState(0);

  const change = (name: string, value: FieldValue) => {
    setValues((before) => ({ ...before, [name]: value }));
    setMissing((before) => before.filter((each) => each !== name));
  };
  const send = (action: string) => {
    const left = missingFields(form, values);
    setMissing(left);
    if (left.length > 0) return;
    answer.mutate({ action, inputs: sentValues(form, values) }, { onSuccess: onSent, onError: onRefused });
  };

  return (
    <form
      noValidate
      onSubmit={(event) => event.preventDefault()}
      className="flex flex-col gap-5 rounded-dialog border border-line bg-s1 p-6"
    >
      <h2 className="sr-only">{t("humans.page.title")}</h2>
      {partsOf(form).map((part) =>
        part.kind === "text" ? (
          <Markdown key={part.text} text={part.text} />
        ) : (
          <FieldControl
            key={part.field.output_variable_name}
            token={token}
            field={part.field}
            value={values[part.field.output_variable_name] ?? ""}
            isMissing={missing.includes(part.field.output_variable_name)}
            onChange={(value) => change(part.field.output_variable_name, value)}
            onUploading={(step) => setUploads((before) => before + step)}
          />
        ),
      )}
      {answer.error && <ErrorNote error={answer.error} />}
      <div className="flex flex-wrap gap-2">
        {form.user_actions.map((action) => (
          <Button
            key={action.id}
            look={LOOKS[action.button_style]}
            disabled={uploads > 0 || (answer.isPending && answer.variables.action !== action.id)}
            busy={answer.isPending && answer.variables.action === action.id}
            onClick={() => send(action.id)}
          >
            {action.title}
          </Button>
        ))}
      </div>
      <p className="text-label text-t3">
        {t("humans.page.until", { when: formatDateTime(new Date(form.expiration_time * 1000).toISOString()) })}
      </p>
    </form>
  );
}
