import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { root } from "./files";

type Chunk = { file: string; imports?: string[]; dynamicImports?: string[]; css?: string[]; isDynamicEntry?: boolean };

const KB = 1024;
const run = promisify(execFile);
let folder = "";
let manifest: Record<string, Chunk> = {};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tidemill-console-"));
  // In a process of its own: inside the test runner, React would be bundled in its development form.
  const vite = join(root, "node_modules/vite/bin/vite.js");
  await run(process.execPath, [vite, "build", "--outDir", folder, "--logLevel", "error"], {
    cwd: root,
    env: { ...process.env, NODE_ENV: "production" },
  });
  manifest = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8"));
}, 180_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

it("loads at most 180 KB of script before the first page", async () => {
  expect(await sizeOf(scripts("console.html"))).toBeLessThanOrEqual(180 * KB);
});

it("loads at most 20 KB of styles before the first page", async () => {
  expect(await sizeOf(manifest["console.html"]?.css ?? [])).toBeLessThanOrEqual(20 * KB);
});

it.each([
  ["canvas", "src/features/apps/page/CanvasTab.tsx", 90],
  ["chat", "src/features/apps/page/TalkTab.tsx", 80],
  ["runs", "src/features/apps/page/RunsTab.tsx", 80],
  ["API access", "src/features/apps/access/AccessTab.tsx", 30],
  ["models", "src/features/model-providers/ModelsPage.tsx", 60],
])("the %s page adds at most its budget", async (_name, entry, budget) => {
  const shell = new Set([...scripts("console.html"), ...scripts("src/features/apps/page/AppPage.tsx")]);
  const added = scripts(entry).filter((file) => !shell.has(file));

  expect(added.length).toBeGreaterThan(0);
  expect(await sizeOf(added)).toBeLessThanOrEqual(budget * KB);
});

it.each(["en", "zh-Hans"])("the texts of %s fit into 40 KB", async (language) => {
  const file = manifest[`src/shared/i18n/locales/${language}.ts`]?.file;

  expect(await sizeOf(file ? [file] : [])).toBeGreaterThan(0);
  expect(await sizeOf(file ? [file] : [])).toBeLessThanOrEqual(40 * KB);
});

it("ships no source maps and no inline script", async () => {
  expect(Object.values(manifest).filter((chunk) => chunk.file.endsWith(".map"))).toEqual([]);
  expect(await readFile(join(folder, "console.html"), "utf8")).not.toMatch(/<script(?![^>]*\ssrc=)/);
});

it("keeps the tag that the server writes a path prefix into", async () => {
  expect(await readFile(join(folder, "console.html"), "utf8")).toContain('<base href="/" />');
});

/** The files that are there before an entry runs: its own and those it imports statically. */
function scripts(entry: string): string[] {
  const seen = new Set<string>();
  const visit = (name: string) => {
    const chunk = manifest[name];
    if (!chunk || seen.has(chunk.file)) return;
    seen.add(chunk.file);
    for (const each of chunk.imports ?? []) visit(each);
  };
  visit(entry);
  return [...seen];
}

async function sizeOf(files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(
    files.map(async (file) => gzipSync(await readFile(join(folder, file)), { level: 9 }).length),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
