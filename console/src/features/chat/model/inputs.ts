import { type ChatFile, fileReference } from "./files";
import type { InputField } from "./parameters";

/** What the reader has filled in, by field name. */
export type InputValue = string | boolean | ChatFile[];
export type InputValues = Readonly<Record<string, InputValue>>;

export type InputProblem = "required" | "tooLong" | "notANumber" | "notJson";

export function initialValues(fields: readonly InputField[]): InputValues {
  return Object.fromEntries(
    fields.map((field): [string, InputValue] => {
      if (field.kind === "checkbox") return [field.name, field.initial === "true"];
      if (field.kind === "file" || field.kind === "file-list") return [field.name, []];
      return [field.name, field.initial];
    }),
  );
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What is wrong with the value of a field, or null. */
export function problemOfInput(field: InputField, value: InputValue | undefined): InputProblem | null {
  if (Array.isArray(value)) return field.isRequired && value.length === 0 ? "required" : null;
  if (typeof value === "boolean") return null;
  const text = value ?? "";
  if (text.trim() === "") return field.isRequired ? "required" : null;
  if (field.maxLength !== null && isText(field) && text.length > field.maxLength) return "tooLong";
  if (field.kind === "number" && !Number.isFinite(Number(text))) return "notANumber";
  return field.kind === "json_object" && !isJson(text) ? "notJson" : null;
}

function isText(field: InputField): boolean {
  return field.kind === "text-input" || field.kind === "paragraph";
}

function wireValue(field: InputField, value: InputValue): unknown {
  if (typeof value === "boolean") return value;
  if (Array.isArray(value)) {
    const references = value.map(fileReference);
    return field.kind === "file" ? references[0] : references;
  }
  if (field.kind === "number") return Number(value);
  return field.kind === "json_object" ? JSON.parse(value) : value;
}

function isGiven(value: InputValue | undefined): value is InputValue {
  if (value === undefined) return false;
  return typeof value === "boolean" || value.length > 0;
}

/** The inputs as the server wants them; fields left empty are left out. */
export function toInputs(fields: readonly InputField[], values: InputValues): Record<string, unknown> {
  const inputs: Record<string, unknown> = {};
  for (const field of fields) {
    const value = values[field.name];
    if (isGiven(value)) inputs[field.name] = wireValue(field, value);
  }
  return inputs;
}
