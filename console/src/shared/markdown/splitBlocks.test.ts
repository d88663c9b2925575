import { expect, test } from "vitest";
import { splitBlocks } from "./splitBlocks";

test("a text is cut at blank lines", () => {
  expect(splitBlocks("# Title\n\nOne.\nStill one.\n\n\nTwo.\n")).toEqual(["# Title", "One.\nStill one.", "Two."]);
});

test("blank lines inside a fence do not cut", () => {
  const code = "```py\na = 1\n\nb = 2\n```";
  expect(splitBlocks(`Before.\n\n${code}\n\nAfter.`)).toEqual(["Before.", code, "After."]);
});

test("a longer fence is closed only by one as long", () => {
  const code = "````md\n```\n\ninner\n```\n\n````";
  expect(splitBlocks(`${code}\n\nAfter.`)).toEqual([code, "After."]);
});

test("a fence that is still open keeps everything after it", () => {
  expect(splitBlocks("Text.\n\n```js\nlet a;\n\nlet b;")).toEqual(["Text.", "```js\nlet a;\n\nlet b;"]);
});

test("blank lines inside display math do not cut", () => {
  const math = "$$\na + b\n\n= c\n$$";
  expect(splitBlocks(`${math}\n\nThen $x$ holds.`)).toEqual([math, "Then $x$ holds."]);
});

test("display math on one line does not open a block", () => {
  expect(splitBlocks("$$a = b$$\n\nNext.")).toEqual(["$$a = b$$", "Next."]);
});

test("a loose list stays one block, with its indented paragraphs", () => {
  const list = "1. first\n\n   more of first\n\n2. second";
  expect(splitBlocks(`${list}\n\nAfter.`)).toEqual([list, "After."]);
});

test("a text with link definitions is not cut", () => {
  const text = "See [the page][a].\n\nMore.\n\n[a]: https://example.com";
  expect(splitBlocks(text)).toEqual([text]);
});

test("every prefix of a text splits into a prefix of its blocks but for the last", () => {
  const text = "# A\n\nSome text.\n\n```\ncode\n\nmore\n```\n\n- one\n- two\n\nEnd.";
  const whole = splitBlocks(text);
  for (let length = 1; length <= text.length; length++) {
    const blocks = splitBlocks(text.slice(0, length));
    expect(whole.slice(0, blocks.length - 1)).toEqual(blocks.slice(0, -1));
  }
});

test("an empty text has no blocks", () => {
  expect(splitBlocks("\n \n")).toEqual([]);
});
