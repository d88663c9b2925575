import "./bare.js";
import createPyodideModule from "../runtime/pyodide.asm.mjs";
import { loadPyodide } from "../runtime/pyodide.mjs";

const reply = self.postMessage.bind(self);
const PATH = "/packages";

async function open({ module, lock, library, zones, snapshot, setup }) {
  // The loader fetches two files: the library, and the program that is compiled already.
  globalThis.fetch = () => Promise.resolve(new Response(library.slice()));
  WebAssembly.instantiateStreaming = async (_response, imports) => ({
    instance: await WebAssembly.instantiate(module, imports),
    module,
  });
  const python = await loadPyodide({
    indexURL: "http://localhost/",
    lockFileContents: lock,
    createPyodideModule,
    jsglobals: Object.create(null),
    env: { HOME: "/home", LANG: "C.UTF-8", TZ: "UTC" },
    stdin: () => null,
    stdout: () => {},
    stderr: () => {},
    checkAPIVersion: true,
    fsInit: (files) => {
      if (zones) files.writeFile("/lib/tzdata.zip", zones.slice());
    },
    ...(snapshot ? { _loadSnapshot: snapshot } : { _makeSnapshot: true }),
  });
  delete globalThis.fetch;
  if (setup) python.runPython(setup);
  return python;
}

function install(python, files) {
  for (const { path, data } of files) {
    const target = `${PATH}/${path}`;
    python.FS.mkdirTree(target.slice(0, target.lastIndexOf("/")));
    python.FS.writeFile(target, data, { canOwn: true });
  }
}

self.onmessage = async (event) => {
  const python = await open(event.data);
  if (event.data.setup) {
    reply({ snapshot: python.makeMemorySnapshot() });
    return;
  }
  const run = python.globals.get("_run");
  self.onmessage = (request) => {
    const { code, inputs, files } = request.data;
    install(python, files);
    // A pair of texts: the result, or why there is none.
    const [result, error] = run(code, inputs, files.length > 0).toJs();
    reply(error ? { error } : { result });
  };
  reply({ ready: true });
};
