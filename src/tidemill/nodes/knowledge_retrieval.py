"""Knowledge retrieval: passages of knowledge bases that match a query.

Rules: reference `workflow-dsl.md`, section 5.5. Searching is the `Knowledge` port's work.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, JsonValue

from tidemill.engine.errors import NodeFailed
from tidemill.engine.events import ResourcesRetrieved
from tidemill.engine.node import Context, Node
from tidemill.engine.templates import selectors
from tidemill.engine.values import File, Missing, Selector, Value
from tidemill.nodes._recall import files_in
from tidemill.nodes._shapes import LooseMapping, ModelChoice, SelectorField, Settings, Shape, Vision, present
from tidemill.ports import Knowledge, Passage

MetadataOperator = Literal[
    "contains", "not contains", "start with", "end with", "is", "is not", "empty", "not empty", "=", "≠", "<", ">",
    "≤", "≥", "before", "after", "in", "not in",
]  # fmt: skip
_SPELLINGS = {"!=": "≠", "<=": "≤", ">=": "≥", "==": "=", "is empty": "empty", "is not empty": "not empty"}


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


def _operator(value: Any) -> Any:
    return _SPELLINGS.get(value, value) if isinstance(value, str) else value


class MetadataCondition(Shape):
    id: str = ""
    name: str = ""
    comparison_operator: Annotated[MetadataOperator, BeforeValidator(_operator)] = "contains"
    value: JsonValue = None


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


class KnowledgeRetrieval(Node[Config, dict[str, Value]]):
    type = "knowledge-retrieval"
    title = "Knowledge retrieval"
    is_effectful = True

    async def run(self, ctx: Context) -> dict[str, Value]:
        config = self.config
        if not config.query_variable_selector and not config.query_attachment_selector:
            return {}
        query = self._query(ctx)
        attachments = self._attachments(ctx)
        ctx.record(inputs={"query": query, "attachments": list(attachments)})
        if (not query and not attachments) or not config.dataset_ids:
            return {"result": []}
        knowledge = self._knowledge(ctx)
        options = self._options(ctx, attachments)
        passages = await knowledge.retrieve(query=query, dataset_ids=config.dataset_ids, options=options)
        items = [_item(passage, position) for position, passage in enumerate(sorted(passages, key=_rank), 1)]
        if items:
            ctx.emit(ResourcesRetrieved, resources=[_citation(item) for item in items])
        return {"result": items}

    def _query(self, ctx: Context) -> str:
        if not self.config.query_variable_selector:
            return ""
        value = ctx.find(self.config.query_variable_selector)
        if isinstance(value, str):
            return value
        raise NodeFailed(
            "Query variable is not string type. Choose a text variable as the query.",
            error_type="KnowledgeRetrievalNodeError",
            is_retryable=False,
        )

    def _attachments(self, ctx: Context) -> list[File]:
        selector = self.config.query_attachment_selector
        if not selector:
            return []
        value = ctx.find(selector)
        files = [] if isinstance(value, Missing) else files_in(value)
        if files or value == []:
            return files
        raise NodeFailed(
            "The attachment variable holds no file. Choose a variable with a file or a list of files.",
            error_type="KnowledgeRetrievalNodeError",
            is_retryable=False,
        )

    def _knowledge(self, ctx: Context) -> Knowledge:
        try:
            return ctx.port(Knowledge)
        except NodeFailed as error:
            ids = self.config.dataset_ids
            named = f"the knowledge base {ids[0]}" if len(ids) == 1 else f"the knowledge bases {', '.join(ids)}"
            raise NodeFailed(
                f'Node "{self.label}" searches {named}, but no knowledge base is connected here. '
                "Connect one, or take the node out of the flow.",
                error_type="KnowledgeBaseMissing",
                is_retryable=False,
            ) from error

    def _options(self, ctx: Context, attachments: Sequence[File]) -> dict[str, Any]:
        """What the port is told beside query and knowledge bases: JSON data, and the attached files."""
        config = self.config
        multiple = config.multiple_retrieval_config or MultipleRetrieval()
        single = config.single_retrieval_config
        model = config.metadata_model_config
        return {
            "mode": config.retrieval_mode,
            "model": single.model.model_dump() if single and config.retrieval_mode == "single" else None,
            **multiple.model_dump(),
            "metadata_filter": {
                "mode": config.metadata_filtering_mode,
                "logical_operator": config.metadata_filtering_conditions.logical_operator,
                "conditions": [
                    {"name": item.name, "comparison_operator": item.comparison_operator, "value": _value(ctx, item)}
                    for item in config.metadata_filtering_conditions.conditions
                ],
                "model": model.model_dump() if model else None,
            },
            "attachments": list(attachments),
        }

    def reads(self) -> tuple[Selector, ...]:
        texts = [
            item.value for item in self.config.metadata_filtering_conditions.conditions if isinstance(item.value, str)
        ]
        return present(
            self.config.query_variable_selector,
            self.config.query_attachment_selector,
            *(selector for text in texts for selector in selectors(text)),
        )


def _value(ctx: Context, condition: MetadataCondition) -> Any:
    return ctx.render(condition.value) if isinstance(condition.value, str) else condition.value


def _rank(passage: Passage) -> float:
    """Best first; a passage without a score comes last."""
    score = passage.metadata.get("score")
    return -score if isinstance(score, (int, float)) else float("inf")


def _item(passage: Passage, position: int) -> dict[str, Any]:
    marks = {"_source": "knowledge", "retriever_from": "workflow", "position": position}
    return {
        "metadata": {**passage.metadata, **marks},
        "title": passage.title,
        "content": passage.content,
        "files": list(passage.files),
        "summary": passage.metadata.get("summary"),
    }


def _citation(item: dict[str, Any]) -> dict[str, Any]:
    known = {key: value for key, value in item["metadata"].items() if not key.startswith("_")}
    return {**known, "content": item["content"], "title": item["title"]}
