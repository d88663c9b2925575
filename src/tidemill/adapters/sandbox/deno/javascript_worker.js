import "./bare.js";

// Kept before the program can change them.
const { parse, stringify } = JSON;
const reply = self.postMessage.bind(self);
const compile = Function;

globalThis.fetch = () => {
  throw new Error("Code has no network. Send requests with an HTTP request node.");
};

function explain(error) {
  try {
    const place = /<anonymous>:(\d+):\d+/.exec(String(error?.stack ?? ""));
    // `Function` puts two lines of its own before the program.
    return String(error) + (place ? ` (line ${place[1] - 2})` : "");
  } catch {
    return "The program threw something that cannot be shown.";
  }
}

async function run(event) {
  const { code, inputs } = event.data;
  self.onmessage = null;
  let result;
  try {
    const main = compile(`${code}\nreturn typeof main === "undefined" ? undefined : main;`)();
    if (typeof main !== "function") throw new TypeError("the code defines no function main");
    result = stringify((await main(parse(inputs))) ?? null);
  } catch (error) {
    reply({ error: explain(error) });
    return;
  }
  reply({ result });
}

self.onmessage = () => {
  self.onmessage = run;
  reply({ ready: true });
};
