"""The human input node (reference `workflow-dsl.md`, 5.20): the form it opens, and what becomes of the answer."""

import time
from typing import Any

import pytest

from tidemill.engine.errors import GraphInvalid, NodeFailed, VariableNotFound
from tidemill.engine.events import HumanInputAnswered, HumanInputRequired, RunPaused
from tidemill.engine.graph import EdgeSpec, NodeSpec
from tidemill.engine.node import NodePaused
from tidemill.engine.testing import NodeInspection, inspect_node, run_graph, run_node
from tidemill.engine.values import File, Value
from tidemill.nodes._form import AnswerInvalid, FormInput, check_values, find_action
from tidemill.nodes.human_input import HumanInput
from tidemill.ports import HumanAnswer, HumanForm, Humans, OpenForm

ACTIONS = [
    {"id": "approve", "title": "Approve", "button_style": "primary"},
    {"id": "reject", "title": "Reject", "button_style": "default"},
]
COMMENT = {"type": "paragraph", "output_variable_name": "comment"}
PICTURE = File(type="image", transfer_method="local_file", related_id="f1", filename="cat.png", extension=".png")


class People:
    """Somebody who answers at once, or never."""

    def __init__(self, answer: HumanAnswer | None = None) -> None:
        self.forms: list[tuple[str, HumanForm]] = []
        self._answer = answer

    async def ask(self, place: str, form: HumanForm) -> HumanAnswer | OpenForm:
        self.forms.append((place, form))
        return self._answer or OpenForm(form_id="form-1", token="secret", expires_at=form.expires_at)


def node(**more: Any) -> dict[str, Any]:
    return {
        "delivery_methods": [{"id": "w", "type": "webapp", "enabled": True, "config": {}}],
        "form_content": "Draft: {{#n.text#}}. Note: {{#$output.comment#}}",
        "inputs": [COMMENT],
        "user_actions": ACTIONS,
        "timeout": 2,
        "timeout_unit": "hour",
        **more,
    }


async def opened(config: dict[str, Any], **values: Value) -> HumanForm:
    people = People()
    with pytest.raises(NodePaused):
        await run_node(
            HumanInput, config, values={("n", name): v for name, v in values.items()}, ports={Humans: people}
        )
    ((place, form),) = people.forms
    assert place == "node"
    return form


async def answered(config: dict[str, Any], answer: HumanAnswer, **values: Value) -> tuple[Any, NodeInspection]:
    return await inspect_node(
        HumanInput, config, values={("n", name): v for name, v in values.items()}, ports={Humans: People(answer)}
    )


async def test_the_text_is_rendered_and_the_places_of_the_fields_are_kept():
    form = await opened(node(), text="Hello")

    assert form.content == "Draft: Hello. Note: {{#$output.comment#}}"
    assert form.actions == ACTIONS
    assert form.node_id == "node"


@pytest.mark.parametrize(("count", "unit", "seconds"), [(2, "hour", 7200), (3, "day", 259200)])
async def test_a_form_waits_as_long_as_configured(count: int, unit: str, seconds: int):
    form = await opened(node(timeout=count, timeout_unit=unit))

    assert form.expires_at == pytest.approx(time.time() + seconds, abs=30)


async def test_without_a_time_a_form_waits_36_hours():
    config = node()
    del config["timeout"], config["timeout_unit"]

    form = await opened(config)

    assert form.expires_at == pytest.approx(time.time() + 36 * 3600, abs=30)


async def test_defaults_come_from_the_file_or_a_variable():
    inputs = [
        {**COMMENT, "default": {"type": "constant", "selector": [], "value": "fine"}},
        {
            "type": "paragraph",
            "output_variable_name": "draft",
            "default": {"type": "variable", "selector": ["n", "text"]},
        },
        {"type": "paragraph", "output_variable_name": "none", "default": {"type": "variable", "selector": ["n", "no"]}},
    ]

    form = await opened(node(inputs=inputs), text="Hello")

    assert [item.get("default", {}).get("value") for item in form.inputs] == ["fine", "Hello", None]


async def test_the_older_placeholder_is_the_default_and_an_older_text_input_a_paragraph():
    inputs = [
        {"type": "text-input", "output_variable_name": "a", "placeholder": {"type": "variable", "selector": ["n", "x"]}}
    ]

    form = await opened(node(inputs=inputs), x=7)

    assert form.inputs[0]["type"] == "paragraph"
    assert form.inputs[0]["default"]["value"] == "7"


async def test_options_come_from_the_file_or_a_list():
    def select(source: dict[str, Any]) -> dict[str, Any]:
        return {"type": "select", "output_variable_name": source["type"], "option_source": source}

    inputs = [select({"type": "constant", "value": ["a", "b"]}), select({"type": "variable", "selector": ["n", "l"]})]

    form = await opened(node(inputs=inputs), l=["x", "y"])

    assert [item["option_source"]["value"] for item in form.inputs] == [["a", "b"], ["x", "y"]]


async def test_options_that_are_no_list_fail_with_the_fields_name():
    source = {"type": "variable", "selector": ["n", "l"]}
    inputs = [{"type": "select", "output_variable_name": "color", "option_source": source}]

    with pytest.raises(NodeFailed, match="color"):
        await answered(node(inputs=inputs), HumanAnswer(form_id="f"), l="red")
    with pytest.raises(VariableNotFound):
        await answered(node(inputs=inputs), HumanAnswer(form_id="f"))


async def test_a_secret_is_not_shown_in_a_form():
    people = People()
    with pytest.raises(NodePaused):
        await run_node(
            HumanInput,
            node(form_content="Key {{#env.key#}}"),
            values={("env", "key"): "sk-123456789"},
            ports={Humans: people},
            secrets=["sk-123456789"],
        )

    assert "sk-123456789" not in people.forms[0][1].content


async def test_an_open_form_is_told_and_is_why_the_run_pauses():
    result = await run_graph(
        [NodeSpec(id="start", type="start", data={}), NodeSpec(id="ask", type="human-input", data=node(title="Ask"))],
        [EdgeSpec(source="start", target="ask", handle="source")],
        {("n", "text"): "Hello"},
        ports={Humans: People()},
    )

    (required,) = [event for event in result.events if isinstance(event, HumanInputRequired)]
    (paused,) = [event for event in result.events if isinstance(event, RunPaused)]
    assert result.finished.status == "paused"
    assert required.form["form_content"] == "Draft: Hello. Note: {{#$output.comment#}}"
    assert required.form["display_in_ui"] is True
    assert paused.paused_node_ids == ["ask"]
    assert paused.reasons[0]["TYPE"] == "human_input_required"
    assert paused.reasons[0]["form_id"] == "form-1"
    assert "secret" not in str([required, paused])


async def test_other_branches_finish_before_the_run_pauses():
    template = {"template": "done", "variables": []}
    result = await run_graph(
        [
            NodeSpec(id="start", type="start", data={}),
            NodeSpec(id="ask", type="human-input", data=node()),
            NodeSpec(id="tail", type="answer", data={"answer": "said", "variables": []}),
            NodeSpec(id="end", type="end", data={"outputs": [], **template}),
        ],
        [
            EdgeSpec(source="start", target="ask", handle="source"),
            EdgeSpec(source="start", target="tail", handle="source"),
            EdgeSpec(source="tail", target="end", handle="source"),
        ],
        ports={Humans: People()},
    )

    assert result.nodes("end")[0].status == "succeeded"
    assert isinstance(result.events[-1], RunPaused)


async def test_an_answer_gives_its_fields_its_action_and_the_text_as_filled_in():
    answer = HumanAnswer(form_id="f", action_id="approve", values={"comment": "Good"})

    output, seen = await answered(node(), answer, text="Hello")

    assert output == {
        "comment": "Good",
        "__action_id": "approve",
        "__action_value": "Approve",
        "__rendered_content": "Draft: Hello. Note: Good",
    }
    assert seen.handle == "approve"
    (told,) = [event for event in seen.events if isinstance(event, HumanInputAnswered)]
    assert (told.action_id, told.action_text, told.is_timeout) == ("approve", "Approve", False)
    assert told.values == {"comment": "Good"}
    assert told.rendered_content == "Draft: Hello. Note: Good"


async def test_the_text_that_was_read_counts_even_if_its_variables_have_changed():
    answer = HumanAnswer(
        form_id="f", content="Old {{#$output.comment#}}", action_id="approve", values={"comment": "ok"}
    )

    output, _ = await answered(node(), answer, text="New")

    assert output["__rendered_content"] == "Old ok"


async def test_a_file_of_an_answer_is_a_file_of_the_run():
    inputs = [
        {"type": "file", "output_variable_name": "picture"},
        {"type": "file-list", "output_variable_name": "pages"},
    ]
    values = {"picture": PICTURE.to_wire(), "pages": [PICTURE.to_wire()]}
    content = "{{#$output.picture#}} and {{#$output.pages#}}"

    output, _ = await answered(
        node(inputs=inputs, form_content=content), HumanAnswer(form_id="f", action_id="approve", values=values)
    )

    assert output["picture"] == PICTURE
    assert output["pages"] == [PICTURE]
    assert output["__rendered_content"] == "cat.png and cat.png"


async def test_a_timeout_leaves_the_fields_empty_and_takes_its_own_handle():
    inputs = [COMMENT, {"type": "file-list", "output_variable_name": "pages"}]

    output, seen = await answered(node(inputs=inputs), HumanAnswer(form_id="f", is_timeout=True), text="Hello")

    assert seen.handle == "__timeout"
    assert output["__action_id"] == ""
    assert output["comment"] == ""
    assert output["pages"] == []
    (told,) = [event for event in seen.events if isinstance(event, HumanInputAnswered)]
    assert told.is_timeout


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        ({"user_actions": [ACTIONS[0], ACTIONS[0]]}, "approve"),
        ({"inputs": [COMMENT, COMMENT]}, "comment"),
        ({"user_actions": [{"id": "1st", "title": "x"}]}, "pattern"),
        ({"user_actions": [{"id": "a" * 21, "title": "x"}]}, "20"),
        ({"user_actions": [{"id": "a", "title": "x" * 101}]}, "100"),
        ({"timeout": 0}, "timeout"),
        ({"timeout_unit": "week"}, "timeout_unit"),
    ],
)
def test_a_form_that_cannot_work_is_refused(wrong: dict[str, Any], part: str):
    with pytest.raises(GraphInvalid, match=part):
        HumanInput.parse("node", node(**wrong))


def field(**more: Any) -> list[FormInput]:
    return [FormInput.model_validate({"output_variable_name": "x", **more})]


OPTIONS = {"type": "constant", "value": ["a", "b"]}


@pytest.mark.parametrize(
    ("inputs", "value"),
    [
        (field(type="paragraph"), ""),
        (field(type="paragraph"), "text"),
        (field(type="text-input"), "text"),
        (field(type="select", option_source=OPTIONS), "b"),
        (field(type="file"), PICTURE),
        (field(type="file", allowed_file_types=["image"]), PICTURE),
        (field(type="file-list"), []),
        (field(type="file-list", number_limits=2), [PICTURE, PICTURE]),
    ],
)
def test_a_fitting_value_is_taken(inputs: list[FormInput], value: Any):
    assert check_values(inputs, {"x": value, "unknown": 1}) == {"x": value}


@pytest.mark.parametrize(
    ("inputs", "value", "part"),
    [
        (field(type="paragraph"), 5, "text"),
        (field(type="paragraph"), None, "text"),
        (field(type="paragraph"), "x" * 100_001, "shorter"),
        (field(type="select", option_source=OPTIONS), "c", "one of: a, b"),
        (field(type="select", option_source=OPTIONS), ["a"], "one of"),
        (field(type="file"), "cat.png", "one file"),
        (field(type="file"), [PICTURE], "one file"),
        (field(type="file", allowed_file_types=["document"]), PICTURE, "cat.png"),
        (field(type="file", allowed_file_upload_methods=["remote_url"]), PICTURE, "local_file"),
        (field(type="file-list"), PICTURE, "list"),
        (field(type="file-list", number_limits=1), [PICTURE, PICTURE], "at most 1"),
    ],
)
def test_a_value_that_does_not_fit_its_field_is_refused(inputs: list[FormInput], value: Any, part: str):
    with pytest.raises(AnswerInvalid, match=part) as refused:
        check_values(inputs, {"x": value})

    assert refused.value.field == "x"


def test_a_field_that_is_not_there_is_named():
    with pytest.raises(AnswerInvalid, match="x missing"):
        check_values(field(), {})


def test_an_unknown_action_is_refused_with_those_there_are():
    actions = HumanInput.parse("node", node()).config.user_actions

    assert find_action(actions, "reject").title == "Reject"
    with pytest.raises(AnswerInvalid, match="approve, reject"):
        find_action(actions, "maybe")


def test_the_variables_of_text_options_and_defaults_are_known_before_a_run():
    source = {"type": "variable", "selector": ["n", "list"]}
    inputs = [{"type": "select", "output_variable_name": "s", "option_source": source}]

    reads = HumanInput.parse("node", node(inputs=inputs)).reads()

    assert set(reads) == {("n", "text"), ("n", "list")}
