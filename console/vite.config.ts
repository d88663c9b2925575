import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { compress } from "./tools/build/compress.ts";
import { devPages } from "./tools/build/devPages.ts";

const SERVER_PATHS = ["/console/api", "/v1", "/openai", "/api", "/files", "/docs", "/healthz", "/readyz"];
const server = process.env.TIDEMILL_SERVER ?? "http://127.0.0.1:5001";
const isApiPath = (path: string) => SERVER_PATHS.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));

export default defineConfig({
  // Relative addresses, because the server may be mounted under a path prefix and writes it into <base href>.
  base: "./",
  plugins: [react(), tailwindcss(), devPages(isApiPath), compress()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  cacheDir: "node_modules/.vite",
  server: {
    port: 3000,
    strictPort: true,
    proxy: Object.fromEntries(SERVER_PATHS.map((path) => [`^${path}(/|$|\\?)`, { target: server, xfwd: true }])),
  },
  build: {
    outDir: "../src/tidemill/static",
    emptyOutDir: true,
    manifest: "manifest.json",
    sourcemap: false,
    target: "es2022",
    reportCompressedSize: false,
    rolldownOptions: { input: { console: "console.html" } },
  },
  test: {
    environment: "node",
    include: ["tests/**/*.test.{ts,tsx}", "src/**/*.test.{ts,tsx}"],
    setupFiles: ["tests/setup.ts"],
    testTimeout: 20_000,
  },
});
