import { describe, expect, it } from "vitest";
import { modelKey, parseModelKey } from "@/features/model-providers/modelKey";
import { toCount } from "@/features/model-providers/toCount";

describe("a count of tokens", () => {
  it.each([
    ["8192", 8192],
    ["128,000", 128_000],
    ["128 000", 128_000],
    ["128k", 128_000],
    ["1.5M", 1_500_000],
    ["１２８", null],
    ["many", null],
    ["", null],
  ])("is read from %j", (text, count) => {
    expect(toCount(text)).toBe(count);
  });
});

it("a model's name may hold slashes, its provider's id does not", () => {
  const model = { provider: "siliconflow", name: "Qwen/Qwen3-32B" };

  expect(parseModelKey(modelKey(model))).toEqual(model);
});
