// The trusted half of a sandbox process: reads frames, keeps one fresh interpreter ready, hands it one program.
//
// A frame is four bytes of length (big endian) and JSON. Programs run in a worker without permissions that is
// ended before its answer is passed on, so nothing of a run outlives it. This thread never runs their code.

const options = JSON.parse(Deno.args[0]);
const here = new URL("./", import.meta.url);
const MAX_ERROR_CHARS = 4000;

const stdin = Deno.stdin.readable.getReader();
let buffered = new Uint8Array(0);

let filling = null;

// One read is always under way while a program runs: it is how the end of the parent is noticed.
function fill() {
  filling ??= stdin.read().then(({ value, done }) => {
    if (done) Deno.exit(0);
    const joined = new Uint8Array(buffered.length + value.length);
    joined.set(buffered);
    joined.set(value, buffered.length);
    buffered = joined;
    filling = null;
  });
  return filling;
}

async function read(length) {
  while (buffered.length < length) await fill();
  const found = buffered.subarray(0, length);
  buffered = buffered.slice(length);
  return found;
}

function writeAll(bytes) {
  let written = 0;
  while (written < bytes.length) written += Deno.stdout.writeSync(bytes.subarray(written));
}

function write(bytes) {
  const header = new Uint8Array(4);
  new DataView(header.buffer).setUint32(0, bytes.length);
  writeAll(header);
  writeAll(bytes);
}

function send(message) {
  write(new TextEncoder().encode(JSON.stringify(message)));
}

function shared(bytes) {
  const view = new Uint8Array(new SharedArrayBuffer(bytes.length));
  view.set(bytes);
  return view;
}

// The most memory of an interpreter is a number in its WebAssembly binary: neither V8's heap limits nor a wrapped
// `WebAssembly.Memory` bound it. Written with as many bytes as before, so that nothing moves.
function limitMemory(binary, pages) {
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = binary[at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  while (at < binary.length) {
    const section = binary[at++];
    const end = number() + at;
    if (section !== 5) {
      at = end;
      continue;
    }
    const memories = number();
    const flags = binary[at++];
    number();
    if (memories !== 1 || flags !== 1) break;
    const start = at;
    number();
    for (let rest = pages, index = start; index < at; index++) {
      binary[index] = (rest & 127) | (index < at - 1 ? 128 : 0);
      rest = Math.floor(rest / 128);
    }
    return binary;
  }
  throw new Error("The interpreter's memory section is not as expected.");
}

async function python() {
  const file = (name) => Deno.readFile(`${options.runtime}/${name}`);
  const module = await WebAssembly.compile(limitMemory(await file("pyodide.asm.wasm"), options.pages));
  const lock = JSON.parse(new TextDecoder().decode(await file("pyodide-lock.json")));
  const library = shared(await file("python_stdlib.zip"));
  const zones = options.zones ? shared(await Deno.readFile(options.zones)) : null;
  const snapshot = options.snapshot ? shared(await Deno.readFile(options.snapshot)) : null;
  const setup = options.snapshot ? null : await Deno.readTextFile(new URL("runner.py", here));
  return { module, lock, library, zones, snapshot, setup };
}

function describe(event) {
  event.preventDefault();
  return String(event.message ?? "unknown").slice(0, MAX_ERROR_CHARS);
}

/** A worker that says when it is ready for its one program. */
class Interpreter {
  constructor(start) {
    this.worker = new Worker(new URL(`${options.kind}_worker.js`, here), {
      type: "module",
      deno: { permissions: "none" },
    });
    this.ready = this.next();
    this.worker.postMessage(start);
  }

  next() {
    return new Promise((resolve) => {
      this.worker.onmessage = (event) => resolve(event.data);
      this.worker.onerror = (event) => resolve({ broken: describe(event) });
      this.worker.onmessageerror = () => resolve({ broken: "an answer that cannot be read" });
    });
  }

  async run(program) {
    const answer = this.next();
    this.worker.postMessage(program);
    const found = await answer;
    this.worker.terminate();
    return found;
  }
}

// What comes out of a worker may be forged by the program in it: only short texts pass.
function checked(answer) {
  const text = (value) => typeof value === "string";
  if (text(answer?.broken)) return { broken: answer.broken.slice(0, MAX_ERROR_CHARS) };
  if (text(answer?.error)) return { error: answer.error.slice(0, MAX_ERROR_CHARS) };
  if (!text(answer?.result)) return { broken: "an answer of another shape" };
  if (answer.result.length > options.maxOutput) return { excess: answer.result.length };
  return { result: answer.result };
}

async function filesOf(request) {
  const read = (path) => Deno.readFile(`${options.packages}/${path}`);
  return await Promise.all((request.files ?? []).map(async (path) => ({ path, data: await read(path) })));
}

async function serve() {
  const start = options.kind === "python" ? await python() : {};
  for (;;) {
    const interpreter = new Interpreter(start);
    const state = await interpreter.ready;
    if (state.snapshot) return write(state.snapshot);
    send(state.ready === true ? { ready: true } : { broken: String(state.broken) });
    const header = await read(4);
    const body = await read(new DataView(header.buffer, header.byteOffset, 4).getUint32(0));
    const request = JSON.parse(new TextDecoder().decode(body));
    const running = interpreter.run({ code: request.code, inputs: request.inputs, files: await filesOf(request) });
    fill();
    send({ id: request.id, ...checked(await running) });
  }
}

await serve();
Deno.exit(0);
