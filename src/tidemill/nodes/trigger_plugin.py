"""Plugin trigger: an event of a connected service begins the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from tidemill.engine.errors import InputInvalid
from tidemill.engine.node import Node
from tidemill.engine.values import Selector, Value
from tidemill.nodes._shapes import Arguments, LooseMapping, Settings, present, selectors_of
from tidemill.nodes._trigger import Trigger

_FROM_TEXT = frozenset({"number", "integer", "boolean", "object", "array"})


class Config(Settings):
    plugin_id: str = ""
    provider_id: str = ""
    event_name: str = ""
    event_label: str = ""
    subscription_id: str = ""
    plugin_unique_identifier: str = ""
    event_parameters: Arguments = Field(default_factory=dict)
    output_schema: LooseMapping = Field(default_factory=dict)


class TriggerPlugin(Trigger, Node[Config, dict[str, Value]]):
    """Gives the values of the event, by name, and the system variables."""

    type = "trigger-plugin"
    title = "Plugin trigger"
    is_root = True
    is_inline = True

    def payload(self, given: Mapping[str, Any]) -> dict[str, Value]:
        return {name: self._read(name, value) for name, value in given.items()}

    def _read(self, name: str, value: Any) -> Value:
        """A value of the event; a text is read as JSON where the event's schema says that it is no text."""
        properties = self.config.output_schema.get("properties")
        declared = properties.get(name) if isinstance(properties, dict) else None
        kind = declared.get("type") if isinstance(declared, dict) else None
        if not isinstance(value, str) or kind not in _FROM_TEXT:
            return value
        try:
            return json.loads(value)
        except (ValueError, RecursionError) as error:
            raise InputInvalid(f"`{name}` must be JSON of type {kind}", variable=name) from error

    def reads(self) -> tuple[Selector, ...]:
        return present(*selectors_of(self.config.event_parameters))
