"""What `check` calls an error, and what only a warning."""

from __future__ import annotations

from typing import Any

import pytest

from dsl.samples import edge, fixture, model_app, node, with_one, with_root, workflow
from tidemill.dsl import AppFile, check
from tidemill.llm.types import ModelRef


def errors(app: AppFile) -> list[str]:
    return [problem.message for problem in check(app).errors]


def codes(app: AppFile) -> list[str]:
    return [problem.code for problem in check(app).warnings]


@pytest.mark.parametrize(
    ("kind", "data", "sentence"),
    [
        ("code", {"code_language": "ruby"}, "code_language"),
        ("code", {"outputs": {"a": {"type": "song"}}}, "outputs.a.type"),
        ("question-classifier", {"classes": [{"id": "1"}, {"id": "1"}]}, 'two classes have the id "1"'),
        ("question-classifier", {"classes": [{"name": "x"}]}, "classes.0.id"),
        ("parameter-extractor", {"parameters": [{"name": "__reason"}]}, "is reserved"),
        ("parameter-extractor", {"parameters": [{"name": "a"}, {"name": "a"}]}, 'two parameters are named "a"'),
        ("parameter-extractor", {"parameters": [{"name": "a", "type": "song"}]}, "parameters.0.type"),
        ("parameter-extractor", {"reasoning_mode": "magic"}, "reasoning_mode"),
        ("iteration", {"parallel_nums": 0}, "parallel_nums"),
        ("iteration", {"error_handle_mode": "shrug"}, "error_handle_mode"),
        ("loop", {"loop_count": 101}, "loop_count"),
        ("loop", {"loop_variables": [{"label": "a"}, {"label": "a"}]}, 'two loop variables are named "a"'),
        ("loop", {"loop_variables": [{"label": "a", "var_type": "song"}]}, "loop_variables.0.var_type"),
        ("list-operator", {"filter_by": {"conditions": [{"comparison_operator": "rhymes"}]}}, "comparison_operator"),
        ("list-operator", {"order_by": {"value": "up"}}, "order_by.value"),
        ("human-input", {"user_actions": [{"id": "a"}, {"id": "a"}]}, 'two actions have the id "a"'),
        ("human-input", {"user_actions": [{"id": "not an id"}]}, "user_actions.0.id"),
        ("human-input", {"user_actions": [{"id": "a" * 21}]}, "user_actions.0.id"),
        (
            "human-input",
            {"inputs": [{"output_variable_name": "a"}, {"output_variable_name": "a"}]},
            'two fields write to "a"',
        ),
        ("human-input", {"timeout_unit": "year"}, "timeout_unit"),
        ("human-input", {"delivery_methods": [{"type": "pigeon"}]}, "delivery_methods.0.type"),
        ("knowledge-retrieval", {"retrieval_mode": "many"}, "retrieval_mode"),
        ("knowledge-retrieval", {"multiple_retrieval_config": {"top_k": 0}}, "top_k"),
        ("agent", {"agent_node_kind": "other"}, "agent_node_kind"),
        ("agent", {"agent_binding": {}, "agent_job": {"mode": "x"}}, "agent_job.mode"),
        (
            "agent",
            {"agent_binding": {}, "agent_job": {"declared_outputs": [{"name": "a"}, {"name": "a"}]}},
            'two outputs are named "a"',
        ),
        ("knowledge-index", {"chunk_structure": "soup"}, "chunk_structure"),
        ("if-else", {"cases": [{"case_id": "1", "conditions": [{"comparison_operator": "rhymes"}]}]}, "cases"),
    ],
)
def test_a_wrong_configuration_is_an_error_that_names_node_and_field(kind: str, data: dict[str, Any], sentence: str):
    found = errors(with_one(kind, title="The node", **data))

    assert any(sentence in message and '"The node" (x)' in message for message in found), found


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"method": "fetch"}, "method"),
        ({"content_type": "text/html"}, "content_type"),
        ({"body": {"a": 1}}, "body"),
        ({"body": [{"type": "string"}]}, "body.0.name"),
        ({"body": [{"name": "a", "type": "song"}]}, "body.0.type"),
        ({"body": [{"name": "a"}, {"name": "a"}]}, '"a" is listed twice'),
        ({"body": [{"name": "a", "type": "file"}]}, "which a application/json body cannot carry"),
        (
            {"content_type": "application/x-www-form-urlencoded", "body": [{"name": "a", "type": "object"}]},
            "choose application/json",
        ),
        ({"status_code": 99}, "status_code"),
    ],
)
def test_a_wrong_webhook_is_an_error(data: dict[str, Any], sentence: str):
    assert any(sentence in message for message in errors(with_root("trigger-webhook", **data)))


@pytest.mark.parametrize(
    "expression",
    ["0 9 * * *", "*/15 0-5 * jan-nov MON-FRI", "0 0 L * ?", "0 0 ? * 5L", "0 0 * * 7", "@daily", "1,2,3-9/2 * * * *"],
)
def test_these_cron_expressions_are_right(expression: str):
    assert errors(with_root("trigger-schedule", mode="cron", cron_expression=expression)) == []


@pytest.mark.parametrize(
    "expression",
    ["", "* * * *", "0 9 * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "a * * * *",
     "*/0 * * * *", "5-1 * * * *", "? * * * *", "@sometimes", "1/x * * * *", "1--2 * * * *", "L * * * *"],
)  # fmt: skip
def test_these_cron_expressions_are_wrong(expression: str):
    found = errors(with_root("trigger-schedule", title="When", mode="cron", cron_expression=expression))

    assert len(found) == 1
    assert 'Node "When" (x)' in found[0]
    assert "the cron expression" in found[0]


@pytest.mark.parametrize(
    "data",
    [
        {"timezone": "Middle/Earth"},
        {"visual_config": {"time": "25:00"}},
        {"visual_config": {"weekdays": ["someday"]}},
        {"visual_config": {"monthly_days": [32]}},
        {"visual_config": {"on_minute": 60}},
        {"frequency": "yearly"},
        {"config": {"mode": "cron", "cron_expression": "x"}},
    ],
)
def test_a_wrong_schedule_is_an_error(data: dict[str, Any]):
    assert errors(with_root("trigger-schedule", **data))


def test_settings_beside_the_nested_form_of_a_schedule_win():
    data = {"mode": "cron", "cron_expression": "0 9 * * *", "config": {"mode": "cron", "cron_expression": "x"}}

    assert errors(with_root("trigger-schedule", **data)) == []


def test_faults_of_the_graph_are_errors():
    nodes = [node("s", "start"), node("a", "code"), node("it", "iteration"), node("b", "code", parent="it")]

    assert "no node with the id 9" in errors(AppFile.from_document(workflow(nodes, [edge("s", "9")])))[0]
    assert "form a cycle" in errors(AppFile.from_document(workflow(nodes, [edge("a", "a")])))[0]
    assert "crosses the border" in errors(AppFile.from_document(workflow(nodes, [edge("s", "b")])))[0]
    assert "no start node inside" in errors(AppFile.from_document(workflow([nodes[0], nodes[2]])))[0]


def test_wrong_variables_and_default_values_are_errors():
    variables = workflow([node("s", "start")], environment_variables=[{"name": "a"}])
    default = with_one("code", error_strategy="default-value", default_value=[{"key": "k", "type": "song"}])

    assert "has no `value`" in errors(AppFile.from_document(variables))[0]
    assert "the default value of `k`" in errors(default)[0]


def test_nodes_that_cannot_run_yet_are_warnings():
    report = check(fixture("pipeline-local-files"))

    assert report.is_ok
    told = [problem for problem in report.warnings if problem.code == "not_runnable"]
    assert [problem.node_id for problem in told] == ["files", "index"]
    assert all("cannot run yet" in problem.message for problem in told)


def test_nodes_that_run_are_not_warned_of():
    assert "not_runnable" not in codes(fixture("v0.6.0-human-approval"))


def test_an_unknown_node_type_is_a_warning():
    report = check(fixture("unknown-node-and-keys"))

    assert report.is_ok
    assert [problem.code for problem in report.warnings] == ["unknown_type"]


def test_references_to_nothing_are_warnings():
    text = "{{#gone.text#}} {{#env.key#}} {{#conversation.x#}} {{#sys.query#}} {{#start.sys.files#}} {{#x.output#}}"
    report = check(with_one("answer", answer=text))

    assert report.is_ok
    assert [problem.message.split(" refers to ")[1].split(",")[0] for problem in report.warnings] == [
        "gone.text",
        "env.key",
        "conversation.x",
    ]


def test_missing_models_are_warnings_named_once():
    report = check(fixture("anchors"), models=lambda ref: ref.name != "gpt-4o")

    assert report.missing_models == [ModelRef("openai", "gpt-4o")]
    assert [problem.code for problem in report.warnings] == ["model"]
    assert check(fixture("anchors")).missing_models == []


def test_a_node_without_a_model_is_a_warning():
    empty = {"provider": "", "name": ""}

    assert "no_model" in codes(with_one("llm", model=empty, prompt_template=[]))
    assert "no_model" in codes(model_app("chat", model=empty))


def test_tools_that_come_along_are_not_missing():
    for name in ("v0.1.5-agent-node", "agent-chat-function-call", "tool-scalar-values"):
        assert check(fixture(name)).missing_tools == []


def test_a_tool_that_is_not_here_is_named_as_a_person_knows_it():
    added = {"provider_id": "0b0c34a0-6f7d-4a70-9f3c-0a4f4d9b6f11", "provider_type": "api", "tool_name": "find"}
    plugin = {"provider_id": "acme/weather/weather", "provider_type": "builtin", "tool_name": "today"}

    report = check(with_one("tool", provider_name="Our shop", **added))

    assert report.missing_tools == ["Our shop"]
    assert [problem.code for problem in report.warnings] == ["missing_tool"]
    assert check(with_one("tool", provider_name="weather", **plugin)).missing_tools == ["acme/weather/weather"]


def test_what_a_tool_lacks_is_asked_of_whoever_checks():
    report = check(fixture("tool-scalar-values"), tools=lambda ref: f"needs a key for {ref.name}")

    assert report.missing_tools == ["langgenius/jina_tool/jina"]
    assert any("needs a key for" in problem.message for problem in report.warnings)


def test_knowledge_that_is_not_here_is_named():
    assert check(fixture("knowledge-chat-zh")).missing_knowledge == ["70c17aae-0000-4e4d-9ae0-24def4b80001"]
    assert check(fixture("chat-with-knowledge")).missing_knowledge == ["a3c1f0de-5f60-4f0a-9a6e-1d2c3b4a5f60"]


def test_a_knowledge_pipeline_is_clean_and_says_what_it_is():
    report = check(fixture("pipeline-local-files"))

    assert report.is_ok
    assert (report.kind, report.mode, report.nodes) == ("rag_pipeline", "rag-pipeline", 4)
    assert "This is a knowledge pipeline" in report.warnings[0].message


def test_a_newer_file_says_so():
    assert codes(fixture("newer-version")) == ["newer_version"]


def test_an_agent_package_has_no_unknown_keys_and_a_name():
    app = fixture("v0.7.0-agent-app")
    document: dict[str, Any] = {**app.document, "agent_packages": {"main": {"colour": 1, "metadata": {"name": ""}}}}
    missing = {**app.document, "agent_packages": {}}

    found = errors(AppFile.from_document(document))

    assert len(found) == 3
    assert "unknown key `colour`" in found[0]
    assert "does not hold" in errors(AppFile.from_document(missing))[0]
