"""What is checked of a run: the value an expectation names, and whether it is as expected. Pure but for time limits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import regex

from tidemill.cli.flow_tests.files import Budgets, Case, Check
from tidemill.engine.events import Event, NodeFinished, RunFinished
from tidemill.engine.values import Value, to_text
from tidemill.nodes._schema import SchemaInvalid, SchemaViolated, check

REGEX_TIME_S: Final = 1.0
MAX_SHOWN_CHARS: Final = 300
SUCCEEDED: Final = ("succeeded", "partial-succeeded")


class NoSuchValue(Exception):
    """An expectation of a value that the run does not have. One sentence."""


def value_of(path: str, finished: RunFinished, events: Sequence[Event]) -> Any:
    """The value that `of` names. Raises `NoSuchValue`."""
    head, _, rest = path.partition(".")
    if path in ("answer", "status", "error"):
        return getattr(finished, path)
    if head == "outputs":
        return _walk(path, finished.outputs, rest)
    outputs = [event for event in events if isinstance(event, NodeFinished) and event.node_id == head]
    if not outputs:
        known = ", ".join(dict.fromkeys(event.node_id for event in events if isinstance(event, NodeFinished)))
        raise NoSuchValue(f"{path}: no node {head} ran. Those that ran: {known or 'none'}.")
    return _walk(path, outputs[-1].outputs or {}, rest)


def _walk(path: str, value: Any, rest: str) -> Any:
    for part in filter(None, rest.split(".")):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            known = f" It has: {', '.join(map(str, value))}." if isinstance(value, dict) and value else ""
            raise NoSuchValue(f"{path}: there is no {part}.{known}")
    return value


def failures_of(case: Case, finished: RunFinished, events: Sequence[Event]) -> list[str]:
    """What is not as expected, a sentence each; judges apart."""
    found: list[str] = []
    if finished.status not in SUCCEEDED and not any(item.of in ("status", "error") for item in case.expect):
        found.append(f"The run ended as {finished.status}: {finished.error or 'no reason is given'}")
    for item in case.expect:
        try:
            value = value_of(item.of, finished, events)
        except NoSuchValue as error:
            found.append(str(error))
            continue
        found += [f"{item.of} {fault}" for fault in _faults(item, value)]
    return found


def over_budget(budgets: Budgets, finished: RunFinished, elapsed_s: float) -> list[str]:
    """Which budgets the run went over."""
    found: list[str] = []
    cost = float(finished.usage.total_price)
    if budgets.max_cost is not None and cost > budgets.max_cost:
        found.append(f"The run cost {cost:g} {finished.usage.currency}; its budget is {budgets.max_cost:g}.")
    if budgets.max_latency_s is not None and elapsed_s > budgets.max_latency_s:
        found.append(f"The run took {elapsed_s:.2f} s; its budget is {budgets.max_latency_s:g} s.")
    if budgets.max_tokens is not None and finished.total_tokens > budgets.max_tokens:
        found.append(f"The run used {finished.total_tokens} tokens; its budget is {budgets.max_tokens}.")
    return found


def _faults(item: Check, value: Any) -> list[str]:
    asked = item.model_fields_set
    faults: list[str] = []
    if "equals" in asked and not same(value, item.equals):
        faults.append(f"is not {shown(item.equals)}: it is {shown(value)}.")
    if "contains" in asked and not _contains(value, item.contains):
        faults.append(f"does not contain {shown(item.contains)}: it is {shown(value)}.")
    if "not_contains" in asked and _contains(value, item.not_contains):
        faults.append(f"contains {shown(item.not_contains)}: it is {shown(value)}.")
    if item.one_of is not None and not any(same(value, choice) for choice in item.one_of):
        faults.append(f"is none of {shown(item.one_of)}: it is {shown(value)}.")
    if item.regex is not None:
        faults += _against_regex(item.regex, to_text(value))
    if item.json_schema is not None:
        faults += _against_schema(item.json_schema, value)
    if item.min is not None or item.max is not None:
        faults += _against_range(item, value)
    return faults


def same(left: Any, right: Any) -> bool:
    """Equality of JSON data: 1 is 1.0, but true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return left == right


def _contains(value: Any, part: Any) -> bool:
    if isinstance(value, list):
        return any(same(item, part) for item in value)
    if isinstance(value, dict):
        return part in value
    return to_text(part) in to_text(value)


def _against_regex(pattern: str, text: str) -> list[str]:
    try:
        if regex.search(pattern, text, timeout=REGEX_TIME_S):
            return []
    except regex.error as error:
        return [f"cannot be matched: the pattern {shown(pattern)} is wrong ({error})."]
    except TimeoutError:
        return [f"cannot be matched: the pattern {shown(pattern)} takes longer than {REGEX_TIME_S:g} s. Simplify it."]
    return [f"does not match {shown(pattern)}: it is {shown(text)}."]


def _against_schema(schema: dict[str, Any], value: Value) -> list[str]:
    if isinstance(value, str) and schema.get("type") not in (None, "string"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return [f"is not JSON: it is {shown(value)}."]
    try:
        check(schema, value)
    except (SchemaInvalid, SchemaViolated) as error:
        return [f"does not fit its schema. {error}"]
    return []


def _against_range(item: Check, value: Any) -> list[str]:
    try:
        number = float(value) if not isinstance(value, bool) else None
    except (TypeError, ValueError):
        number = None
    if number is None:
        return [f"is not a number: it is {shown(value)}."]
    if item.min is not None and number < item.min:
        return [f"is under {item.min:g}: it is {number:g}."]
    if item.max is not None and number > item.max:
        return [f"is over {item.max:g}: it is {number:g}."]
    return []


def shown(value: Any) -> str:
    """A value as a failure shows it: JSON, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MAX_SHOWN_CHARS else f"{text[:MAX_SHOWN_CHARS]}… ({len(text)} characters)"
