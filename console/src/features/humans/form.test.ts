import { describe, expect, it } from "vitest";
import { firstValues, formSchema, missingFields, partsOf, sentValues } from "./form";

const form = formSchema.parse({
  form_content: "Read this.\n\n{{#$output.comment#}}\n\nThen choose.",
  inputs: [
    { type: "select", output_variable_name: "color", option_source: { type: "constant", value: ["red", "blue"] } },
    { type: "paragraph", output_variable_name: "comment", default: { type: "constant", value: "Fine" } },
    { type: "file", output_variable_name: "paper" },
    { type: "file-list", output_variable_name: "pages" },
  ],
  resolved_default_values: { comment: "Fine" },
  user_actions: [{ id: "yes", title: "Yes", button_style: "primary" }],
  expiration_time: 1_800_000_000,
  site: { title: "App", icon: "🤖", icon_background: "#FFEAD5", icon_type: "emoji" },
});

describe("a form", () => {
  it("has its fields where the text names them, and the others after it", () => {
    const shown = partsOf(form).map((part) => (part.kind === "text" ? part.text.trim() : part.field));

    expect(shown.map((part) => (typeof part === "string" ? part : part.output_variable_name))).toEqual([
      "Read this.",
      "comment",
      "Then choose.",
      "color",
      "paper",
      "pages",
    ]);
  });

  it("names a field once even if its text does so twice", () => {
    const twice = { ...form, form_content: "{{#$output.color#}} {{#$output.color#}} {{#$output.unknown#}}" };

    const names = partsOf(twice).map((part) => (part.kind === "field" ? part.field.output_variable_name : part.text));

    expect(names).toEqual(["color", "comment", "paper", "pages"]);
  });

  it("begins with its defaults and asks for a choice and a file", () => {
    const values = firstValues(form);

    expect(values).toEqual({ color: "", comment: "Fine", paper: [], pages: [] });
    expect(missingFields(form, values)).toEqual(["color", "paper"]);
    expect(missingFields(form, { ...values, color: "red", paper: [{ id: "f", name: "a.pdf" }] })).toEqual([]);
  });

  it("sends texts as they are and files by their ids", () => {
    const file = { id: "f", name: "a.pdf" };

    expect(sentValues(form, { color: "red", comment: "", paper: [file], pages: [file, file] })).toEqual({
      color: "red",
      comment: "",
      paper: { transfer_method: "local_file", upload_file_id: "f" },
      pages: [
        { transfer_method: "local_file", upload_file_id: "f" },
        { transfer_method: "local_file", upload_file_id: "f" },
      ],
    });
  });
});
