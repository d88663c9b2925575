// @vitest-environment jsdom
import { beforeAll, expect, it } from "vitest";
import { Problem, problemOf, problemText } from "@/shared/api/problem";
import { isTextKey, startI18n, switchLanguage, text } from "@/shared/i18n";
import { formatRelative, formatSeconds } from "@/shared/i18n/format";

const NOW = Date.parse("2026-01-02T12:00:00Z");

beforeAll(() => startI18n("en"));

it("a problem is told by its code, in the reader's language", async () => {
  const problem = new Problem({ code: "wrong_email_or_password", message: "No.", status: 401 });

  await switchLanguage("zh-Hans");
  expect(problemText(text, problem)).toBe("邮箱或密码错误。");
  await switchLanguage("en");
  expect(problemText(text, problem)).toBe("Email or password is wrong.");
});

it("a problem with an unknown code is told in the server's words", () => {
  expect(problemText(text, new Problem({ code: "new_code", message: "The moon is full.", status: 409 }))).toBe(
    "The moon is full.",
  );
});

it("a problem keeps the detail that only the server knows", () => {
  const problem = new Problem({ code: "invalid_file", message: "Line 2: this is not valid YAML.", status: 422 });

  expect(problemText(text, problem)).toContain("Line 2");
});

it("an answer that is not ours still gives a problem", () => {
  const problem = problemOf(new Response("<html>", { status: 502 }), "<html>");

  expect(problem.code).toBe("unreachable");
});

it("a key that has only plural forms is a key", () => {
  expect(isTextKey("apps.import.remarks.not_runnable")).toBe(true);
  expect(isTextKey("apps.import.remarks.nonsense")).toBe(false);
});

it("the page says which language it is in", async () => {
  await switchLanguage("zh-Hans");
  expect(document.documentElement.lang).toBe("zh-Hans");
  await switchLanguage("en");
  expect(document.documentElement.lang).toBe("en");
});

it("times read naturally, with a space beside figures in Chinese", async () => {
  expect(formatRelative("2026-01-02T11:57:00Z", NOW)).toBe("3 minutes ago");
  expect(formatSeconds(0.42)).toBe("420 ms");
  await switchLanguage("zh-Hans");
  expect(formatRelative("2026-01-02T11:57:00Z", NOW)).toBe("3 分钟前");
  await switchLanguage("en");
});
