import { dirname, join, posix } from "node:path";
import { describe, expect, it } from "vitest";
import { list, read } from "./files";

const IMPORT = /(?:import|export)[^"';]*?from\s+"([^"]+)"|import\(\s*"([^"]+)"\s*\)|^import\s+"([^"]+)"/gm;

const sources = list("src", ".ts", ".tsx").filter((path) => !path.endsWith(".d.ts"));

describe.each(sources)("%s", (path) => {
  const text = read(path);

  it("imports only what its place allows", () => {
    expect(imports(path, text).filter((target) => !isAllowed(path, target))).toEqual([]);
  });

  it("is small enough to read", () => {
    expect(text.split("\n").length).toBeLessThanOrEqual(path.endsWith(".tsx") ? 250 : 400);
  });

  it("takes its colours from the tokens", () => {
    const hex = text.match(/["'`[(#]#[0-9a-f]{3,8}\b/gi) ?? [];
    expect(hex).toEqual([]);
  });
});

function imports(path: string, text: string): string[] {
  return [...text.matchAll(IMPORT)].map(([, from, lazy, bare]) => {
    const name = from ?? lazy ?? bare ?? "";
    if (name.startsWith("@/")) return `src/${name.slice(2)}`;
    return name.startsWith(".") ? posix.normalize(join(dirname(path), name).replaceAll("\\", "/")) : name;
  });
}

/** `shared` imports no feature; a feature imports another one only through its index; widgets come from `shared/ui`. */
function isAllowed(path: string, target: string): boolean {
  if (target.startsWith("@base-ui/")) return path.startsWith("src/shared/ui/");
  if (!target.startsWith("src/")) return true;
  const from = placeOf(path);
  const to = placeOf(target);
  if (to.layer === "app") return from.layer === "app" || from.layer === "main";
  if (to.layer === "shared") return true;
  if (from.layer === "shared") return false;
  if (from.layer === "app") return true;
  return from.feature === to.feature || target === `src/features/${to.feature}`;
}

function placeOf(path: string): { layer: string; feature: string | undefined } {
  const [, layer = "main", feature] = path.split("/");
  if (!path.startsWith("src/shared/") && !path.startsWith("src/features/") && !path.startsWith("src/app/")) {
    return { layer: "main", feature: undefined };
  }
  return { layer, feature: layer === "features" ? feature : undefined };
}
