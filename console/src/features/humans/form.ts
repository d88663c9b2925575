import { z } from "zod/mini";

const field = z.object({
  type: z.enum(["paragraph", "select", "file", "file-list"]),
  output_variable_name: z.string(),
  option_source: z.optional(z.object({ value: z.array(z.string()) })),
  allowed_file_types: z.optional(z.array(z.string())),
  allowed_file_extensions: z.optional(z.array(z.string())),
  number_limits: z.optional(z.number()),
});

const action = z.object({
  id: z.string(),
  title: z.string(),
  button_style: z.enum(["primary", "default", "accent", "ghost"]),
});

/** A form as the server hands it to whoever holds its link. */
export const formSchema = z.object({
  form_content: z.string(),
  inputs: z.array(field),
  resolved_default_values: z.record(z.string(), z.string()),
  user_actions: z.array(action),
  expiration_time: z.number(),
  site: z.object({ title: z.string(), icon: z.string(), icon_background: z.string() }),
});

export type WaitingForm = z.infer<typeof formSchema>;
export type FormField = z.infer<typeof field>;
export type FormAction = z.infer<typeof action>;

/** A file that was uploaded for the answer. */
export type SentFile = { id: string; name: string };
export type FieldValue = string | readonly SentFile[];
export type FieldValues = Readonly<Record<string, FieldValue>>;

export type Part = { kind: "text"; text: string } | { kind: "field"; field: FormField };

const PLACEHOLDER = /\{\{#\$output\.([A-Za-z_][A-Za-z0-9_]*)#\}\}/;

/** The form's text with its fields where it names them; fields that it does not name come last. */
export function partsOf(form: WaitingForm): Part[] {
  const parts: Part[] = [];
  const left = new Map(form.inputs.map((each) => [each.output_variable_name, each]));
  form.form_content.split(PLACEHOLDER).forEach((piece, place) => {
    // Every second piece is the name inside a placeholder.
    if (place % 2 === 0) {
      if (piece.trim()) parts.push({ kind: "text", text: piece });
      return;
    }
    const named = left.get(piece);
    if (!named) return;
    left.delete(piece);
    parts.push({ kind: "field", field: named });
  });
  return [...parts, ...[...left.values()].map((rest): Part => ({ kind: "field", field: rest }))];
}

export function isFileField(each: FormField): boolean {
  return each.type === "file" || each.type === "file-list";
}

export function firstValues(form: WaitingForm): FieldValues {
  return Object.fromEntries(
    form.inputs.map((each) => [
      each.output_variable_name,
      isFileField(each) ? [] : (form.resolved_default_values[each.output_variable_name] ?? ""),
    ]),
  );
}

/** The fields that must be filled in before anything can be sent. */
export function missingFields(form: WaitingForm, values: FieldValues): string[] {
  return form.inputs
    .filter((each) => each.type === "select" || each.type === "file")
    .map((each) => each.output_variable_name)
    .filter((name) => (values[name] ?? "").length === 0);
}

/** The values as the server reads them. */
export function sentValues(form: WaitingForm, values: FieldValues): Record<string, unknown> {
  return Object.fromEntries(
    form.inputs.map((each) => {
      const value = values[each.output_variable_name] ?? "";
      if (typeof value === "string") return [each.output_variable_name, value];
      const files = value.map((file) => ({ transfer_method: "local_file", upload_file_id: file.id }));
      return [each.output_variable_name, each.type === "file" ? (files[0] ?? null) : files];
    }),
  );
}
