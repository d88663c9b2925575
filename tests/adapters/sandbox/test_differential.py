"""Both interpreters against CPython. `bench/sandbox_differential.py` runs the same over more programs."""

from __future__ import annotations

from pathlib import Path

import pytest

import sandbox_cpython
from adapters.sandbox.conftest import failure, python
from sandbox_differential import as_answer, code_nodes, disagreements, fast_answers, full_answers, request_of
from sandbox_programs import program
from tidemill.adapters.sandbox import CodeSandbox, Limits
from tidemill.adapters.sandbox.allowed import are_tame, is_same_everywhere
from tidemill.adapters.sandbox.fast import Undecided
from tidemill.adapters.sandbox.sandbox import is_fast

FIXTURES = Path(__file__).parents[2] / "fixtures" / "dsl"
MADE = [program(seed) for seed in range(1000)]


async def test_the_fast_path_gives_what_cpython_gives():
    expected = sandbox_cpython.answers(MADE)

    outcomes = await fast_answers(MADE)

    answers = [as_answer(outcome, want) for outcome, want in zip(outcomes, expected, strict=True)]
    assert disagreements(MADE, expected, answers) == []
    assert sum(is_fast(request_of(item)) for item in MADE) > 700
    assert sum(not isinstance(outcome, Undecided) for outcome in outcomes) > 600


async def test_the_full_path_gives_what_cpython_gives(made_once: Path):
    programs = [*code_nodes(FIXTURES), *MADE[:40]]
    expected = sandbox_cpython.answers(programs)

    assert disagreements(programs, expected, await full_answers(programs, made_once)) == []


@pytest.mark.parametrize(
    "line",
    [
        "sum([0.1] * 10)",
        "round(2.675, 2)",
        "2 ** 0.5",
        "list({3, 1, 2, 100})",
        "[list(z) for z in [zip([1], [2])] * 2]",
        "list(g) + list(g)",
        "re.findall('a$', 'a')",
        "re.sub('x*', '-', 'abxd')",
        "re.sub('a', r'\\1', 'a')",
        "re.findall(text, 'a')",
        "open('x').read()",
        "__import__('os').getcwd()",
        "text.__class__",
        "getattr(text, 'upper')()",
        "eval('1')",
        "hash(text)",
        "'{0.__class__}'.format(text)",
        "f'{text:{count}}'",
        "{1: 'a', True: 'b'}",
        "text is 'x'",
        "'²'.isdigit()",
        "(yield text)",
        "[x async for x in text]",
        "print.__self__",
    ],
)
def test_what_is_known_to_differ_or_never_compared_is_not_for_the_fast_path(line: str):
    code = f"import re\ng = [1]\ndef main(text, count):\n    g = (x for x in text)\n    return {{'x': {line}}}"

    assert not is_same_everywhere(code)


@pytest.mark.parametrize(
    "code",
    [
        "import os\ndef main():\n    return {}",
        "def main():\n    try:\n        return {}\n    except ValueError as error:\n        return {'e': str(error)}",
        "class A:\n    pass\ndef main():\n    return {}",
        "@staticmethod\ndef main():\n    return {}",
        "def str(x):\n    return x\ndef main():\n    return {}",
        "def f(id):\n    return id\ndef main(x):\n    return {'x': id(x)}",
        "def main(x: undefined_name):\n    return {}",
        "from re import compile\ndef main():\n    return {}",
        "x = 1",
        "def main(:",
        "(" * 3000,
        "def main():\n    return " + "-" * 20000 + "1",
        "def main():\n    return '" + "a" * 60000 + "'",
        "def main():\n    return 'a\\x1cb'.split()",
        "\0",
    ],
)
def test_programs_beyond_the_list_are_not_for_the_fast_path(code: str):
    assert not is_same_everywhere(code)


@pytest.mark.parametrize("text", ["x²", "a\u0301", "\x1c", "\u2028", "ß", "İ", "\ud800", "\\ud83d", "ﬁ", "\xa0", "๑"])
def test_texts_on_which_the_interpreters_disagree_are_not_for_the_fast_path(text: str):
    assert not are_tame({"a": [text]})
    assert not are_tame({text: 1})


def test_ordinary_texts_are():
    assert are_tame({"a": ["Hello, world! 123\n", "你好，“世界”。", "été", "😀 ✅", None, 1.5, {"k": True}]})


async def test_what_the_fast_path_cannot_finish_ends_as_in_the_full_one(made_once: Path):
    sandbox = CodeSandbox(made_once, Limits(processes=1, time_s=30))
    code = "def main(n):\n    x = 0\n    while x < n:\n        x = x + 1\n    return {'x': 10 // (x - n + 1)}"
    try:
        assert await python(sandbox, code, n=10) == {"x": 10}
        assert sandbox.pids == ()
        message = await failure(python(sandbox, "def main(n):\n    return {'x': n / 0}", n=1))
    finally:
        await sandbox.close()

    assert message == "ZeroDivisionError: division by zero (line 2)"
