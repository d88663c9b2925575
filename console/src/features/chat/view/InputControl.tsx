import { useText } from "@/shared/i18n";
import { Field } from "@/shared/ui/Field";
import { Input } from "@/shared/ui/Input";
import { Select } from "@/shared/ui/Select";
import { Switch } from "@/shared/ui/Switch";
import { TextArea } from "@/shared/ui/TextArea";
import type { ChatFile } from "../model/files";
import type { InputProblem, InputValue } from "../model/inputs";
import type { InputField } from "../model/parameters";
import { AttachButton } from "./AttachButton";
import { FileChips } from "./FileChips";
import { useUploads } from "./useUploads";

type Props = {
  appId: string;
  field: InputField;
  value: InputValue | undefined;
  problem: InputProblem | null;
  onChange: (value: InputValue) => void;
  onLeave: () => void;
};

/** One field of an app's form, by its kind. */
export function InputControl(props: Props) {
  const t = useText();
  const { field, problem } = props;
  const error = problem && t(`chat.inputs.${problem}`, { label: field.label, max: field.maxLength ?? 0 });
  return (
    <Field label={field.label} help={field.help || undefined} error={error} isRequired={field.isRequired}>
      <Control {...props} />
    </Field>
  );
}

function Control({ appId, field, value, onChange, onLeave }: Props) {
  const t = useText();
  if (field.kind === "file" || field.kind === "file-list") {
    return <FileControl appId={appId} field={field} onChange={onChange} />;
  }
  if (field.kind === "checkbox") return <Switch isOn={value === true} onChange={onChange} />;
  const text = typeof value === "string" ? value : "";
  if (field.kind === "select") {
    return (
      <Select
        options={field.options.map((option) => ({ value: option, label: option }))}
        value={text || null}
        placeholder={t("chat.inputs.choose")}
        onChange={onChange}
      />
    );
  }
  const isLong = field.kind === "paragraph" || field.kind === "json_object";
  if (isLong) {
    return (
      <TextArea
        value={text}
        rows={5}
        isCode={field.kind === "json_object"}
        onChange={(event) => onChange(event.target.value)}
        onBlur={onLeave}
      />
    );
  }
  return (
    <Input
      value={text}
      inputMode={field.kind === "number" ? "decimal" : undefined}
      onChange={(event) => onChange(event.target.value)}
      onBlur={onLeave}
    />
  );
}

function FileControl({
  appId,
  field,
  onChange,
}: {
  appId: string;
  field: InputField;
  onChange: (files: ChatFile[]) => void;
}) {
  const uploads = useUploads(appId, field.upload.limit, onChange);
  return (
    <div className="flex flex-col items-start gap-1">
      <FileChips files={uploads.files} onRemove={uploads.remove} />
      {uploads.error && <p className="px-2 pb-1 text-label text-err">{uploads.error}</p>}
      <AttachButton
        isLabelled
        rules={field.upload}
        isBusy={uploads.isUploading}
        isFull={uploads.isFull}
        onPick={uploads.add}
      />
    </div>
  );
}
