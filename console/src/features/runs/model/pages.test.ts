import { expect, test } from "vitest";
import { cutText } from "./pages";

const rows = (count: number) => Array.from({ length: count }, (_, row) => `row ${row}`).join("\n");

test("a short text is shown whole", () => {
  expect(cutText("a\nb", 1)).toEqual({ text: "a\nb", isCut: false });
  expect(cutText("", 1)).toEqual({ text: "", isCut: false });
});

test("a page ends after a hundred rows", () => {
  const cut = cutText(rows(250), 1);

  expect(cut.isCut).toBe(true);
  expect(cut.text.split("\n")).toHaveLength(100);
  expect(cutText(rows(250), 3)).toEqual({ text: rows(250), isCut: false });
});

test("one endless row is cut by its characters", () => {
  const cut = cutText("x".repeat(100_000), 1);

  expect(cut).toEqual({ text: "x".repeat(65_536), isCut: true });
});

test("exactly one page is not cut", () => {
  expect(cutText(rows(100), 1)).toEqual({ text: rows(100), isCut: false });
});
