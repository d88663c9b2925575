"""Data source: where a knowledge pipeline takes its documents from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tidemill.engine.node import Node
from tidemill.engine.values import Selector
from tidemill.nodes._shapes import Arguments, LooseList, LooseMapping, Settings, present, selectors_of
from tidemill.nodes._unavailable import Unavailable


class Config(Settings):
    plugin_id: str = ""
    provider_name: str = ""
    provider_type: Literal["local_file", "online_document", "website_crawl", "online_drive"] = "local_file"
    datasource_name: str = ""
    datasource_label: str = ""
    datasource_parameters: Arguments = Field(default_factory=dict)
    datasource_configurations: LooseMapping = Field(default_factory=dict)
    file_extensions: LooseList = Field(default_factory=list, alias="fileExtensions")


class Datasource(Unavailable, Node[Config, dict[str, Any]]):
    type = "datasource"
    title = "Data source"
    is_effectful = True
    is_root = True
    streams = frozenset({"text"})

    def reads(self) -> tuple[Selector, ...]:
        return present(*selectors_of(self.config.datasource_parameters))
