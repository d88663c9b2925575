"""The old forms of the reference, each read as today's."""

from __future__ import annotations

from typing import Any

import pytest

from dsl.samples import edge, fixture, node, with_one, workflow
from tidemill.dsl import AppFile, DslInvalid, compile
from tidemill.dsl.providers import is_provider_id, model_provider_id, plugin_of, tool_provider_id
from tidemill.dsl.upgrade import upgrade
from tidemill.engine.graph import EdgeSpec, NodeSpec, RetryPolicy


def upgraded(app: AppFile) -> dict[str, NodeSpec]:
    return {spec.id: spec for spec in upgrade(app)[0]}


def data_of(kind: str, **data: Any) -> Any:
    return upgraded(with_one(kind, **data))["x"].data


def test_a_container_that_names_an_ordinary_child_gets_a_start_node():
    nodes, edges = upgrade(fixture("v0.1.0-iteration-without-start"))
    found = {spec.id: spec for spec in nodes}

    assert found["itstart"].type == "iteration-start"
    assert found["itstart"].parent_id == "it"
    assert found["it"].data["start_node_id"] == "itstart"
    assert EdgeSpec("itstart", "short") in edges


def test_a_container_without_any_name_starts_at_the_flagged_child_else_at_those_nothing_leads_to():
    inner = [node("a", "code", parent="it"), node("b", "code", parent="it"), node("c", "code", parent="it")]
    flagged = [node("a", "code", parent="it"), node("b", "code", parent="it", isIterationStart=True)]
    base = [node("s", "start"), node("it", "iteration"), node("itstart", "code")]

    _, free = upgrade(AppFile.from_document(workflow([*base, *inner], [edge("a", "b")])))
    _, chosen = upgrade(AppFile.from_document(workflow([*base, *flagged])))

    assert [item.target for item in free if item.source == "itstart0"] == ["a", "c"]
    assert [item.target for item in chosen if item.source == "itstart0"] == ["b"]


def test_a_loop_finds_the_start_node_that_its_data_does_not_name():
    nodes = [node("s", "start"), node("l", "loop"), node("ls", "loop-start", parent="l")]

    assert upgraded(AppFile.from_document(workflow(nodes)))["l"].data["start_node_id"] == "ls"


def test_flat_conditions_become_the_case_true():
    data = upgraded(fixture("v0.1.0-flat-branch"))["branch"].data

    assert [case["case_id"] for case in data["cases"]] == ["true"]
    assert [item["comparison_operator"] for item in data["cases"][0]["conditions"]] == ["≤", "not empty"]


def test_operators_of_files_within_conditions_are_respelled_too():
    conditions = upgraded(fixture("image-files-chatflow"))["b"].data["cases"][0]["conditions"]

    sub = conditions[0]["sub_variable_condition"]["conditions"]
    assert [item["comparison_operator"] for item in sub] == ["in", "≤"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"type": "json", "data": "{}"}, [{"type": "text", "key": "", "value": "{}"}]),
        ({"type": "raw-text", "data": "a:b"}, [{"type": "text", "key": "", "value": "a:b"}]),
        (
            {"type": "form-data", "data": "a: 1\n\nb:2:3"},
            [{"type": "text", "key": "a", "value": "1"}, {"type": "text", "key": "b", "value": "2:3"}],
        ),
        ({"type": "none", "data": "left over"}, []),
        ({"type": "json", "data": ""}, []),
        ({"type": "json", "data": None}, []),
        ({"type": "json", "data": [{"type": "text", "value": "x"}]}, [{"type": "text", "value": "x"}]),
    ],
)
def test_an_http_body_of_text_becomes_a_list(body: dict[str, Any], expected: list[Any]):
    assert data_of("http-request", url="http://a.example", body=body)["body"]["data"] == expected


def test_http_without_retry_settings_tries_three_times_more():
    spec = upgraded(with_one("http-request", url="http://a.example"))["x"]
    off = upgraded(with_one("http-request", retry_config={"enabled": False, "max_retries": 1}))["x"]

    assert spec.retry == RetryPolicy(3, 0.1)
    assert spec.data["retry_config"]["retry_enabled"] is True
    assert off.retry is None


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"retry_enabled": True, "max_retries": 99, "retry_interval": 500}, RetryPolicy(10, 0.5)),
        ({"retry_enabled": True, "max_retries": 0, "retry_interval": 500}, None),
        ({"retry_enabled": True, "max_retries": 1, "retry_interval": None}, RetryPolicy(1, 0.0)),
        ({"retry_enabled": False, "max_retries": 3}, None),
    ],
)
def test_retry_settings_are_read_and_bounded(config: dict[str, Any], expected: RetryPolicy | None):
    assert upgraded(with_one("code", retry_config=config))["x"].retry == expected


def test_bare_providers_have_full_ids():
    assert model_provider_id("openai") == "langgenius/openai/openai"
    assert model_provider_id("google") == "langgenius/gemini/google"
    assert model_provider_id("acme/x/y") == "acme/x/y"
    assert tool_provider_id("jina") == "langgenius/jina_tool/jina"
    assert tool_provider_id("time") == "langgenius/time/time"
    assert tool_provider_id("my-api", "api") == "my-api"
    assert tool_provider_id("gemini文生图") == "gemini文生图"
    assert plugin_of("langgenius/jina_tool/jina") == "langgenius/jina_tool"
    assert plugin_of("jina") == ""
    assert is_provider_id("a/b/c")
    assert not is_provider_id("a/b")


def test_scalar_tool_values_are_wrapped_and_nulls_dropped():
    data = upgraded(fixture("tool-scalar-values"))["r"].data

    assert data["tool_node_version"] == "2"
    assert data["provider_id"] == "langgenius/jina_tool/jina"
    assert data["tool_configurations"] == {
        "no_cache": {"type": "constant", "value": 0},
        "target_selector": {"type": "constant", "value": "main"},
    }
    assert data["tool_parameters"] == {
        "url": {"type": "mixed", "value": "{{#s.url#}}"},
        "limit": {"type": "constant", "value": 3},
    }


def test_wrapped_nulls_are_dropped_and_missing_types_filled():
    data = data_of("tool", tool_parameters={"a": {"type": "mixed", "value": None}, "b": {"value": "x"}, "c": None})

    assert data["tool_parameters"] == {"b": {"type": "mixed", "value": "x"}}
    assert data_of("tool", tool_parameters=None)["tool_parameters"] == {}


def test_iteration_defaults_are_filled_in():
    data = data_of("iteration", is_parallel=None)

    assert (data["is_parallel"], data["parallel_nums"], data["error_handle_mode"]) == (False, 10, "terminated")


def test_the_old_name_of_the_aggregator_is_the_aggregator():
    assert upgraded(fixture("v0.1.0-variable-assigner"))["m"].type == "variable-aggregator"


def test_the_old_switch_of_structured_output_counts():
    assert upgraded(fixture("v0.3.1-old-structured-switch"))["m"].data["structured_output_enabled"] is True


def test_old_parameter_types_are_renamed():
    parameters = upgraded(fixture("trigger-plugin-event"))["pe"].data["parameters"]

    assert [item["type"] for item in parameters] == ["string", "boolean", "array[string]"]


def test_output_types_are_lower_case_and_any_by_default():
    outputs = upgraded(fixture("v0.3.1-structured-output"))["e"].data["outputs"]
    old = upgraded(fixture("v0.1.0-variable-assigner"))["e"].data["outputs"]

    assert [item["value_type"] for item in outputs] == ["string", "string"]
    assert old[0]["value_type"] == "any"


def test_break_conditions_and_filters_are_respelled():
    loop = upgraded(fixture("v0.3.0-loop"))["loop"].data
    filtered = data_of(
        "list-operator", filter_by={"enabled": True, "conditions": [{"comparison_operator": "is empty"}]}
    )

    assert loop["break_conditions"][0]["comparison_operator"] == "≥"
    assert filtered["filter_by"]["conditions"][0]["comparison_operator"] == "empty"


def test_foreign_knowledge_bases_are_dropped():
    assert upgraded(fixture("knowledge-foreign-ids"))["k"].data["dataset_ids"] == []
    assert len(upgraded(fixture("knowledge-chat-zh"))["k"].data["dataset_ids"]) == 1


def test_the_assigner_s_version_follows_from_what_it_holds():
    versions = {
        "1": {"assigned_variable_selector": ["conversation", "x"], "version": "2"},
        "2": {"items": []},
    }

    for version, data in versions.items():
        assert upgraded(with_one("assigner", **data))["x"].version == version
    assert upgraded(with_one("assigner", version="2"))["x"].version == "2"


def test_a_version_that_only_marks_a_form_is_not_another_node_type():
    assert upgraded(fixture("v0.1.5-agent-node"))["agent"].version == "1"
    assert upgraded(fixture("v0.7.0-agent-node"))["ag"].version == "2"
    assert upgraded(with_one("tool", version="2"))["x"].version == "1"


def test_handles_default_to_source_and_repeated_edges_count_once():
    document = workflow([node("s", "start"), node("e", "end")])
    document["workflow"]["graph"]["edges"] = [
        {"source": "s", "target": "e"},
        {"source": "s", "target": "e", "sourceHandle": "success-branch"},
        {"source": "s", "target": "e", "sourceHandle": "source"},
    ]

    assert upgrade(AppFile.from_document(document))[1] == [EdgeSpec("s", "e")]


def test_children_belong_to_the_container_their_data_or_their_parent_names():
    nodes = [
        node("s", "start"),
        node("it", "iteration"),
        node("lp", "loop", parent="it", iteration_id="it"),
        node("a", "code", parent="lp", loop_id="lp", iteration_id="it"),
        node("b", "code", iteration_id="it"),
        node("c", "code", iteration_id="gone"),
    ]

    found = upgraded(AppFile.from_document(workflow(nodes)))

    assert [found[name].parent_id for name in ("lp", "a", "b", "c")] == ["it", "lp", "it", None]


def test_error_strategies_and_default_values_are_read():
    found = upgraded(fixture("v0.1.4-error-strategies"))
    data = {
        "error_strategy": "default-value",
        "default_value": [
            {"key": "o", "type": "object", "value": '{"a": 1}'},
            {"key": "l", "type": "array[string]", "value": '["a"]'},
            {"key": "n", "type": "Number", "value": 2},
            {"key": "z", "type": "string", "value": None},
        ],
    }

    assert found["get"].error_strategy == "fail-branch"
    assert found["get"].retry == RetryPolicy(2, 0.5)
    assert found["parse"].default_values == {"days": 0.0, "text": "unknown"}
    assert upgraded(with_one("code", **data))["x"].default_values == {"o": {"a": 1}, "l": ["a"], "n": 2, "z": None}
    assert upgraded(with_one("code", error_strategy="none"))["x"].error_strategy is None


@pytest.mark.parametrize(
    ("kind", "value"), [("number", "two"), ("object", "[1]"), ("array[string]", "{"), ("song", "x"), ("string", 3)]
)
def test_a_default_value_of_another_type_is_refused(kind: str, value: Any):
    app = with_one(
        "code", title="Work", error_strategy="default-value", default_value=[{"key": "k", "type": kind, "value": value}]
    )

    with pytest.raises(DslInvalid, match=r'Node "Work" \(x\): the default value of `k` is not of type'):
        upgrade(app)


def test_the_old_picture_upload_is_an_upload_of_pictures():
    upload = compile(fixture("no-version-polish-email")).features.file_upload

    assert upload["enabled"] is True
    assert upload["allowed_file_types"] == ["image"]
    assert upload["allowed_file_upload_methods"] == ["local_file", "remote_url"]
    assert upload["number_limits"] == 2
