"""Knowledge retrieval (reference `workflow-dsl.md`, 5.5)."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tidemill.engine.errors import GraphInvalid, NodeFailed
from tidemill.engine.events import ResourcesRetrieved
from tidemill.engine.testing import NodeInspection, inspect_node
from tidemill.engine.values import File, Value
from tidemill.nodes.knowledge_retrieval import KnowledgeRetrieval
from tidemill.ports import Knowledge, Passage

CONFIG = {"query_variable_selector": ["start", "query"], "dataset_ids": ["base-1", "base-2"]}
PICTURE = File(type="image", transfer_method="local_file", filename="a.png")


class Library:
    """A knowledge base: keeps what it is asked and answers its passages."""

    def __init__(self, *passages: Passage) -> None:
        self.asked: list[tuple[str, Sequence[str], Mapping[str, Any]]] = []
        self._passages = passages

    async def retrieve(
        self, *, query: str, dataset_ids: Sequence[str], options: Mapping[str, Any]
    ) -> Sequence[Passage]:
        self.asked.append((query, dataset_ids, options))
        return self._passages

    @property
    def options(self) -> Mapping[str, Any]:
        ((_, _, options),) = self.asked
        return options


def passage(content: str, score: float | None, **metadata: Any) -> Passage:
    scored = {} if score is None else {"score": score}
    return Passage(content=content, title=f"{content}.md", metadata={"dataset_id": "base-1", **scored, **metadata})


async def retrieve(
    library: Library | None = None, *, query: Value = "tides", config: dict[str, Any] | None = None, **further: Any
) -> tuple[dict[str, Value], NodeInspection]:
    return await inspect_node(
        KnowledgeRetrieval,
        {**CONFIG, **(config or {})},
        values={("start", "query"): query, ("start", "year"): 2024, ("start", "files"): further.get("files", [])},
        ports={} if library is None else {Knowledge: library},
    )


async def test_passages_come_best_first_with_positions_from_one():
    output, _ = await retrieve(Library(passage("b", 0.4), passage("none", None), passage("a", 0.9, segment_id="s")))

    assert isinstance(output["result"], list)
    assert [item["content"] for item in output["result"]] == ["a", "b", "none"]
    assert output["result"][0] == {
        "metadata": {
            "dataset_id": "base-1",
            "score": 0.9,
            "segment_id": "s",
            "_source": "knowledge",
            "retriever_from": "workflow",
            "position": 1,
        },
        "title": "a.md",
        "content": "a",
        "files": [],
        "summary": None,
    }


async def test_what_was_found_can_be_cited():
    _, seen = await retrieve(Library(passage("a", 0.9, document_name="Tides")))

    (event,) = [event for event in seen.events if isinstance(event, ResourcesRetrieved)]
    (resource,) = event.resources
    assert (resource["content"], resource["document_name"], resource["position"]) == ("a", "Tides", 1)
    assert "_source" not in resource


async def test_nothing_found_is_an_empty_list_and_no_citation():
    output, seen = await retrieve(Library())

    assert output == {"result": []}
    assert seen.events == []


async def test_the_port_is_told_query_bases_and_how_to_search():
    library = Library()
    multiple = {
        "top_k": 6,
        "score_threshold": 0.5,
        "reranking_mode": "weighted_score",
        "weights": {"vector_setting": {"vector_weight": 0.7}},
    }

    await retrieve(library, config={"multiple_retrieval_config": multiple})

    ((query, bases, options),) = library.asked
    assert (query, list(bases)) == ("tides", ["base-1", "base-2"])
    assert options["mode"] == "multiple"
    assert (options["top_k"], options["score_threshold"]) == (6, 0.5)
    assert (options["reranking_mode"], options["reranking_enable"]) == ("weighted_score", True)
    assert options["weights"] == {"vector_setting": {"vector_weight": 0.7}}


async def test_without_settings_four_passages_are_asked_for():
    library = Library()

    await retrieve(library)

    assert (library.options["top_k"], library.options["score_threshold"]) == (4, None)


async def test_the_old_name_of_the_single_mode_passes_on_its_model():
    library = Library()
    model = {"provider": "openai", "name": "gpt-4o-mini", "mode": "chat"}

    await retrieve(library, config={"retrieval_mode": "oneWay", "single_retrieval_config": {"model": model}})

    assert (library.options["mode"], library.options["model"]["name"]) == ("single", "gpt-4o-mini")


async def test_metadata_conditions_have_their_templates_filled_in():
    library = Library()
    conditions = [
        {"id": "1", "name": "year", "comparison_operator": "=", "value": "{{#start.year#}}"},
        {"id": "2", "name": "uploaded", "comparison_operator": "before", "value": 1700000000},
        {"id": "3", "name": "author", "comparison_operator": "not empty"},
        {"id": "4", "name": "pages", "comparison_operator": ">=", "value": 2},
    ]
    config = {
        "metadata_filtering_mode": "manual",
        "metadata_filtering_conditions": {"logical_operator": "or", "conditions": conditions},
    }

    await retrieve(library, config=config)

    found = library.options["metadata_filter"]
    assert (found["mode"], found["logical_operator"]) == ("manual", "or")
    assert [(item["name"], item["comparison_operator"], item["value"]) for item in found["conditions"]] == [
        ("year", "=", "2024"),
        ("uploaded", "before", 1700000000),
        ("author", "not empty", None),
        ("pages", "≥", 2),
    ]


def test_an_unknown_metadata_operator_is_refused():
    conditions = {"conditions": [{"name": "a", "comparison_operator": "resembles"}]}

    with pytest.raises(GraphInvalid, match="comparison_operator"):
        KnowledgeRetrieval.parse("k", {**CONFIG, "metadata_filtering_conditions": conditions})


# ---------------------------------------------------------------- nothing to search


async def test_without_any_selector_there_is_no_output():
    output, _ = await retrieve(config={"query_variable_selector": []})

    assert output == {}


@pytest.mark.parametrize("query", [None, 3, ["tides"]])
async def test_a_query_that_is_no_text_fails(query: Value):
    with pytest.raises(NodeFailed, match="Query variable is not string type"):
        await retrieve(Library(), query=query)


async def test_a_query_that_does_not_exist_fails():
    with pytest.raises(NodeFailed, match="Query variable is not string type"):
        await retrieve(Library(), config={"query_variable_selector": ["skipped", "text"]})


async def test_an_empty_query_finds_nothing_and_asks_nobody():
    library = Library(passage("a", 0.9))

    output, _ = await retrieve(library, query="")

    assert (output, library.asked) == ({"result": []}, [])


async def test_without_knowledge_bases_nothing_is_found():
    output, _ = await retrieve(config={"dataset_ids": []})

    assert output == {"result": []}


async def test_an_attachment_is_searched_for_even_without_words():
    library = Library()

    await retrieve(library, query="", files=[PICTURE], config={"query_attachment_selector": ["start", "files"]})

    assert library.options["attachments"] == [PICTURE]


async def test_an_attachment_that_is_no_file_fails():
    with pytest.raises(NodeFailed, match="attachment variable holds no file"):
        await retrieve(Library(), files="text", config={"query_attachment_selector": ["start", "files"]})


# ---------------------------------------------------------------- no knowledge base here


@pytest.mark.parametrize(
    ("ids", "named"),
    [(["base-1"], "the knowledge base base-1,"), (["a", "b"], "the knowledge bases a, b,")],
)
async def test_without_a_knowledge_base_it_says_which_is_missing(ids: list[str], named: str):
    with pytest.raises(NodeFailed) as failure:
        await retrieve(None, config={"dataset_ids": ids})

    assert named in str(failure.value)
    assert "no knowledge base is connected" in str(failure.value)
    assert failure.value.error_type == "KnowledgeBaseMissing"
