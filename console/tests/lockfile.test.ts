import { describe, expect, it } from "vitest";
import { read } from "./files";

type Entry = { resolved?: string; optionalDependencies?: Record<string, string>; engines?: { node?: string } };

describe.each(["package-lock.json", "tools/api-types/package-lock.json"])("%s", (path) => {
  const text = read(path);
  const packages: Record<string, Entry> = JSON.parse(text).packages;

  it("names no registry", () => {
    expect(text).not.toContain('"resolved"');
  });

  it("has an entry for every platform package of every native tool", () => {
    const missing = Object.entries(packages).flatMap(([place, entry]) =>
      Object.keys(entry.optionalDependencies ?? {}).filter((name) => !find(packages, place, name)),
    );
    expect(missing).toEqual([]);
  });
});

it("asks for a Node that the build accepts", () => {
  expect(JSON.parse(read("package.json")).engines.node).toBe(">=20.19");
});

/** Looks a name up as Node does: in the package itself, then in every folder above it. */
function find(packages: Record<string, Entry>, place: string, name: string): boolean {
  for (let at = place; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
    if (packages[`${at ? `${at}/` : ""}node_modules/${name}`]) return true;
    if (!at) return false;
    if (!at.includes("/node_modules/")) return Boolean(packages[`node_modules/${name}`]);
  }
}
