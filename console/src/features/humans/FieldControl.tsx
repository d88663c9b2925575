import { useText } from "@/shared/i18n";
import { Field } from "@/shared/ui/Field";
import { Select } from "@/shared/ui/Select";
import { TextArea } from "@/shared/ui/TextArea";
import { FileField } from "./FileField";
import { type FieldValue, type FormField, isFileField } from "./form";

type Props = {
  token: string;
  field: FormField;
  value: FieldValue;
  isMissing: boolean;
  onChange: (value: FieldValue) => void;
  /** Called with 1 when an upload begins and -1 when it ends. */
  onUploading: (step: 1 | -1) => void;
};

/** One field of a form, by its type. */
export function FieldControl({ token, field, value, isMissing, onChange, onUploading }: Props) {
  const t = useText();
  const isRequired = field.type === "select" || field.type === "file";
  return (
    <Field
      label={field.output_variable_name}
      isRequired={isRequired}
      error={isMissing ? t(field.type === "select" ? "humans.field.choose" : "humans.field.addFile") : null}
    >
      {isFileField(field) && typeof value !== "string" ? (
        <FileField token={token} field={field} files={value} onChange={onChange} onUploading={onUploading} />
      ) : field.type === "select" ? (
        <Select
          options={(field.option_source?.value ?? []).map((option) => ({ value: option, label: option }))}
          value={typeof value === "string" && value ? value : null}
          placeholder={t("humans.field.placeholder")}
          onChange={onChange}
        />
      ) : (
        <TextArea
          value={typeof value === "string" ? value : ""}
          rows={4}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
