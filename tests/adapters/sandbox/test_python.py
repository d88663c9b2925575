from __future__ import annotations

import asyncio
import zoneinfo
from pathlib import Path

import psutil
import pytest

from adapters.sandbox.conftest import Open, failure, python
from tidemill.adapters.sandbox import CodeSandbox
from tidemill.ports import CodeFailed


@pytest.fixture
def sandbox(opened: Open) -> CodeSandbox:
    """The full interpreter alone."""
    return opened(has_fast_path=False)


async def test_inputs_are_keyword_arguments_and_the_result_is_json_data(sandbox: CodeSandbox):
    code = (
        "def main(text: str, 数字: int) -> dict:\n    return {'text': text * 2, 'n': 数字 + 1, 't': (1, None), 3: True}"
    )

    assert await python(sandbox, code, text="é中😀", 数字=41) == {
        "text": "é中😀é中😀", "n": 42, "t": [1, None], "3": True,
    }  # fmt: skip


async def test_nothing_of_a_run_is_left_for_the_next(sandbox: CodeSandbox):
    first = (
        "import builtins, json, sys\n"
        "def main():\n    builtins.left = json.left = sys.left = 1\n    open('left', 'w').write('x')\n    return 1"
    )
    second = (
        "import builtins, json, os, sys\n"
        "def main():\n    return [hasattr(m, 'left') for m in (builtins, json, sys)] + [os.path.exists('left')]"
    )

    await python(sandbox, first)

    assert await python(sandbox, second) == [False, False, False, False]


async def test_random_numbers_differ_from_run_to_run(sandbox: CodeSandbox):
    code = "import random, uuid\ndef main():\n    return [random.random(), uuid.uuid4().hex]"

    first, second = await python(sandbox, code), await python(sandbox, code)

    assert first[0] != second[0]
    assert first[1] != second[1]


LIBRARY = {
    "json": ("json.loads(json.dumps({'b': [1.5, None]}))", {"b": [1.5, None]}),
    "re": ("re.sub(r'(?<=a)(b)', lambda m: m.group(1).upper(), 'abab')", "aBaB"),
    "datetime": ("(datetime.date(2024, 2, 28) + datetime.timedelta(days=2)).strftime('%d %A')", "01 Friday"),
    "math": ("[math.isclose(math.sin(math.pi), 0, abs_tol=1e-9), math.comb(5, 2)]", [True, 10]),
    "random": ("random.Random(7).randint(1, 1000)", 332),
    "base64": ("base64.b64decode(base64.b64encode('é'.encode())).decode()", "é"),
    "hashlib": ("hashlib.sha256(b'a').hexdigest()[:8] + hashlib.md5(b'a').hexdigest()[:4]", "ca978112" + "0cc1"),
    "collections": ("collections.Counter('aab').most_common()", [["a", 2], ["b", 1]]),
    "itertools": ("list(itertools.accumulate([1, 2, 3]))", [1, 3, 6]),
    "urllib.parse": ("urllib.parse.urlencode({'q': '中 a'})", "q=%E4%B8%AD+a"),
    "csv": ("list(csv.reader(['a,\"b,c\"', 'd,e']))", [["a", "b,c"], ["d", "e"]]),
    "statistics": ("[statistics.median([3, 1, 2]), round(statistics.stdev([1, 2, 4]), 6)]", [2, 1.527525]),
    "string": ("string.Template('$a!').substitute(a=1) + string.ascii_lowercase[:3]", "1!abc"),
    "uuid": ("str(uuid.uuid5(uuid.NAMESPACE_DNS, 'a.example'))[14]", "5"),
    "textwrap": ("textwrap.fill('aa bb cc', 5)", "aa bb\ncc"),
    "html": ("html.unescape(html.escape('<&'))", "<&"),
    "xml.etree.ElementTree": ("xml.etree.ElementTree.fromstring('<a><b>1</b></a>').find('b').text", "1"),
    "decimal": ("str(decimal.Decimal('0.1') + decimal.Decimal('0.2'))", "0.3"),
    "time": ("time.strftime('%H:%M', time.gmtime(60))", "00:01"),
    "functools": ("functools.reduce(lambda a, b: a * b, [2, 3, 4])", 24),
    "unicodedata": ("unicodedata.name('中').startswith('CJK')", True),
    "dataclasses": ("dataclasses.asdict(dataclasses.make_dataclass('P', ['x'])(1))", {"x": 1}),
    "enum": ("enum.Enum('E', 'A B').B.value", 2),
    "zlib": ("zlib.crc32(b'a')", 3904355907),
}  # fmt: skip


@pytest.mark.parametrize("group", [list(LIBRARY)[start::4] for start in range(4)], ids=lambda group: group[0])
async def test_the_standard_library_is_there(sandbox: CodeSandbox, group: list[str]):
    imports = "\n".join(f"import {name}" for name in group)
    values = ", ".join(f"{name!r}: {LIBRARY[name][0]}" for name in group)

    result = await python(sandbox, f"{imports}\ndef main():\n    return {{{values}}}")

    assert result == {name: LIBRARY[name][1] for name in group}


async def test_time_zones_are_known(sandbox: CodeSandbox):
    code = (
        "from datetime import datetime\nfrom zoneinfo import ZoneInfo\n"
        "def main():\n    return datetime(2024, 7, 1, tzinfo=ZoneInfo('Asia/Shanghai')).isoformat()"
    )

    assert await python(sandbox, code) == "2024-07-01T00:00:00+08:00"
    assert "Asia/Shanghai" in zoneinfo.available_timezones()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def main():\n    x = 1\n    return x / 0", "ZeroDivisionError: division by zero (line 3)"),
        ("def main(:\n    pass", "SyntaxError: invalid syntax (line 1)"),
        ("def other():\n    return {}", "NameError: the code defines no function main"),
        ("def main(a):\n    return {}", "TypeError: main() missing 1 required positional argument: 'a'"),
        ("def main():\n    return {'x': {1, 2}}", "TypeError: Object of type set is not JSON serializable"),
        ("import sys\ndef main():\n    sys.exit(3)", "SystemExit: the program ended itself (line 3)"),
        ("def main():\n    raise KeyError('k')", "KeyError: 'k' (line 2)"),
    ],
)
async def test_an_error_is_the_interpreters_own(sandbox: CodeSandbox, code: str, message: str):
    assert (await failure(python(sandbox, code))).startswith(message)


async def test_printing_is_ignored(sandbox: CodeSandbox):
    code = (
        "import sys\n"
        "def main():\n    print('x' * 100000)\n    sys.stderr.write('y')\n    return {'in': sys.stdin.read()}"
    )

    assert await python(sandbox, code) == {"in": ""}


async def test_a_program_may_be_a_module_with_classes_and_annotations(sandbox: CodeSandbox):
    code = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\nimport typing\n\n"
        "@dataclass\nclass Point:\n    x: int\n    y: Missing = 2\n\n"
        "def main(n: int) -> dict[str, Point]:\n    return {'p': vars(Point(n)), 'name': __name__}"
    )

    assert await python(sandbox, code, n=1) == {"p": {"x": 1, "y": 2}, "name": "__main__"}


async def test_inputs_that_json_cannot_hold_are_refused(sandbox: CodeSandbox):
    assert "not finite" in await failure(python(sandbox, "def main(a):\n    return {}", a=float("inf")))


async def test_half_of_a_surrogate_pair_passes_in_and_out(sandbox: CodeSandbox):
    code = "def main(a):\n    return {'n': ord(a), 'a': a}"

    assert await python(sandbox, code, a="\ud83d") == {"n": 0xD83D, "a": "\ud83d"}


async def test_nothing_starts_before_the_first_run_and_closing_leaves_no_process(opened: Open):
    sandbox = opened(processes=2, has_fast_path=False)
    before = sandbox.pids
    await asyncio.gather(*(python(sandbox, "def main():\n    return {}") for _ in range(3)))
    during = sandbox.pids

    await sandbox.close()

    assert before == ()
    assert 1 <= len(during) <= 2
    assert not [pid for pid in during if psutil.pid_exists(pid)]


async def test_an_idle_process_ends(opened: Open):
    sandbox = opened(idle_s=0.05, has_fast_path=False)
    await python(sandbox, "def main():\n    return {}")
    (pid,) = sandbox.pids

    while psutil.pid_exists(pid):
        await asyncio.sleep(0.01)

    assert sandbox.pids == ()
    assert await python(sandbox, "def main():\n    return {'again': 1}") == {"again": 1}


async def test_a_process_is_replaced_after_its_share_of_runs(opened: Open):
    sandbox = opened(runs_per_process=2, has_fast_path=False)
    pids: list[int] = []
    for _ in range(3):
        await python(sandbox, "def main():\n    return {}")
        pids += sandbox.pids

    assert len(set(pids)) == 2


async def test_a_cancelled_run_leaves_no_process(opened: Open):
    sandbox = opened(has_fast_path=False)
    await python(sandbox, "def main():\n    return {}")
    (process,) = map(psutil.Process, sandbox.pids)
    running = asyncio.create_task(python(sandbox, "def main():\n    while True: pass"))
    while sandbox.busy == 0:
        await asyncio.sleep(0)

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 1)

    assert not process.is_running()
    assert await python(sandbox, "def main():\n    return {'next': 1}") == {"next": 1}


async def test_a_damaged_saved_memory_is_made_anew(opened: Open, made_once: Path):
    await python(opened(has_fast_path=False), "def main():\n    return {}")
    (saved,) = await asyncio.to_thread(lambda: list(made_once.glob("*.snapshot")))
    size = saved.stat().st_size
    saved.write_bytes(saved.read_bytes()[:70000])

    result = await python(opened(has_fast_path=False), "def main():\n    return {'x': 1}")

    assert result == {"x": 1}
    assert saved.stat().st_size == size


async def test_without_the_interpreters_files_the_error_says_how_to_get_them(tmp_path: Path):
    sandbox = CodeSandbox(tmp_path, runtime=tmp_path / "nothing", has_fast_path=False)

    with pytest.raises(CodeFailed, match=r"not built with this installation. Run: python3 start.py sandbox"):
        await python(sandbox, "def main():\n    return {}")
