"""Time: the present moment, time zones, timestamps, days of the week."""

from __future__ import annotations

import calendar
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tidemill.ports import ToolCall, ToolFailed, ToolMessage
from tidemill.tools.provider import Arguments, Provider, asked, optional, setting, text

FORMAT: Final = "%Y-%m-%d %H:%M:%S"
_READABLE: Final = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y/%m/%d %H:%M:%S")

PROVIDER = Provider("time", "Time", "The present moment, time zones and timestamps.")


def _zone(name: str) -> tzinfo:
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ToolFailed(f"Invalid timezone: {name}. Use a name such as Europe/Berlin or Asia/Shanghai.") from error


def _moment(value: str, zone: tzinfo) -> datetime:
    for form in _READABLE:
        try:
            return datetime.strptime(value.strip(), form).replace(tzinfo=zone)
        except ValueError:
            continue
    raise ToolFailed(f"{value[:60]!r} is not a local time. Write it as 2025-01-31 23:59:59.")


@PROVIDER.tool(
    "current_time",
    "Current time",
    "Gets the current date and time in a time zone.",
    setting("format", "strftime format of the answer.", default=FORMAT),
    setting("timezone", "Name of the time zone, for example Asia/Shanghai.", default="UTC"),
)
async def current_time(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    now = datetime.now(_zone(arguments.text("timezone") or "UTC"))
    try:
        yield text(now.strftime(arguments.text("format") or FORMAT))
    except ValueError as error:
        raise ToolFailed(f"The time format cannot be used: {error}. Write it like {FORMAT}.") from error


@PROVIDER.tool(
    "localtime_to_timestamp",
    "Local time to timestamp",
    "Converts a local time to Unix seconds.",
    asked("localtime", "Local time, such as 2024-1-1 00:00:00."),
    optional("timezone", "Time zone of it, such as Asia/Shanghai.", default="Asia/Shanghai"),
)
async def localtime_to_timestamp(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    zone = _zone(arguments.text("timezone") or "Asia/Shanghai")
    yield text(str(int(_moment(arguments.text("localtime"), zone).timestamp())))


@PROVIDER.tool(
    "timestamp_to_localtime",
    "Timestamp to local time",
    "Converts Unix seconds to a local time.",
    asked("timestamp", "Unix timestamp in seconds.", type="number"),
    optional("timezone", "Time zone of the answer, such as Asia/Shanghai.", default="Asia/Shanghai"),
)
async def timestamp_to_localtime(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    zone = _zone(arguments.text("timezone") or "Asia/Shanghai")
    try:
        moment = datetime.fromtimestamp(arguments.number("timestamp"), zone)
    except (ValueError, OverflowError, OSError) as error:
        raise ToolFailed(f"{arguments.number('timestamp')} is not a Unix timestamp in seconds.") from error
    yield text(moment.strftime(FORMAT))


@PROVIDER.tool(
    "timezone_conversion",
    "Convert time zone",
    "Converts a time from one time zone to another.",
    asked("current_time", "The time to convert, such as 2024-1-1 00:00:00."),
    optional("source_timezone", "Time zone of the given time.", default="Asia/Shanghai"),
    optional("target_timezone", "Time zone to convert to.", default="America/New_York"),
    aliases=("timezone_convert",),
)
async def timezone_conversion(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    source = _zone(arguments.text("source_timezone") or "Asia/Shanghai")
    target = _zone(arguments.text("target_timezone") or "America/New_York")
    try:
        yield text(_moment(arguments.text("current_time"), source).astimezone(target).strftime(FORMAT))
    except OverflowError as error:
        raise ToolFailed("That time lies outside the calendar in the target time zone.") from error


@PROVIDER.tool(
    "weekday",
    "Weekday",
    "Says which day of the week a date is.",
    asked("year", "Year", type="number"),
    asked("month", "Month, 1 to 12", type="number"),
    asked("day", "Day of the month", type="number"),
)
async def weekday(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    year, month, day = (int(arguments.number(name)) for name in ("year", "month", "day"))
    try:
        found = date(year, month, day)
    except (ValueError, OverflowError) as error:
        raise ToolFailed(f"Invalid date: year={year}, month={month}, day={day}.") from error
    yield text(f"{calendar.month_name[month]} {day}, {year} is {calendar.day_name[found.weekday()]}.")
