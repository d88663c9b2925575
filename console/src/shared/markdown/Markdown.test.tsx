// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { Markdown } from "./Markdown";

afterEach(cleanup);

const HOSTILE = [
  "[click](javascript:alert(1))",
  "[click](JaVaScRiPt:alert(1))",
  "[click](java\nscript:alert(1))",
  "[click](&#106;avascript:alert(1))",
  "[click](vbscript:msgbox(1))",
  "[click](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
  "![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+)",
  "![x](javascript:alert(1))",
  "<javascript:alert(1)>",
  '<img src=x onerror="alert(1)">',
  '<a href="#" onclick="alert(1)">x</a>',
  "<svg onload=alert(1)><script>alert(1)</script></svg>",
  "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
  "<script>alert(1)</script>",
  "<style>body{background:url(https://evil.example)}</style>",
  "<math><mtext><img src=x onerror=alert(1)></mtext></math>",
  "```html\n<img src=x onerror=alert(1)>\n```",
  "[a]: javascript:alert(1)\n\n[click][a]",
  "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
];

test.each(HOSTILE)("%j leaves no handler, no script and no request", (text) => {
  const { container } = render(<Markdown text={text} />);

  expect(container.querySelector("script, iframe, style, object, embed, form, math")).toBeNull();
  for (const element of container.querySelectorAll("*")) {
    for (const { name, value } of element.attributes) {
      expect(name).not.toMatch(/^on/);
      if (["href", "src", "xlink:href", "action"].includes(name))
        expect(value).not.toMatch(/^\s*(javascript|vbscript|data):/i);
    }
  }
  expect(container.querySelector("img, [src]")).toBeNull();
});

test("a picture from another site is a link, and one of this server is shown", () => {
  render(<Markdown text={"![theirs](https://evil.example/a.png) ![ours](/files/1/file-preview)"} />);

  expect(screen.getByRole("link", { name: "theirs" }).getAttribute("href")).toBe("https://evil.example/a.png");
  expect(screen.getByRole("img", { name: "ours" })).toBeTruthy();
});

test("a link opens apart and gives nothing away", () => {
  render(<Markdown text="[docs](https://example.com/a)" />);

  const link = screen.getByRole("link", { name: "docs" });
  expect(link.getAttribute("rel")).toBe("noopener noreferrer nofollow");
  expect(link.getAttribute("target")).toBe("_blank");
});

test("raw HTML is shown as the text it is", () => {
  const { container } = render(<Markdown text="Use <b>bold</b> here." />);

  expect(container.textContent).toBe("Use <b>bold</b> here.");
});

test("code keeps its text and says its language", () => {
  const { container } = render(<Markdown text={"```python\nprint(1)\n\nprint(2)\n```"} />);

  expect(container.querySelector("pre code")?.textContent).toBe("print(1)\n\nprint(2)");
  expect(screen.getByText("python")).toBeTruthy();
});

test("a table and a task list are drawn", () => {
  const { container } = render(<Markdown text={"| a | b |\n|---|---|\n| 1 | 2 |\n\n- [x] done\n- [ ] open"} />);

  expect(screen.getByRole("table")).toBeTruthy();
  expect([...container.querySelectorAll("li")].map((item) => item.textContent?.trim())).toEqual(["done", "open"]);
});
