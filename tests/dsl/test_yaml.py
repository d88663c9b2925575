from __future__ import annotations

import random

import pytest
import yaml

from tidemill.dsl.yaml_reader import load
from tidemill.dsl.yaml_writer import dump

ALPHABET = [
    *"ab1 .:-#'\"\\\n\n\t |>{}[],&*!%@`?~=é中😀\u2028\x85\u00a0\ufeff\x07\r0xEeT<",
    "null",
    "true",
    "1e5",
    ": ",
    " #",
]
PIECES = [
    *ALPHABET,
    "\n  ",
    "---",
    "...",
    "- ",
    "12:30",
    "2024-01-01",
    "{{#a.b#}}",
    "yes",
    "0o17",
    "+1",
    "1_000",
    ".inf",
]


@pytest.mark.parametrize("seed", range(4))
def test_what_is_written_is_read_back_whatever_the_text(seed: int):
    source = random.Random(seed)

    for index in range(1200):
        text = "".join(source.choice(PIECES) for _ in range(source.randint(0, 8)))
        document = {"k": text, "l": [text, [text, {"x": text}], {"y": text, "z": [text]}], "m": {"n": {"o": text}}}
        if index % 3 == 0:
            document[text or "empty"] = text
        written = dump(document)
        assert load(written) == document
        assert yaml.load(written, Loader=yaml.CSafeLoader) == document
        assert dump(load(written)) == written


@pytest.mark.parametrize(
    "text",
    "1 -1 +7 1_000 0b101 017 0x1F 12:30 -1:30:00 1.5 .5 1.5e+3 1. true No on null ~ word 1e5 0 00 1.2.3 192.168.0.1".split(),  # noqa: SIM905, E501
)
def test_plain_scalars_mean_what_a_yaml_reader_takes_them_for(text: str):
    assert load(f"a: {text}") == yaml.load(f"a: {text}", Loader=yaml.CSafeLoader)


def test_dates_and_special_floats_stay_text_and_keys_are_text():
    assert load("a: 2024-01-01\nb: .inf\nc: .nan\n1: x\nyes: y\n") == {
        "a": "2024-01-01",
        "b": ".inf",
        "c": ".nan",
        "1": "x",
        "yes": "y",
    }
    assert load("a: !!str 5\nb: !!int '5'\nc: ! x\nd: 0b\ne: 0x\n") == {
        "a": "5",
        "b": 5,
        "c": "x",
        "d": "0b",
        "e": "0x",
    }


def test_the_last_of_two_equal_keys_counts():
    assert load("a: 1\na: 2") == {"a": 2}


def test_merged_mappings_come_first_and_own_keys_win():
    assert load("x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz: {<<: [*x, *y], c: 5}")["z"] == {"b": 2, "c": 5, "a": 1}


def test_the_form_is_block_style_with_readable_texts():
    document = {
        "name": "x",
        "empty": [{}, [], "", None, True, 1, 1e20, 1.5],
        "code": "def main():\n    return 1\n",
        "spaced": "  first\nsecond",
        "many": "a\n\n\n",
        "list": [{"a": "1", "b": {"c": "yes"}}, [["x"]]],
        "tab": "a\tb",
    }

    assert dump(document) == (
        "name: x\nempty:\n- {}\n- []\n- ''\n- null\n- true\n- 1\n- 1.0e+20\n- 1.5\n"
        "code: |\n  def main():\n      return 1\nspaced: |2-\n    first\n  second\nmany: |+\n  a\n\n\n"
        "list:\n- a: '1'\n  b:\n    c: 'yes'\n- - - x\ntab: \"a\\tb\"\n"
    )


def test_an_empty_document_long_keys_and_broken_characters_can_be_written():
    key = "long key " * 200

    assert dump({}) == "{}\n"
    assert load(dump({"m": {key: {"a": [1]}, "n": 2}})) == {"m": {key: {"a": [1]}, "n": 2}}
    assert load(dump({"a": "\ud800"})) == {"a": "\ufffd"}
    assert dump({"a": float("inf"), "b": float("-inf"), "c": float("nan")}) == "a: .inf\nb: -.inf\nc: .nan\n"
