"""Regular expressions on texts, within a time limit."""

import asyncio

import pytest

from tidemill.ports import ToolFailed
from tools.vendors import Bench, sentence_of


@pytest.mark.parametrize(
    ("expression", "content", "expected"),
    [
        (r"\d+", "a1b22c333", "['1', '22', '333']"),
        (r"(\w+)@", "ada@x bob@y", "['ada', 'bob']"),
        (r"(\w+)=(\d+)", "a=1 b=2", "[('a', '1'), ('b', '2')]"),
        (r"(a)|b", "ab", "['a', '']"),
        (r"x", "abc", "[]"),
    ],
)
async def test_all_matches_are_given_as_python_writes_them(bench: Bench, expression: str, content: str, expected: str):
    found = await bench.run("regex", "regex_extract", {"content": content, "expression": expression})

    assert found.text == expected


@pytest.mark.parametrize(
    ("expression", "content"),
    [(r"(a+)+$", "a" * 5000 + "b"), (r"(?:a|aa)+$", "a" * 5000 + "b"), (r"(.*)*x", "y" * 50_000)],
)
async def test_an_expression_that_would_take_for_ever_ends_and_others_go_on_meanwhile(
    bench: Bench, expression: str, content: str
):
    loop = asyncio.get_running_loop()
    work = bench.run("regex", "regex_extract", {"content": content, "expression": expression})
    bad = loop.create_task(sentence_of(work))
    good = await bench.run("regex", "regex_extract", {"content": "a1", "expression": r"\d"})

    assert good.text == "['1']"
    said = await bad
    assert said == "" or "longer than 2 seconds" in said


@pytest.mark.parametrize(
    ("expression", "content"), [("(", "x"), ("[", "x"), ("a{99999999999}", "x"), ("", "x"), ("x", "")]
)
async def test_a_wrong_expression_is_refused_with_a_sentence(bench: Bench, expression: str, content: str):
    with pytest.raises(ToolFailed, match=r"wrong|empty"):
        await bench.run("regex", "regex_extract", {"content": content, "expression": expression})
