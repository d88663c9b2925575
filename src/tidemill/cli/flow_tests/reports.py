"""What `tidemill test` tells: lines for people, an object for programs, JUnit for CI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias
from xml.etree import ElementTree

import msgspec

Verdict: TypeAlias = Literal["passed", "failed", "stale", "error"]
_MARKS: dict[Verdict, str] = {"passed": "PASS", "failed": "FAIL", "stale": "STALE", "error": "ERROR"}


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a case. Times in seconds; `cost` is a decimal text; `mode` says where its answers came from."""

    file: str
    name: str
    verdict: Verdict
    mode: Literal["live", "recorded", "cassette"]
    problems: list[str] = []
    elapsed_s: float = 0.0
    total_tokens: int = 0
    cost: str = "0"
    currency: str = "USD"


def lines(outcomes: Sequence[Outcome]) -> list[str]:
    """A line for each case, its problems below, and the sums."""
    told: list[str] = []
    for outcome in outcomes:
        told.append(f"{_MARKS[outcome.verdict]:<5} {outcome.name} ({outcome.mode}, {outcome.elapsed_s:.2f} s)")
        told += [f"      {problem}" for problem in outcome.problems]
    counts = {verdict: sum(1 for outcome in outcomes if outcome.verdict == verdict) for verdict in _MARKS}
    told.append(", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count or verdict == "passed"))
    return told


def as_json(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The object of `--json`."""
    passed = sum(1 for outcome in outcomes if outcome.verdict == "passed")
    return {
        "passed": passed,
        "failed": len(outcomes) - passed,
        "cases": [msgspec.to_builtins(outcome) for outcome in outcomes],
    }


def junit(outcomes: Sequence[Outcome]) -> bytes:
    """A JUnit document: a suite for each file. Stale cassettes are failures, cases that could not run errors."""
    root = ElementTree.Element("testsuites")
    for file in dict.fromkeys(outcome.file for outcome in outcomes):
        cases = [outcome for outcome in outcomes if outcome.file == file]
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=file,
            tests=str(len(cases)),
            failures=str(sum(1 for case in cases if case.verdict in ("failed", "stale"))),
            errors=str(sum(1 for case in cases if case.verdict == "error")),
            time=f"{sum(case.elapsed_s for case in cases):.3f}",
        )
        for case in cases:
            element = ElementTree.SubElement(
                suite, "testcase", classname=file, name=case.name, time=f"{case.elapsed_s:.3f}"
            )
            if case.verdict != "passed":
                kind = "error" if case.verdict == "error" else "failure"
                fault = ElementTree.SubElement(element, kind, type=case.verdict, message=_clean(case.problems[0]))
                fault.text = _clean("\n".join(case.problems))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _clean(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return "".join(
        letter if letter in "\t\n" or (" " <= letter <= "\ud7ff") or letter > "\ue000" else "\ufffd" for letter in text
    )
