"""Plugin trigger: an event of a connected service begins the run."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tidemill.engine.node import Node
from tidemill.engine.values import Selector
from tidemill.nodes._shapes import Arguments, LooseMapping, Settings, present, selectors_of
from tidemill.nodes._unavailable import Unavailable


class Config(Settings):
    plugin_id: str = ""
    provider_id: str = ""
    event_name: str = ""
    event_label: str = ""
    subscription_id: str = ""
    plugin_unique_identifier: str = ""
    event_parameters: Arguments = Field(default_factory=dict)
    output_schema: LooseMapping = Field(default_factory=dict)


class TriggerPlugin(Unavailable, Node[Config, dict[str, Any]]):
    type = "trigger-plugin"
    title = "Plugin trigger"
    is_root = True

    def reads(self) -> tuple[Selector, ...]:
        return present(*selectors_of(self.config.event_parameters))
