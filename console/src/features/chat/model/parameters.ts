export const INPUT_KINDS = [
  "text-input",
  "paragraph",
  "select",
  "number",
  "checkbox",
  "file",
  "file-list",
  "json_object",
] as const;
export type InputKind = (typeof INPUT_KINDS)[number];

export type UploadRules = { types: string[]; extensions: string[]; limit: number };

/** One field of the form that an app asks for before it starts. */
export type InputField = {
  kind: InputKind;
  name: string;
  label: string;
  help: string;
  isRequired: boolean;
  initial: string;
  maxLength: number | null;
  options: string[];
  upload: UploadRules;
};

/** What an app asks its users and offers them, from the `/parameters` of the Service API. */
export type Parameters = {
  opening: string;
  suggestions: string[];
  fields: InputField[];
  upload: UploadRules | null;
};

type Unknown = Record<string, unknown>;

function record(value: unknown): Unknown {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function text(value: unknown): string {
  return typeof value === "string"
    ? value
    : typeof value === "number" || typeof value === "boolean"
      ? String(value)
      : "";
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

function count(value: unknown): number | null {
  return typeof value === "number" && value > 0 ? value : null;
}

function isInputKind(kind: string): kind is InputKind {
  return INPUT_KINDS.some((known) => known === kind);
}

function rules(value: Unknown, limit: number): UploadRules {
  return {
    types: texts(value.allowed_file_types),
    extensions: texts(value.allowed_file_extensions),
    limit: count(value.number_limits) ?? count(value.max_length) ?? limit,
  };
}

function toField(entry: unknown): InputField[] {
  const [pair] = Object.entries(record(entry));
  if (!pair) return [];
  const [kind, raw] = pair;
  const field = record(raw);
  const name = text(field.variable);
  if (!isInputKind(kind) || !name || field.hide === true) return [];
  return [
    {
      kind,
      name,
      label: text(field.label) || name,
      help: text(field.description),
      isRequired: field.required === true,
      initial: text(field.default),
      maxLength: count(field.max_length),
      options: texts(field.options),
      upload: kind === "file" ? { ...rules(field, 1), limit: 1 } : rules(field, 5),
    },
  ];
}

function toUpload(value: unknown): UploadRules | null {
  const upload = record(value);
  const image = record(upload.image);
  if (typeof upload.enabled === "boolean") return upload.enabled ? rules(upload, 3) : null;
  // Before 0.1.3 only pictures could be sent, and only `image` said so.
  return image.enabled === true ? { types: ["image"], extensions: [], limit: count(image.number_limits) ?? 3 } : null;
}

export function toParameters(body: Readonly<Unknown>): Parameters {
  return {
    opening: text(body.opening_statement),
    suggestions: texts(body.suggested_questions).filter((question) => question.trim() !== ""),
    fields: Array.isArray(body.user_input_form) ? body.user_input_form.flatMap(toField) : [],
    upload: toUpload(body.file_upload),
  };
}
