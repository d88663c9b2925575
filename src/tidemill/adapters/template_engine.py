"""minijinja, completed by what Jinja2 templates in the wild also use. Imported by the server and by the worker."""

from __future__ import annotations

import json
import random
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import minijinja

# Steps of the template machine: some seconds' worth. Memory and time have limits of their own.
FUEL = 50_000_000


class RenderFailed(Exception):
    """The template is wrong. One sentence."""


def render(environment: minijinja.Environment, source: str, values: Mapping[str, Any], max_chars: int) -> str:
    """Render a template whose output may be at most `max_chars` long.

    Raises:
        RenderFailed: The template is wrong, takes too many steps, or says too much.
    """
    # Jinja2 reads every line ending as a line feed.
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    # `self` is the template's own name for itself; no variable can have it.
    named = {name: value for name, value in values.items() if name != "self"}
    try:
        text = environment.render_str(source, None, **named)
    except minijinja.TemplateError as error:
        raise RenderFailed(_sentence(error)) from error
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise RenderFailed(f"The template could not be rendered: {error}.") from error
    if len(text) > max_chars:
        raise RenderFailed(
            f"The rendered text has {len(text)} characters; the limit is {max_chars}. "
            "Make the template's output smaller."
        )
    return text


def _sentence(error: minijinja.TemplateError) -> str:
    if error.kind == "OutOfFuel":
        return "The template takes too many steps. Make its loops smaller."
    what = error.detail or error.message.split(" (in ", 1)[0]
    line = f" (line {error.line})" if error.line else ""
    return f"The template could not be rendered: {what}{line}."


def environment() -> minijinja.Environment:
    """A sandbox with Jinja2's names, behaviour and white space rules."""
    made = minijinja.Environment(debug=False, fuel=FUEL, pycompat=True)
    made.remove_global("debug")
    for name, function in _FILTERS.items():
        made.add_filter(name, function)
    return made


# ---------------------------------------------------------------- filters that minijinja lacks or takes differently


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _truncate(value: Any, length: int = 255, killwords: bool = False, end: str = "...", leeway: int = 5) -> str:
    text = _text(value)
    if len(text) <= length + leeway:
        return text
    cut = text[: length - len(end)]
    return (cut if killwords else cut.rsplit(" ", 1)[0]) + end


def _center(value: Any, width: int = 80) -> str:
    return _text(value).center(width)


def _wordcount(value: Any) -> int:
    return len(re.findall(r"\w+", _text(value)))


def _wordwrap(
    value: Any,
    width: int = 79,
    break_long_words: bool = True,
    wrapstring: str = "\n",
    break_on_hyphens: bool = True,
) -> str:
    return wrapstring.join(
        wrapstring.join(
            textwrap.wrap(
                line,
                width=width,
                expand_tabs=False,
                replace_whitespace=False,
                break_long_words=break_long_words,
                break_on_hyphens=break_on_hyphens,
            )
        )
        for line in _text(value).splitlines()
    )


def _tojson(value: Any, indent: int | None = None) -> str:
    text = json.dumps(value, sort_keys=True, indent=indent)
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return minijinja.safe(text)


def _int(value: Any, default: Any = 0, base: int = 10) -> Any:
    try:
        return int(value, base) if isinstance(value, str) else int(value)
    except (TypeError, ValueError, OverflowError):
        try:
            return int(float(value))
        except (TypeError, ValueError, OverflowError):
            return default


def _float(value: Any, default: Any = 0.0) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return default


def _escape(value: Any) -> str:
    return value if hasattr(value, "__html__") else _forceescape(value)


def _forceescape(value: Any) -> str:
    text = str(value)
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&#34;"), ("'", "&#39;")):
        text = text.replace(character, entity)
    return minijinja.safe(text)


def _random(values: Sequence[Any]) -> Any:
    return random.choice(list(values)) if values else None  # noqa: S311 - a template's choice guards nothing


def _xmlattr(values: Mapping[str, Any], autospace: bool = True) -> str:
    pairs = " ".join(f'{_escape(key)}="{_escape(value)}"' for key, value in values.items() if value is not None)
    return f" {pairs}" if autospace and pairs else pairs


_FILTERS = {
    "truncate": _truncate,
    "center": _center,
    "wordcount": _wordcount,
    "wordwrap": _wordwrap,
    "tojson": _tojson,
    "int": _int,
    "float": _float,
    "e": _escape,
    "escape": _escape,
    "forceescape": _forceescape,
    "random": _random,
    "xmlattr": _xmlattr,
}
