"""Schedule trigger: a run begins at set times."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import BeforeValidator, Field, field_validator, model_validator

from tidemill.engine.node import Node
from tidemill.engine.values import Value
from tidemill.nodes._shapes import Settings, Shape
from tidemill.nodes._trigger import Trigger

_ALIASES = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
_MONTHS = {
    name: index
    for index, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_WEEKDAYS = {name: index for index, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _WEEKDAYS),
)
_TIME = re.compile(r"^(0?[1-9]|1[0-2]):[0-5]\d ?(AM|PM)$", re.IGNORECASE)


def cron_fault(expression: str) -> str | None:
    """What is wrong with a cron expression, as a sentence's end; None when it is right.

    Five fields (minute, hour, day, month, weekday) with lists, ranges, steps, names, `L`, `?`, and 7 for
    Sunday; or a name such as `@daily`.
    """
    text = expression.strip().lower()
    if text.startswith("@"):
        return None if text in _ALIASES else f'"{expression}" is not a known schedule name; use for example @daily'
    parts = text.split()
    if len(parts) != len(_FIELDS):
        return f'"{expression}" has {len(parts)} fields; a cron expression has five, for example "0 9 * * 1-5"'
    for part, (name, low, high, names) in zip(parts, _FIELDS, strict=True):
        if not all(_item_fits(item, name, low, high, names) for item in part.split(",")):
            return f'"{part}" does not fit the {name} ({low} to {high})'
    return None


def _item_fits(item: str, name: str, low: int, high: int, names: dict[str, int]) -> bool:
    if item in ("*", "?"):
        return item == "*" or name.startswith("day")
    if name.startswith("day") and (item == "l" or (item.endswith("l") and name == "day of the week")):
        return item == "l" or _number(item[:-1], low, high, names) is not None
    base, slash, step = item.partition("/")
    if slash and not (step.isdecimal() and 1 <= int(step) <= max(high, 1)):
        return False
    if base == "*":
        return bool(slash)
    first, dash, last = base.partition("-")
    start = _number(first, low, high, names)
    if start is None or not dash:
        return start is not None
    end = _number(last, low, high, names)
    return end is not None and (start <= end or bool(names))


def _number(text: str, low: int, high: int, names: dict[str, int]) -> int | None:
    if text in names:
        return names[text]
    if text.isascii() and text.isdecimal() and low <= int(text) <= high:
        return int(text)
    return None


@lru_cache(maxsize=1)
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _day(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


class VisualSchedule(Shape):
    on_minute: int = Field(default=0, ge=0, le=59)
    time: str = "12:00 AM"
    weekdays: tuple[
        Annotated[Literal["sun", "mon", "tue", "wed", "thu", "fri", "sat"], BeforeValidator(_lower)], ...
    ] = ("sun",)
    monthly_days: tuple[Annotated[Literal["last"] | Annotated[int, Field(ge=1, le=31)], BeforeValidator(_day)], ...] = (
        1,
    )

    @field_validator("time")
    @classmethod
    def _is_a_time(cls, value: str) -> str:
        if not _TIME.match(value.strip()):
            raise ValueError(f'"{value}" is not a time; write it as "9:30 AM"')
        return value


class Config(Settings):
    mode: Literal["visual", "cron"] = "visual"
    frequency: Literal["hourly", "daily", "weekly", "monthly"] = "daily"
    visual_config: VisualSchedule = VisualSchedule()
    cron_expression: str = ""
    timezone: str = "UTC"

    @model_validator(mode="before")
    @classmethod
    def _lift_nested(cls, data: Any) -> Any:
        # Some files keep the settings under `config`; keys beside it are newer and win.
        if isinstance(data, dict) and isinstance(data.get("config"), dict):
            return {**data["config"], **{key: value for key, value in data.items() if value is not None}}
        return data

    @field_validator("timezone")
    @classmethod
    def _is_a_timezone(cls, value: str) -> str:
        known = _timezones()
        # A system without time zone data knows none; then the name is taken as it is.
        if known and value not in ("", "UTC") and value not in known:
            raise ValueError(f'"{value}" is not a time zone; use a name such as "Europe/Berlin"')
        return value or "UTC"

    @model_validator(mode="after")
    def _cron_is_right(self) -> Config:
        if self.mode == "cron":
            fault = cron_fault(self.cron_expression)
            if fault is not None:
                raise ValueError(f"the cron expression {fault}")
        return self


class TriggerSchedule(Trigger, Node[Config, dict[str, Value]]):
    """Gives the system variables, of which `sys.timestamp` is the moment it was due (Unix seconds)."""

    type = "trigger-schedule"
    title = "Schedule trigger"
    is_root = True
    is_inline = True

    def payload(self, given: Mapping[str, Any]) -> dict[str, Value]:
        del given  # a moment carries nothing
        return {}
