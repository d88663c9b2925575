"""OpenWeather: the weather now in a city.

Reference: openweathermap.org/current.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from tidemill.ports import ToolCall, ToolMessage
from tidemill.tools.provider import Arguments, CredentialField, Provider, asked, json_data, setting, text
from tidemill.tools.web import ask_json

PROVIDER = Provider(
    "openweather",
    "OpenWeather",
    "The weather.",
    credentials=[
        CredentialField(
            name="api_key",
            label="OpenWeather API key",
            help="From openweathermap.org",
            environment="OPENWEATHER_API_KEY",
        )
    ],
)


@PROVIDER.tool(
    "weather",
    "Open Weather Query",
    "Gets the weather now in a city.",
    asked("city", "Name of the city, in English."),
    setting("lang", "Language of the description, such as zh_cn or en.", default="zh_cn"),
    setting("units", "metric, imperial or standard.", default="metric"),
)
async def weather(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    query = [
        ("q", arguments.text("city")),
        ("appid", call.credentials["api_key"]),
        ("units", arguments.text("units") or "metric"),
        ("lang", arguments.text("lang") or "zh_cn"),
    ]
    found = await ask_json(call, "OpenWeather", "https://api.openweathermap.org/data/2.5/weather", query=query)
    yield json_data(found)
    yield text(json.dumps(found, ensure_ascii=False))
