"""The question classifier (reference `workflow-dsl.md`, 5.6)."""

import json
from typing import Any

import pytest

from nodes.doubles import OneModel, Past, Script
from tidemill.engine.errors import GraphInvalid, NodeFailed
from tidemill.engine.events import ModelCalled, NodeFinished
from tidemill.engine.graph import EdgeSpec, NodeSpec
from tidemill.engine.testing import NodeInspection, inspect_node, run_graph
from tidemill.engine.values import Value
from tidemill.llm.errors import BadCredential
from tidemill.llm.types import ChatRequest
from tidemill.nodes.question_classifier import QuestionClassifier
from tidemill.ports import History, Models

MODEL = {"provider": "openai", "name": "gpt-4o-mini", "mode": "chat", "completion_params": {"temperature": 0.1}}
CLASSES = [{"id": "refund", "name": "退款退货"}, {"id": "parcel", "name": "物流催件"}, {"id": "3", "name": "Other"}]
CONFIG = {"model": MODEL, "query_variable_selector": ["start", "query"], "classes": CLASSES}


async def classify(
    answer: str | Script, *, past: Past | None = None, model: OneModel | None = None, query: Value = "Q", **config: Any
) -> tuple[dict[str, Value], NodeInspection]:
    script = Script(answer) if isinstance(answer, str) else answer
    ports: dict[type, object] = {Models: model or OneModel(script)}
    if past is not None:
        ports[History] = past
    return await inspect_node(
        QuestionClassifier, {**CONFIG, **config}, values={("start", "query"): query, ("start", "shop"): "Ada's"},
        ports=ports,
    )  # fmt: skip


def chosen(category: str) -> str:
    return json.dumps({"keywords": ["x"], "category_id": category, "category_name": "?"})


async def request_of(**config: Any) -> ChatRequest:
    script = Script(chosen("parcel"))
    await classify(script, **config)
    (request,) = script.requests
    return request


def given(request: ChatRequest) -> dict[str, Any]:
    return json.loads(request.messages[-1].text)


# ---------------------------------------------------------------- what is chosen


async def test_the_class_that_the_model_names_is_taken():
    output, seen = await classify(chosen("parcel"))

    assert (output["class_id"], output["class_name"], output["class_label"]) == ("parcel", "物流催件", "CLASS 2")
    assert seen.handle == "parcel"


async def test_a_label_of_its_own_is_told():
    output, _ = await classify(chosen("a"), classes=[{"id": "a", "name": "A", "label": "First"}])

    assert output["class_label"] == "First"


@pytest.mark.parametrize(
    "answer",
    [
        "```json\n" + chosen("parcel") + "\n```",
        "```\n" + chosen("parcel") + "\n```",
        "<think>It could be {refund}.</think>\n" + chosen("parcel"),
        "The answer is: " + chosen("parcel") + " because of the {parcel}.",
        "{'category_id': 'parcel', 'category_name': '物流催件',}",
        '{"keywords": ["a }"], "category_id": "parcel"',
        "[" + chosen("parcel") + "]",
    ],
    ids=["fenced", "bare fence", "after reasoning", "amid prose", "single quotes", "cut off", "in a list"],
)
async def test_the_answer_is_found_in_what_the_model_says(answer: str):
    output, _ = await classify(answer)

    assert output["class_id"] == "parcel"


async def test_an_id_given_as_a_number_is_the_id():
    output, _ = await classify('{"category_id": 3, "category_name": "Other"}')

    assert output["class_id"] == "3"


@pytest.mark.parametrize("answer", ["I do not know.", "", chosen("nothing"), "{}", "42", '{"category_id": null}'])
async def test_an_answer_that_names_no_class_means_the_first(answer: str):
    output, seen = await classify(answer)

    assert (output["class_id"], seen.handle) == ("refund", "refund")


async def test_it_tells_usage_and_prompt():
    output, seen = await classify(chosen("parcel"))

    assert isinstance(output["usage"], dict)
    assert output["usage"]["total_tokens"] == 10
    assert seen.inputs == {"query": "Q"}
    assert seen.process["prompts"][0]["role"] == "system"
    assert sum(isinstance(event, ModelCalled) for event in seen.events) == 1


# ---------------------------------------------------------------- what is asked


async def test_the_model_gets_text_categories_and_instructions_as_json():
    request = await request_of(instruction="For {{#start.shop#}} customers", query='where is "it" {{#start.shop#}}?')

    assert given(request) == {
        "input_text": 'where is "it" {{#start.shop#}}?',
        "categories": [
            {"category_id": "refund", "category_name": "退款退货"},
            {"category_id": "parcel", "category_name": "物流催件"},
            {"category_id": "3", "category_name": "Other"},
        ],
        "classification_instructions": "For Ada's customers",
    }


async def test_a_system_message_and_two_examples_come_before_the_question():
    request = await request_of()

    assert [message.role for message in request.messages] == [
        "system",
        *["user", "assistant"] * 2,
        "user",
    ]
    assert request.params == {"temperature": 0.1}


async def test_the_older_name_of_the_instructions_is_read():
    request = await request_of(instructions="by mood")

    assert given(request)["classification_instructions"] == "by mood"


async def test_memory_puts_the_conversation_before_the_question():
    request = await request_of(past=Past(("old question", "old answer")), memory={"window": {"enabled": False}})

    assert [message.text for message in request.messages[-3:-1]] == ["old question", "old answer"]


async def test_without_memory_the_conversation_is_not_shown():
    request = await request_of(past=Past(("old question", "old answer")))

    assert "old question" not in [message.text for message in request.messages]


async def test_history_is_left_out_until_the_request_fits_the_window():
    script = Script(chosen("parcel"))
    past = Past(*[(f"question {number} " + "word " * 300, "answer") for number in range(20)])

    _, seen = await classify(
        script, past=past, memory={"window": {"enabled": False}}, model=OneModel(script, window_tokens=2048)
    )

    (request,) = script.requests
    (called,) = [event for event in seen.events if isinstance(event, ModelCalled)]
    assert called.prompt_tokens + called.max_tokens <= called.window_tokens == 2048
    assert called.trimmed_messages > 0
    assert given(request)["input_text"] == "Q"


async def test_a_question_that_does_not_exist_is_asked_as_empty():
    request = await request_of(query_variable_selector=["skipped", "text"])

    assert given(request)["input_text"] == ""


# ---------------------------------------------------------------- failures and the graph


async def test_a_model_that_cannot_be_asked_fails_the_node():
    with pytest.raises(NodeFailed) as failure:
        await classify(Script(BadCredential("The key is wrong.")))

    assert failure.value.error_type == "InvokeAuthorizationError"


async def test_no_classes_is_said_before_asking():
    with pytest.raises(NodeFailed, match="no classes"):
        await classify(chosen("a"), classes=[])


def test_two_classes_with_one_id_are_refused():
    with pytest.raises(GraphInvalid, match='two classes have the id "a"'):
        QuestionClassifier.parse("q", {**CONFIG, "classes": [{"id": "a"}, {"id": "a"}]})


async def test_only_the_branch_of_the_class_runs():
    result = await run_graph(
        [
            NodeSpec(id="start", type="start", data={"variables": []}),
            NodeSpec(
                id="sort", type="question-classifier", data={**CONFIG, "query_variable_selector": ["sys", "query"]}
            ),
            NodeSpec(id="a", type="answer", data={"answer": "refund"}),
            NodeSpec(id="b", type="answer", data={"answer": "parcel: {{#sort.class_name#}}"}),
        ],
        [
            EdgeSpec(source="start", target="sort"),
            EdgeSpec(source="sort", target="a", handle="refund"),
            EdgeSpec(source="sort", target="b", handle="parcel"),
        ],
        {("sys", "query"): "where is it"},
        ports={Models: OneModel(Script(chosen("parcel")))},
    )

    assert result.finished.answer == "parcel: 物流催件"
    assert [event.node_id for event in result.events if isinstance(event, NodeFinished)] == ["start", "sort", "b"]
