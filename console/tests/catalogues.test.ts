import { expect, it } from "vitest";
import { list, read } from "./files";

type Tree = { [key: string]: string | Tree };

const PLURAL = /_(?:zero|one|two|few|many|other)$/;
const CJK = "\\u3400-\\u9fff";

const en = catalogue("en");
const zh = catalogue("zh-Hans");

it("both languages have the same texts", () => {
  expect(stems(zh)).toEqual(stems(en));
});

it("every text with a count has the plural forms its language needs", () => {
  const forms = (texts: Map<string, string>, stem: string) =>
    [...texts.keys()]
      .filter((key) => PLURAL.test(key) && key.replace(PLURAL, "") === stem)
      .map((key) => key.slice(stem.length));
  for (const stem of new Set([...en.keys()].filter((key) => PLURAL.test(key)).map((key) => key.replace(PLURAL, "")))) {
    expect([stem, forms(en, stem).sort()]).toEqual([stem, ["_one", "_other"]]);
    expect([stem, forms(zh, stem)]).toEqual([stem, ["_other"]]);
  }
});

it("a text speaks of the same values in both languages", () => {
  for (const [key, text] of zh) {
    const english = en.get(key) ?? en.get(key.replace(PLURAL, "")) ?? "";
    const allowed = placeholders(english);
    const used = placeholders(text);
    // A singular need not repeat its count, so English "_other" is what Chinese is compared with.
    if (key.replace(PLURAL, "") === key) expect([key, used]).toEqual([key, allowed]);
    else
      expect([key, used.filter((name) => name !== "count")]).toEqual([key, allowed.filter((name) => name !== "count")]);
  }
});

it("no text is empty", () => {
  for (const [key, text] of [...en, ...zh]) expect([key, text.trim().length > 0]).toEqual([key, true]);
});

it("Chinese texts use full-width punctuation", () => {
  const halfWidth = new RegExp(`[${CJK}][,.;:!?()]|[,;:!?(][${CJK}]`);
  expect([...zh].filter(([, text]) => halfWidth.test(text))).toEqual([]);
});

it("Chinese texts leave a space between Chinese and Latin words or figures", () => {
  const glued = new RegExp(`[${CJK}][A-Za-z0-9]|[A-Za-z0-9][${CJK}]`);
  expect([...zh].filter(([, text]) => glued.test(text))).toEqual([]);
});

it("every file of texts is part of both catalogues", () => {
  for (const language of ["en", "zh-Hans"]) {
    const source = read(`src/shared/i18n/locales/${language}.ts`);
    for (const path of list(`src/shared/i18n/locales/${language}`, ".json")) {
      expect(source).toContain(`"./${language}/${path.split("/").at(-1)}"`);
    }
  }
});

function catalogue(language: string): Map<string, string> {
  const texts = new Map<string, string>();
  for (const path of list(`src/shared/i18n/locales/${language}`, ".json")) {
    const domain = path.split("/").at(-1)?.replace(".json", "") ?? "";
    for (const [key, text] of leaves(JSON.parse(read(path)), domain)) texts.set(key, text);
  }
  return texts;
}

function leaves(tree: Tree, prefix: string): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === "string" ? [[`${prefix}.${key}`, value] as [string, string]] : leaves(value, `${prefix}.${key}`),
  );
}

function stems(texts: Map<string, string>): string[] {
  return [...new Set([...texts.keys()].map((key) => key.replace(PLURAL, "")))].sort();
}

function placeholders(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "").sort();
}
