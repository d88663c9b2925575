import { useState } from "react";
import { type InputValue, type InputValues, problemOfInput } from "../model/inputs";
import type { InputField } from "../model/parameters";
import { InputControl } from "./InputControl";

type Props = {
  appId: string;
  fields: readonly InputField[];
  values: InputValues;
  /** Show every problem, also of fields that were not visited: set when a run was refused for them. */
  isChecked: boolean;
  onChange: (values: InputValues) => void;
};

/** The form an app asks for before it starts. Fields are checked when they are left, and then as they change. */
export function InputsForm({ appId, fields, values, isChecked, onChange }: Props) {
  const [visited, setVisited] = useState<ReadonlySet<string>>(new Set());
  return (
    <div className="flex flex-col gap-4">
      {fields.map((field) => (
        <InputControl
          key={field.name}
          appId={appId}
          field={field}
          value={values[field.name]}
          problem={isChecked || visited.has(field.name) ? problemOfInput(field, values[field.name]) : null}
          onChange={(value: InputValue) => onChange({ ...values, [field.name]: value })}
          onLeave={() => setVisited(new Set([...visited, field.name]))}
        />
      ))}
    </div>
  );
}
