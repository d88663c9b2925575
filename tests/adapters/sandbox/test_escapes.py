"""Programs that try to get out, or to take the server with them. Each ends in a named error or reaches nothing,
and the next program runs.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from adapters.sandbox.conftest import Open, failure, javascript, python
from tidemill.adapters.sandbox import CodeSandbox, Limits
from tidemill.ports import CodeFailed

MEGABYTE = 1024 * 1024
SECRET = "a-secret-of-the-server"


# One sandbox for all of them: what an attempt leaves behind would show in the next.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox(made_once: Path) -> AsyncIterator[CodeSandbox]:
    opened = CodeSandbox(made_once, Limits(time_s=20, processes=1), has_fast_path=False)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hasty(made_once: Path) -> AsyncIterator[CodeSandbox]:
    opened = CodeSandbox(made_once, Limits(time_s=1, processes=1), has_fast_path=False)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(loop_scope="module")
async def roomy(made_once: Path) -> AsyncIterator[Open]:
    """Opens sandboxes with other limits."""
    sandboxes: list[CodeSandbox] = []

    def open_one(**bounds: Any) -> CodeSandbox:
        sandboxes.append(CodeSandbox(made_once, Limits(processes=1, **bounds), has_fast_path=False))
        return sandboxes[-1]

    yield open_one
    for opened in sandboxes:
        await opened.close()


async def ending(running: Awaitable[Any]) -> str | None:
    """The sentence a run ends with, or None when it ends well."""
    try:
        await running
    except CodeFailed as error:
        return str(error)
    return None


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text(SECRET)
    return path


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port of this machine where nobody may knock."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def is_untouched(listener: socket.socket) -> bool:
    try:
        listener.accept()
    except BlockingIOError:
        return True
    return False


async def still_runs(sandbox: CodeSandbox) -> bool:
    python_result = await python(sandbox, "def main(a):\n    return {'a': a}", a=1)
    javascript_result = await javascript(sandbox, "function main({a}) { return {a} }", a=1)
    return python_result == javascript_result == {"a": 1}


# ---------------------------------------------------------------- Python: what lies outside


async def test_python_sees_no_file_of_the_machine(sandbox: CodeSandbox, secret_file: Path):
    code = (
        "import glob, os\n"
        "def main(path):\n"
        "    seen = [name for name in ('/etc/passwd', '/proc/self/environ', 'C:/Windows') if os.path.exists(name)]\n"
        "    return {'seen': seen, 'there': os.path.exists(path), 'listed': sorted(os.listdir('/'))}"
    )

    result = await python(sandbox, code, path=str(secret_file))

    assert (result["seen"], result["there"]) == ([], False)
    assert set(result["listed"]) <= {"dev", "home", "lib", "proc", "tmp"}
    assert "FileNotFoundError" in await failure(
        python(sandbox, f"def main():\n    return open({str(secret_file)!r}).read()")
    )
    assert await still_runs(sandbox)


async def test_python_sees_no_environment(sandbox: CodeSandbox, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SECRET_KEY", SECRET)

    result = await python(sandbox, "import os\ndef main():\n    return dict(os.environ)")

    assert SECRET not in str(result)
    assert "SECRET_KEY" not in result
    assert not {"HOME", "PATH"} & {name for name, value in result.items() if value == os.environ.get(name)}


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket\n    s = socket.create_connection(('127.0.0.1', port), 2)\n    s.send(b'x')",
        "from urllib import request\n    return request.urlopen(f'http://127.0.0.1:{port}/', timeout=2).read()",
        "import http.client\n    c = http.client.HTTPConnection('127.0.0.1', port)\n    c.request('GET', '/')\n"
        "    return c.getresponse().read()",
        "from pyodide.http import pyfetch\n    import asyncio\n    return asyncio.run(pyfetch(f'http://127.0.0.1:{port}/'))",
        "from pyodide.http import open_url\n    return open_url(f'http://127.0.0.1:{port}/').read()",
    ],
    ids=["socket", "urllib", "http.client", "pyfetch", "open_url"],
)
async def test_python_reaches_no_network(sandbox: CodeSandbox, listener: socket.socket, attempt: str):
    message = await failure(python(sandbox, f"def main(port):\n    {attempt}", port=listener.getsockname()[1]))

    assert "Error" in message
    assert is_untouched(listener)
    assert await still_runs(sandbox)


@pytest.mark.parametrize(
    "attempt",
    [
        "import subprocess\n    return subprocess.run(['id'], capture_output=True).stdout.decode()",
        "import os\n    pid = os.fork()\n    return {'forked': pid}",
        "import os\n    os.execv('/bin/sh', ['sh', '-c', 'id'])",
        "import os\n    return os.posix_spawn('/bin/sh', ['sh'], {})",
        "import multiprocessing\n    p = multiprocessing.Process(target=print)\n    p.start()",
        "import threading\n    threading.Thread(target=print).start()",
    ],
    ids=["subprocess", "fork", "exec", "spawn", "multiprocessing", "thread"],
)
async def test_python_starts_no_process(sandbox: CodeSandbox, attempt: str):
    assert "Error" in await failure(python(sandbox, f"def main():\n    {attempt}"))
    assert await still_runs(sandbox)


async def test_a_shell_command_does_nothing(sandbox: CodeSandbox, tmp_path: Path):
    mark = tmp_path / "mark"

    result = await python(
        sandbox, "import os\ndef main(mark):\n    return {'code': os.system(f'touch {mark}')}", mark=str(mark)
    )

    assert result["code"] != 0
    assert not mark.exists()


@pytest.mark.parametrize(
    "attempt",
    [
        "ctypes.CDLL(None).abort()",
        "ctypes.CDLL(None).system(b'id')",
        "ctypes.string_at(0xFFFFFF00)",
        "ctypes.memset(0, 0, 2**31)",
        "ctypes.CFUNCTYPE(None)(12345)()",
    ],
)
async def test_foreign_functions_break_only_the_interpreter(sandbox: CodeSandbox, attempt: str):
    message = await ending(python(sandbox, f"import ctypes\ndef main():\n    return {{'x': str({attempt})}}"))

    assert message is None or "broke its interpreter" in message or "Error" in message
    assert await still_runs(sandbox)


async def test_a_walk_over_all_objects_finds_no_way_out(sandbox: CodeSandbox):
    code = (
        "import gc, sys\n"
        "def main():\n"
        "    def walk(c):\n"
        "        yield c\n"
        "        for s in type.__subclasses__(c):\n"
        "            yield from walk(s)\n"
        "    classes = {c.__name__ for c in walk(object)}\n"
        "    found = []\n"
        "    for o in gc.get_objects():\n"
        "        if type(o).__name__ == 'JsProxy':\n"
        "            for name in ('Deno', 'process', 'fetch', 'Worker', 'require', 'eval', 'Function'):\n"
        "                if hasattr(o, name):\n"
        "                    found.append(name)\n"
        "    import js\n"
        "    bridge = [name for name in dir(js) if name[0] != '_'] + [n for n in sys.modules if n == 'pyodide_js']\n"
        "    return {'many': len(classes), 'found': sorted(set(found)), 'bridge': bridge}"
    )

    result = await python(sandbox, code)

    assert result["found"] == []
    assert result["bridge"] == []
    assert await still_runs(sandbox)


@pytest.mark.parametrize(
    "attempt",
    [
        "import js\n    return js.Deno.readTextFileSync('/etc/passwd')",
        "from pyodide.code import run_js\n    return run_js('Deno.env.toObject()')",
        "import pyodide_js\n    return pyodide_js._module.FS.readFile('/etc/passwd')",
        "import pyodide.webloop as w\n    return w.scheduleCallback.constructor('return globalThis')().name",
        "import _pyodide\n    import gc\n"
        "    proxies = [o for o in gc.get_objects() if type(o).__name__ == 'JsProxy']\n"
        "    return proxies[0].constructor.constructor('return globalThis')().Deno.pid",
    ],
    ids=["js", "run_js", "pyodide_js", "function", "constructor"],
)
async def test_python_gets_no_javascript(sandbox: CodeSandbox, attempt: str):
    assert "Error" in await failure(python(sandbox, f"def main():\n    {attempt}"))
    assert await still_runs(sandbox)


async def test_a_pickle_runs_no_command(sandbox: CodeSandbox, tmp_path: Path):
    mark = tmp_path / "mark"
    code = (
        "import os, pickle\n"
        "class Bomb:\n    def __reduce__(self):\n        return (os.system, (MARK,))\n"
        f"MARK = 'touch {mark}'\n"
        "def main():\n    return {'code': pickle.loads(pickle.dumps(Bomb()))}"
    )

    message = await ending(python(sandbox, code))

    assert message is None or "broke its interpreter" in message
    assert not mark.exists()
    assert await still_runs(sandbox)


# ---------------------------------------------------------------- Python: what takes too much


async def test_an_endless_loop_ends_at_the_time_limit(hasty: CodeSandbox):
    message = await failure(python(hasty, "def main():\n    while True:\n        pass"))

    assert message == "The code takes longer than 1 seconds. Make it do less, or raise SANDBOX_WORKER_TIMEOUT."
    assert await still_runs(hasty)


@pytest.mark.parametrize(
    "bomb",
    [
        "import re\n    return {'m': bool(re.match(r'(a+)+$', 'a' * 60 + 'b'))}",
        "x = 10 ** 10 ** 8\n    return {}",
        "import time\n    time.sleep(100)",
        "try:\n        while True: pass\n    except BaseException:\n        pass\n    return {}",
        "[0][0:] or None\n    return {'n': sum(1 for _ in iter(int, 1))}",
    ],
    ids=["regex", "power", "sleep", "caught", "iterator"],
)
async def test_what_takes_for_ever_in_the_interpreter_ends_at_the_time_limit(hasty: CodeSandbox, bomb: str):
    assert "takes longer than 1 seconds" in await failure(python(hasty, f"def main():\n    {bomb}"))
    assert await still_runs(hasty)


@pytest.mark.parametrize(
    "recursion",
    [
        "def f(): return f()\n    return f()",
        "x = []\n    for _ in range(100000): x = [x]\n    return {'x': x}",
        "x = []\n    for _ in range(100000): x = [x]\n    return {'x': repr(x)}",
        "import sys\n    sys.setrecursionlimit(10**9)\n    def f(n): return f(n + 1)\n    return f(0)",
        "return {'x': eval('(' * 5000 + '1' + ')' * 5000)}",
    ],
    ids=["calls", "result", "repr", "raised-limit", "parser"],
)
async def test_deep_recursion_is_an_error(sandbox: CodeSandbox, recursion: str):
    message = await failure(python(sandbox, f"def main():\n    {recursion}"))

    assert any(
        word in message for word in ("RecursionError", "MemoryError", "SyntaxError", "broke its interpreter", "memory")
    )
    assert await still_runs(sandbox)


@pytest.mark.parametrize(
    "bomb",
    [
        "x = []\n    while True: x.append('a' * 1000000)",
        "return {'x': 'a' * 10**9}",
        "return {'x': len(list(range(10**8)))}",
    ],
    ids=["list", "text", "range"],
)
async def test_a_memory_bomb_ends_at_the_limit(sandbox: CodeSandbox, bomb: str):
    before = psutil.Process().memory_info().rss

    message = await failure(python(sandbox, f"def main():\n    {bomb}"))

    assert "more than 256 MB of memory" in message
    assert psutil.Process().memory_info().rss - before < 64 * MEGABYTE
    assert await still_runs(sandbox)


async def test_a_program_that_catches_the_memory_error_goes_on_below_the_limit(roomy: Open):
    sandbox = roomy(memory_bytes=96 * MEGABYTE)
    code = (
        "def main():\n    x = []\n    try:\n        while True: x.append(bytearray(1000000))\n"
        "    except MemoryError:\n        n = len(x)\n        del x\n        return {'mb': n}"
    )

    result = await python(sandbox, code)

    assert 20 < result["mb"] < 96


async def test_a_hundred_megabytes_of_output_are_refused(roomy: Open):
    sandbox = roomy(memory_bytes=768 * MEGABYTE, time_s=60)

    message = await failure(python(sandbox, "def main():\n    return {'x': 'a' * 100_000_000}"))

    assert message.startswith("The code returned 100000009 characters of JSON; the limit is 10000000.")
    assert await still_runs(sandbox)


# ---------------------------------------------------------------- JavaScript


@pytest.mark.parametrize(
    "attempt",
    [
        "const fs = await import('node:fs'); return {x: fs.readFileSync(path, 'utf8')}",
        "return {x: Deno.readTextFileSync(path)}",
        "const m = await import('file://' + path); return {x: Object.keys(m)}",
        "const p = await import('node:process'); return {x: p.default.env.SECRET_KEY.length}",
        "return {x: process.env.SECRET_KEY}",
        "const c = await import('node:child_process'); return {x: c.execSync('id').toString()}",
        "const n = await import('node:net'); await new Promise((a, b) => n.connect(port, a).on('error', b))",
        "const r = await fetch(`http://127.0.0.1:${port}/`); return {x: r.status}",
        "const s = new WebSocket(`ws://127.0.0.1:${port}/`); return {x: 1}",
        "const m = await import(`http://127.0.0.1:${port}/x.js`); return {x: 1}",
        "const m = await import('npm:left-pad'); return {x: 1}",
        "new Worker('data:text/javascript,1', {type: 'module', deno: {permissions: 'inherit'}}); return {x: 1}",
        "const {Worker} = await import('node:worker_threads'); new Worker('1', {eval: true}); return {x: 1}",
        "const r = this.constructor.constructor('return Deno')(); return {x: r.pid}",
        "const f = await import('node:ffi'); return {x: 1}",
    ],
)
async def test_javascript_gets_nothing_of_the_machine(
    sandbox: CodeSandbox, listener: socket.socket, secret_file: Path, attempt: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SECRET_KEY", SECRET)
    code = f"async function main({{path, port}}) {{ {attempt} }}"

    message = await failure(javascript(sandbox, code, path=str(secret_file), port=listener.getsockname()[1]))

    assert SECRET not in message
    assert is_untouched(listener)
    assert await still_runs(sandbox)


async def test_polluted_prototypes_are_gone_with_their_run(sandbox: CodeSandbox):
    pollute = (
        "function main() {\n"
        "  Object.prototype.polluted = 1; Array.prototype.push = () => { throw 1 };\n"
        "  JSON.stringify = () => '{\"forged\": 1}'; JSON.parse = () => ({}); Promise.prototype.then = null;\n"
        "  globalThis.postMessage = null; Function.prototype.call = null;\n"
        "  return {mine: 1};\n}"
    )
    look = "function main() { const a = []; a.push(1); return {a, polluted: ({}).polluted ?? null} }"

    message = await ending(javascript(sandbox, pollute))

    assert message is None or "Error" in message
    assert await javascript(sandbox, look) == {"a": [1], "polluted": None}


async def test_a_forged_answer_is_the_forgers_own(sandbox: CodeSandbox):
    forge = (
        "async function main() {\n"
        "  self.postMessage({result: '{\"forged\": 1}'}); self.postMessage({result: '{\"second\": 1}'});\n"
        "  return {honest: 1};\n}"
    )

    first = await javascript(sandbox, forge)

    assert first in ({"forged": 1}, {"honest": 1})
    assert await still_runs(sandbox)


@pytest.mark.parametrize(
    "bomb",
    [
        "while (true) {}",
        "/(a+)+$/.test('a'.repeat(60) + 'b')",
        "return new Promise(() => {})",
        "for (;;) await null",
    ],
)
async def test_endless_javascript_ends_at_the_time_limit(hasty: CodeSandbox, bomb: str):
    assert "takes longer than 1 seconds" in await failure(javascript(hasty, f"async function main() {{ {bomb} }}"))
    assert await still_runs(hasty)


@pytest.mark.parametrize(
    "bomb",
    [
        "const a = []; while (true) a.push(new Array(1000).fill({x: 1}).map(x => ({...x})))",
        "const a = []; while (true) a.push(new Uint8Array(1e7).fill(1))",
        "let s = 'x'; while (true) s = [...(s + s)].join('')",
        "const m = new WebAssembly.Memory({initial: 1}); m.grow(65000); new Uint8Array(m.buffer).fill(1); return {}",
        "const m = []; for (;;) m.push(new Uint8Array(new WebAssembly.Memory({initial: 99}).buffer).fill(1))",
        "return {x: 'a'.repeat(2 ** 29)}",
        "return {x: 'a'.repeat(100_000_000)}",
    ],
    ids=["objects", "buffers", "text", "wasm-growth", "wasm-memories", "half-gigabyte", "output"],
)
async def test_a_javascript_memory_bomb_ends_in_an_error(sandbox: CodeSandbox, bomb: str):
    message = await failure(javascript(sandbox, f"function main() {{ {bomb} }}"))

    assert any(
        word in message for word in ("MB of memory", "RangeError", "characters of JSON", "broke", "takes longer")
    )
    assert await still_runs(sandbox)


async def test_deep_recursion_in_javascript_is_an_error(sandbox: CodeSandbox):
    assert "RangeError" in await failure(javascript(sandbox, "function main() { return main() }"))
    nested = "function main() { let x = []; for (let i = 0; i < 100000; i++) x = [x]; return {x} }"
    assert await failure(javascript(sandbox, nested)) == "The code returned data that is nested too deeply."


async def test_an_answer_that_no_one_can_read_is_an_error(sandbox: CodeSandbox):
    forge = "function main() { self.postMessage({result: '[1, 2'}); while (true) {} }"

    assert await failure(javascript(sandbox, forge)) == "The code returned something that is not JSON data."


# ---------------------------------------------------------------- the processes themselves


@pytest.mark.parametrize("language", ["python", "javascript"])
async def test_a_process_killed_from_outside_is_an_error_of_that_run_only(sandbox: CodeSandbox, language: str):
    ask, endless = {
        "python": (python, "def main():\n    while True:\n        pass"),
        "javascript": (javascript, "function main() { while (true) {} }"),
    }[language]
    running = asyncio.create_task(ask(sandbox, endless))
    while sandbox.busy == 0:
        await asyncio.sleep(0.01)

    for pid in sandbox.pids:
        psutil.Process(pid).kill()

    assert "The process that ran the code broke off" in await failure(running)
    assert await still_runs(sandbox)


async def test_a_process_killed_while_idle_is_not_the_next_runs_fault(sandbox: CodeSandbox):
    await still_runs(sandbox)

    for pid in sandbox.pids:
        psutil.Process(pid).kill()

    assert await still_runs(sandbox)


async def test_the_processes_end_with_the_server(tmp_path: Path, made_once: Path):
    code = (
        "import asyncio, os, sys\nfrom pathlib import Path\n"
        "from tidemill.adapters.sandbox import CodeSandbox, Limits\nfrom tidemill.ports import CodeRequest\n"
        "async def main():\n"
        "    box = CodeSandbox(Path(sys.argv[1]), Limits(time_s=60), has_fast_path=False)\n"
        "    loop = 'def main():\\n    while True: pass'\n"
        "    task = asyncio.create_task(box.run(CodeRequest(language='python3', code=loop, inputs={})))\n"
        "    while not box.busy: await asyncio.sleep(0.01)\n"
        "    print(*box.pids, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(made_once), stdout=asyncio.subprocess.PIPE, cwd=tmp_path
    )

    output, _ = await process.communicate()

    pids = [int(word) for word in output.split()]
    assert pids
    while any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids):
        await asyncio.sleep(0.01)
