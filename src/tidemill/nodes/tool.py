"""Tool: calls one tool of a provider with parameters from the flow."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from tidemill.engine.node import Node
from tidemill.engine.values import Selector
from tidemill.nodes._shapes import Arguments, LooseMapping, Settings, present, selectors_of
from tidemill.nodes._unavailable import Unavailable


class Config(Settings):
    provider_id: str = ""
    provider_type: str = "builtin"
    provider_name: str = ""
    tool_name: str = ""
    tool_label: str = ""
    tool_configurations: Arguments = Field(default_factory=dict, title="Settings")
    tool_parameters: Arguments = Field(default_factory=dict, title="Parameters")
    plugin_id: str = ""
    output_schema: LooseMapping = Field(default_factory=dict)


class Tool(Unavailable, Node[Config, dict[str, Any]]):
    type = "tool"
    title = "Tool"
    is_effectful = True
    honours_retry: ClassVar[bool] = True
    streams = frozenset({"text"})

    def reads(self) -> tuple[Selector, ...]:
        return present(*selectors_of(self.config.tool_parameters), *selectors_of(self.config.tool_configurations))
