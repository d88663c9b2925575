import { describe, expect, it } from "vitest";
import { read } from "./files";

type Colours = Record<string, string>;

const SURFACES = ["s0", "s1", "s2"] as const;
const TEXTS = ["t1", "t2", "t3", "accent", "ok", "warn", "err", "info"];
const CATEGORIES = ["io", "model", "knowledge", "logic", "data", "integration", "human", "note"];

const css = read("src/shared/theme/tokens.css");
const themes: Record<string, Colours> = { light: colours(":root"), dark: colours('[data-theme="dark"]') };

describe.each(Object.keys(themes))("in the %s theme", (name) => {
  const theme = themes[name] ?? {};

  it.each(TEXTS)("%s can be read as text on every surface", (text) => {
    for (const surface of SURFACES) expect(ratio(theme, text, surface)).toBeGreaterThanOrEqual(4.5);
  });

  it("borders of controls stand out from every surface", () => {
    for (const surface of SURFACES) expect(ratio(theme, "line-strong", surface)).toBeGreaterThanOrEqual(3);
  });

  it("text on accented areas can be read", () => {
    expect(ratio(theme, "on-accent", "accent")).toBeGreaterThanOrEqual(4.5);
    expect(ratio(theme, "accent", "accent-soft")).toBeGreaterThanOrEqual(4.5);
    expect(ratio(theme, "t1", "accent-soft")).toBeGreaterThanOrEqual(4.5);
  });

  it.each(CATEGORIES)("the sign on a %s tile can be seen", (category) => {
    expect(ratio(theme, "s1", `node-${category}`)).toBeGreaterThanOrEqual(4.5);
  });
});

it("both themes define the same colours", () => {
  expect(Object.keys(themes.dark ?? {}).sort()).toEqual(Object.keys(themes.light ?? {}).sort());
});

function colours(selector: string): Colours {
  const start = css.indexOf(`${selector} {`);
  const block = css.slice(start, css.indexOf("}", start));
  return Object.fromEntries([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/gi)].map(([, name, hex]) => [name, hex]));
}

function ratio(theme: Colours, first: string, second: string): number {
  const [light = 0, dark = 0] = [luminance(theme[first]), luminance(theme[second])].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

/** Relative luminance of WCAG 2.x. */
function luminance(hex: string | undefined): number {
  if (!hex) throw new Error("The colour is not defined.");
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
