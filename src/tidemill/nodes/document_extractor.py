"""Document extractor: the text of one file, or of a list of files."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tidemill.engine.node import Node
from tidemill.engine.values import Selector
from tidemill.nodes._shapes import SelectorField, Settings, present
from tidemill.nodes._unavailable import Unavailable


class Config(Settings):
    variable_selector: SelectorField = Field(default=(), title="File")
    is_array_file: bool = False


class DocumentExtractor(Unavailable, Node[Config, dict[str, Any]]):
    type = "document-extractor"
    title = "Document extractor"
    is_effectful = True

    def reads(self) -> tuple[Selector, ...]:
        return present(self.config.variable_selector)
