import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { read } from "./files";

it("the API types were generated from the document that lies beside them", () => {
  const digest = createHash("sha256").update(read("openapi.json")).digest("hex");

  expect(read("src/shared/api/api.d.ts").split("\n", 1)[0]).toContain(`sha256 ${digest}`);
});
