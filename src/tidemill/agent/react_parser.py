"""Reads what a model writes that reasons and acts in text: one JSON object with an action, or what comes close."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import json_repair
import msgspec

FINAL: Final = frozenset({"final answer", "finalanswer"})
MAX_STARTS: Final = 200
# The repair is quadratic on hostile input.
MAX_REPAIR_CHARS: Final = 60_000

_FINAL_OPENING: Final = re.compile(
    r'\{\s*"action"\s*:\s*"final[ _]?answer"\s*,\s*"action[ _]?input"\s*:\s*"', re.IGNORECASE
)
_OPENING_CHARS: Final = 200
_LINES: Final = re.compile(
    r"^[ \t]*Action[ \t]*:[ \t]*(?P<name>[^\n{`]+?)[ \t]*\n+[ \t]*Action[ \t_]*Input[ \t]*:[ \t]*(?P<input>.*)",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_FINAL_LINE: Final = re.compile(r"^[ \t]*Final[ \t_]*Answer[ \t]*:[ \t]*(?P<text>.*)", re.I | re.M | re.S)
_PREFIX: Final = re.compile(r"^\s*Thought\s*:\s*", re.IGNORECASE)
_ENDING: Final = re.compile(r"(?:\s|```(?:json)?|\[|^\s*Action\s*:)+\Z", re.IGNORECASE | re.MULTILINE)
_FENCE: Final = re.compile(r"\A\s*```[a-z]*\s*|\s*```\s*\Z", re.IGNORECASE)
_OBSERVATION: Final = re.compile(r"\n\s*Observation\s*:?\s*\Z", re.IGNORECASE)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\", "/": "/"}
_decoder = json.JSONDecoder(strict=False)


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """What the model wants done. `thought` is what it wrote before."""

    thought: str
    name: str
    input: Any

    @property
    def is_final(self) -> bool:
        return " ".join(self.name.casefold().replace("_", " ").split()) in FINAL

    @property
    def text(self) -> str:
        """The input as text: what a final answer says."""
        if isinstance(self.input, str):
            return self.input
        return "" if self.input is None else json.dumps(self.input, ensure_ascii=False)


def read_action(text: str) -> Action:
    """The first action of an answer. What holds none is taken as the final answer itself."""
    found = _json_action(text) or _repaired_action(text) or _line_action(text)
    if found is not None:
        return found
    plain = _OBSERVATION.sub("", text).strip()
    return Action(thought="", name="Final Answer", input=_PREFIX.sub("", plain))


def _json_action(text: str) -> Action | None:
    at = -1
    for _ in range(MAX_STARTS):
        at = text.find("{", at + 1)
        if at < 0:
            return None
        try:
            value, _end = _decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            continue
        if (found := _action_of(value, text[:at])) is not None:
            return found
    return None


def _repaired_action(text: str) -> Action | None:
    """An object with the usual mistakes: cut off, a quote or comma missing, single quotes."""
    match = re.search(r"\{\s*[\"']?\s*action", text, re.IGNORECASE)
    if match is None or len(text) - match.start() > MAX_REPAIR_CHARS:
        return None
    try:
        value = json_repair.loads(_FENCE.sub("", text[match.start() :]), skip_json_loads=True)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list):
        value = next((item for item in value if isinstance(item, dict)), None)
    return _action_of(value, text[: match.start()])


def _line_action(text: str) -> Action | None:
    if (match := _LINES.search(text)) is not None:
        name = match["name"].strip().strip("\"'`")
        value = _FENCE.sub("", _OBSERVATION.sub("", match["input"])).strip()
        return Action(thought=_thought(text[: match.start()]), name=name, input=_value(value))
    if (match := _FINAL_LINE.search(text)) is not None:
        said = _OBSERVATION.sub("", match["text"]).strip()
        return Action(thought=_thought(text[: match.start()]), name="Final Answer", input=said)
    return None


def _value(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return text


def _action_of(value: Any, before: str) -> Action | None:
    """An object that names an action, whatever the exact spelling of its keys."""
    if not isinstance(value, dict):
        return None
    name: Any = None
    given: Any = None
    for key, item in value.items():
        spelled = str(key).casefold().replace("_", " ").strip()
        if "input" in spelled or spelled in ("arguments", "parameters", "args"):
            given = item
        elif spelled in ("action", "tool", "tool name", "action name", "name") and isinstance(item, str):
            name = item
    is_call = name is not None and (given is not None or any(str(key).casefold() == "action" for key in value))
    return Action(thought=_thought(before), name=str(name).strip(), input=given) if is_call else None


def _thought(before: str) -> str:
    return _PREFIX.sub("", _ENDING.sub("", before)).strip()


class FinalAnswerStream:
    """Shows the text of a final answer while its JSON object is still being written."""

    def __init__(self) -> None:
        self._text = ""
        self._searched = 0
        self._at = -1
        self._is_closed = False
        self.shown = ""

    def feed(self, piece: str) -> str:
        """Take the next piece of the model's text; returns what can be shown of the answer."""
        self._text += piece
        if self._at < 0 and not self._open():
            return ""
        said = "" if self._is_closed else self._unescaped()
        self.shown += said
        return said

    def _open(self) -> bool:
        match = _FINAL_OPENING.search(self._text, max(0, self._searched - _OPENING_CHARS))
        self._searched = len(self._text)
        if match is None:
            return False
        # An earlier action comes first, whatever the model imagines of its result.
        if _json_action(self._text[: match.start()]) is not None:
            self._is_closed = True
        self._at = match.end()
        return True

    def _unescaped(self) -> str:
        """Decode the JSON string from where we are, up to its end or to what is certain."""
        out: list[str] = []
        text, at = self._text, self._at
        while at < len(text):
            char = text[at]
            if char == '"':
                self._is_closed = True
                break
            if char != "\\":
                end = _next_special(text, at)
                out.append(text[at:end])
                at = end
                continue
            width, decoded = _escape(text, at)
            if not width:
                break
            out.append(decoded)
            at += width
        self._at = at
        return "".join(out)


def _next_special(text: str, at: int) -> int:
    found = [position for sign in '"\\' if (position := text.find(sign, at)) >= 0]
    return min(found, default=len(text))


def _escape(text: str, at: int) -> tuple[int, str]:
    """Length and meaning of the escape at `at`; a length of 0 when it is not complete yet."""
    sign = text[at + 1 : at + 2]
    if not sign:
        return 0, ""
    if sign != "u":
        return 2, _ESCAPES.get(sign, sign)
    first = _unit(text, at)
    if first is None:
        return (0, "") if len(text) < at + 6 else (2, "u")
    if not 0xD800 <= first < 0xDC00:
        return 6, chr(first) if not 0xDC00 <= first < 0xE000 else "\ufffd"
    rest = text[at + 6 : at + 12]
    if len(rest) < 6 and rest[:2] == "\\u"[: len(rest)]:
        return 0, ""
    second = _unit(text, at + 6)
    if second is None or not 0xDC00 <= second < 0xE000:
        return 6, "\ufffd"
    return 12, chr(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))


def _unit(text: str, at: int) -> int | None:
    digits = text[at + 2 : at + 6]
    if text[at : at + 2] != "\\u" or len(digits) < 4:
        return None
    try:
        return int(digits, 16)
    except ValueError:
        return None
