import { describe, expect, it } from "vitest";
import { curlExample, openaiExample, pythonExample, sampleInputs } from "@/features/apps/access/exampleCalls";
import { looksLikeAnApp } from "@/features/apps/import/looksLikeAnApp";
import { isConversational } from "@/features/apps/mode";

const chat = { mode: "advanced-chat", inputs: { city: "Paris" }, query: "It's me" };

describe("examples of calls", () => {
  it("carry the address, the inputs and a place for the key", () => {
    const text = curlExample("http://localhost:5001/v1", chat);

    expect(text).toContain("http://localhost:5001/v1/chat-messages");
    expect(text).toContain('"city": "Paris"');
    expect(text).toContain("Bearer app-YOUR_KEY");
  });

  it("quote an apostrophe so that a shell takes the text as it is", () => {
    expect(curlExample("http://localhost:5001/v1", chat)).toContain("It'\\''s me");
  });

  it("call a workflow without a query", () => {
    const text = pythonExample("http://localhost:5001/v1", { ...chat, mode: "workflow" });

    expect(text).toContain("/workflows/run");
    expect(text).not.toContain("query");
  });

  it("hand inputs to the OpenAI client as an extra", () => {
    expect(openaiExample("http://localhost:5001/openai/v1", chat)).toContain('extra_body={"inputs"');
  });
});

describe("sample inputs", () => {
  it("take the default, else the first option, else something empty of the right type", () => {
    const parameters = {
      user_input_form: [
        { "text-input": { variable: "name", default: "" } },
        { select: { variable: "tone", options: ["formal", "casual"] } },
        { number: { variable: "count" } },
        { paragraph: { variable: "text", default: "Hi" } },
        { file: { variable: "paper" } },
      ],
    };

    expect(sampleInputs(parameters)).toEqual({ name: "", tone: "formal", count: 1, text: "Hi" });
  });

  it("are empty while the form is unknown", () => {
    expect(sampleInputs(undefined)).toEqual({});
  });
});

describe("pasted text", () => {
  it("is taken for an app when it has the marks of one", () => {
    expect(looksLikeAnApp("app:\n  mode: workflow\nkind: app\nversion: 0.3.0")).toBe(true);
    expect(looksLikeAnApp("app:\n  mode: chat\n")).toBe(true);
  });

  it("is left alone otherwise", () => {
    expect(looksLikeAnApp("Be kind: say hello")).toBe(false);
    expect(looksLikeAnApp("")).toBe(false);
  });
});

it("a workflow takes a form, the others a conversation", () => {
  expect(["chat", "advanced-chat", "agent-chat", "agent"].every(isConversational)).toBe(true);
  expect(["workflow", "completion"].some(isConversational)).toBe(false);
});
