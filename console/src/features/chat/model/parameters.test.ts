import { expect, test } from "vitest";
import { acceptOf, kindOfFile } from "./files";
import { initialValues, problemOfInput, toInputs } from "./inputs";
import { toParameters } from "./parameters";

const PARAMETERS = toParameters({
  opening_statement: "Hello",
  suggested_questions: ["What?", ""],
  user_input_form: [
    { "text-input": { label: "Name", variable: "name", required: true, default: "Ada", max_length: 5 } },
    { paragraph: { label: "Text", variable: "text", required: false, default: "" } },
    { select: { label: "Tone", variable: "tone", required: true, options: ["calm", "lively"] } },
    { number: { label: "Count", variable: "count", required: false } },
    { checkbox: { label: "Loud", variable: "loud", required: false, default: true } },
    { json_object: { label: "Extra", variable: "extra", required: false } },
    { file: { label: "Paper", variable: "paper", required: true, allowed_file_types: ["document"] } },
    { hologram: { label: "Later", variable: "later" } },
    { "text-input": { label: "Hidden", variable: "hidden", hide: true } },
  ],
  file_upload: { image: { enabled: true, number_limits: 2 } },
});
const { fields } = PARAMETERS;
const file = { id: "f1", name: "a.pdf", kind: "document", sizeBytes: 10 } as const;

function fieldOf(name: string) {
  const field = fields.find((each) => each.name === name);
  if (!field) throw new Error(name);
  return field;
}

test("the form has the fields we know, in order, without hidden ones", () => {
  expect(fields.map((field) => field.name)).toEqual(["name", "text", "tone", "count", "loud", "extra", "paper"]);
  expect(PARAMETERS.suggestions).toEqual(["What?"]);
});

test("an app that takes pictures takes only pictures", () => {
  expect(PARAMETERS.upload).toMatchObject({ types: ["image"], limit: 2 });
  expect(toParameters({ file_upload: { enabled: false, image: { enabled: false } } }).upload).toBeNull();
});

test("the form begins with the app's defaults", () => {
  expect(initialValues(fields)).toMatchObject({ name: "Ada", loud: true, paper: [] });
});

test("a value is refused when it is missing, too long, no number or no JSON", () => {
  expect(problemOfInput(fieldOf("name"), " ")).toBe("required");
  expect(problemOfInput(fieldOf("name"), "Augusta")).toBe("tooLong");
  expect(problemOfInput(fieldOf("count"), "12x")).toBe("notANumber");
  expect(problemOfInput(fieldOf("extra"), "{")).toBe("notJson");
  expect(problemOfInput(fieldOf("paper"), [])).toBe("required");
  expect(problemOfInput(fieldOf("paper"), [file])).toBeNull();
  expect(problemOfInput(fieldOf("count"), "0.5")).toBeNull();
});

test("inputs are sent with their types, and empty ones not at all", () => {
  const inputs = toInputs(fields, {
    name: "Ada",
    text: "",
    tone: "calm",
    count: "3",
    loud: false,
    extra: '{"a":1}',
    paper: [file],
  });

  expect(inputs).toEqual({
    name: "Ada",
    tone: "calm",
    count: 3,
    loud: false,
    extra: { a: 1 },
    paper: { type: "document", transfer_method: "local_file", upload_file_id: "f1" },
  });
});

test("the kind of a file follows its ending", () => {
  expect(kindOfFile("Photo.JPEG")).toBe("image");
  expect(kindOfFile("report.pdf")).toBe("document");
  expect(kindOfFile("data.xyz")).toBe("custom");
  expect(acceptOf({ types: ["image"], extensions: [".XYZ"], limit: 1 })).toBe(".jpg,.jpeg,.png,.webp,.gif,.svg,.xyz");
});
