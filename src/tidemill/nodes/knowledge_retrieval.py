"""Knowledge retrieval: passages of knowledge bases that match a query."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from tidemill.engine.node import Node
from tidemill.engine.templates import selectors
from tidemill.engine.values import Selector
from tidemill.nodes._shapes import LooseMapping, ModelChoice, SelectorField, Settings, Shape, Vision, present
from tidemill.nodes._unavailable import Unavailable


class SingleRetrieval(Shape):
    model: ModelChoice = Field(default_factory=ModelChoice)


class RerankModel(Shape):
    provider: str = ""
    model: str = ""


class MultipleRetrieval(Shape):
    top_k: int = Field(default=4, ge=1)
    score_threshold: float | None = None
    reranking_mode: Literal["reranking_model", "weighted_score"] = "reranking_model"
    reranking_enable: bool = True
    reranking_model: RerankModel = RerankModel()
    weights: LooseMapping = Field(default_factory=dict)


class MetadataCondition(Shape):
    id: str = ""
    name: str = ""
    comparison_operator: str = "contains"
    value: Any = None


class MetadataFilter(Shape):
    logical_operator: Literal["and", "or"] = "and"
    conditions: tuple[MetadataCondition, ...] = ()


def _mode(value: Any) -> Any:
    return "single" if value == "oneWay" else value


def _filter(value: Any) -> Any:
    return value or {}


class Config(Settings):
    query_variable_selector: SelectorField = Field(default=(), title="Query")
    query_attachment_selector: SelectorField = ()
    dataset_ids: tuple[str, ...] = Field(default=(), title="Knowledge bases")
    retrieval_mode: Annotated[Literal["single", "multiple"], BeforeValidator(_mode)] = "multiple"
    single_retrieval_config: SingleRetrieval | None = None
    multiple_retrieval_config: MultipleRetrieval | None = None
    metadata_filtering_mode: Literal["disabled", "automatic", "manual"] = "disabled"
    metadata_filtering_conditions: Annotated[MetadataFilter, BeforeValidator(_filter)] = MetadataFilter()
    metadata_model_config: ModelChoice | None = None
    vision: Vision = Vision()


class KnowledgeRetrieval(Unavailable, Node[Config, dict[str, Any]]):
    type = "knowledge-retrieval"
    title = "Knowledge retrieval"
    is_effectful = True

    def reads(self) -> tuple[Selector, ...]:
        texts = [
            item.value for item in self.config.metadata_filtering_conditions.conditions if isinstance(item.value, str)
        ]
        return present(
            self.config.query_variable_selector,
            self.config.query_attachment_selector,
            *(selector for text in texts for selector in selectors(text)),
        )
