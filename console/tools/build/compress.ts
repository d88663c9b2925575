import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, gzip, constants as zlib } from "node:zlib";
import type { Plugin } from "vite";

const MIN_BYTES = 10 * 1024;
const TEXT_FILE = /\.(?:js|css|html|svg|json)$/;

/** Writes `.br` and `.gz` next to every text file of the build over 10 KB, so that the server never compresses. */
export function compress(): Plugin {
  return {
    name: "tidemill-compress",
    apply: "build",
    async writeBundle(options, bundle) {
      const folder = options.dir ?? ".";
      const names = Object.keys(bundle).filter((name) => TEXT_FILE.test(name));
      await Promise.all(names.map((name) => compressFile(join(folder, name))));
    },
  };
}

async function compressFile(path: string): Promise<void> {
  const content = await readFile(path);
  if (content.byteLength < MIN_BYTES) return;
  const params = { [zlib.BROTLI_PARAM_QUALITY]: 11, [zlib.BROTLI_PARAM_SIZE_HINT]: content.byteLength };
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(content, { params }),
    promisify(gzip)(content, { level: 9 }),
  ]);
  await Promise.all([writeFile(`${path}.br`, br), writeFile(`${path}.gz`, gz)]);
}
