from __future__ import annotations

import copy
from typing import Any

import pytest

from dsl.samples import fixture, model_app, node, with_root, workflow
from tidemill.dsl import AppFile, DslInvalid, map_models, model_uses, read, rename_node, write
from tidemill.dsl.yaml_reader import load
from tidemill.llm.types import ModelRef


def exported(app: AppFile, **options: Any) -> Any:
    return load(write(app, **options))


def test_top_level_keys_have_a_fixed_order_and_unknown_ones_survive():
    keys = list(exported(fixture("unknown-node-and-keys")))

    assert keys == ["version", "kind", "app", "workflow", "x_vendor"]
    assert exported(fixture("unknown-node-and-keys"))["x_vendor"] == {"nested": {"kept": True}}


def test_everything_inside_keeps_the_author_s_order_and_form():
    app = fixture("v0.1.0-flat-branch")

    branch = next(item for item in exported(app)["workflow"]["graph"]["nodes"] if item["id"] == "branch")
    assert "cases" not in branch["data"]
    assert list(branch) == ["data", "height", "id", "position", "sourcePosition", "targetPosition", "type", "width"]


def test_secrets_are_blank_unless_asked_for():
    app = fixture("http-every-body")

    assert [item["value"] for item in exported(app)["workflow"]["environment_variables"]] == ["", "25"]
    kept = exported(app, include_secrets=True)["workflow"]["environment_variables"]
    assert [item["value"] for item in kept] == ["s3cr3t-value", "25"]


def test_credentials_do_not_travel():
    for name in ("v0.2.0-plugin-ids", "v0.1.5-agent-node", "agent-chat-function-call"):
        assert "credential_id" not in write(fixture(name))


def test_a_picture_becomes_a_character():
    head = exported(fixture("image-icon"))["app"]

    assert (head["icon_type"], head["icon"], head["icon_background"]) == ("emoji", "🤖", "#FFEAD5")


def test_addresses_and_subscriptions_of_triggers_are_blank():
    hook = exported(fixture("v0.5.0-webhook"))["workflow"]["graph"]["nodes"][0]["data"]
    plugin = exported(fixture("trigger-plugin-event"))["workflow"]["graph"]["nodes"][0]["data"]

    assert (hook["webhook_url"], hook["webhook_debug_url"], plugin["subscription_id"]) == ("", "", "")


def test_the_nested_settings_of_a_schedule_are_reset_and_the_flow_s_own_kept():
    nested = exported(fixture("schedule-cron-nested"))["workflow"]["graph"]["nodes"][0]["data"]
    own = exported(with_root("trigger-schedule", mode="cron", cron_expression="0 9 * * *"))

    assert nested["config"]["mode"] == "visual"
    assert own["workflow"]["graph"]["nodes"][0]["data"]["cron_expression"] == "0 9 * * *"


def test_writing_changes_nothing_in_the_app():
    app = fixture("http-every-body")
    before = copy.deepcopy(app.document)

    write(app)

    assert app.document == before


def test_after_a_rename_the_export_differs_only_there():
    app = fixture("question-router-zh")

    renamed = rename_node(app, "q", "先分类")

    before, after = write(app).splitlines(), write(renamed).splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert [(old.strip(), new.strip()) for old, new in changed] == [("title: 问题分类", "title: 先分类")]
    assert app.nodes[1]["data"]["title"] == "问题分类"


def test_a_node_that_is_not_there_cannot_be_renamed():
    with pytest.raises(DslInvalid, match="no node with the id 404"):
        rename_node(fixture("question-router-zh"), "404", "x")


def test_models_are_mapped_by_name_and_by_provider_in_either_spelling():
    app = fixture("anchors")
    other, third = ModelRef("demo", "demo"), ModelRef("ollama", "qwen3")

    by_name = map_models(app, {("openai", "gpt-4o"): other})
    by_provider = map_models(app, {"langgenius/openai/openai": other, ("openai", "gpt-4o-mini"): third})
    unrelated = map_models(app, {"acme/open/ai": other})

    assert [use.ref for use in model_uses(by_name)] == [ModelRef("openai", "gpt-4o-mini"), other]
    assert [use.ref for use in model_uses(by_provider)] == [third, other]
    assert unrelated.document == app.document
    assert by_name.nodes[2]["data"]["model"]["completion_params"] == {"temperature": 0.2}


def test_a_full_provider_id_is_not_mixed_up_with_another_that_ends_alike():
    app = model_app("chat", model={"provider": "langgenius/openai/openai", "name": "m", "mode": "chat"})

    assert map_models(app, {"acme/openai/openai": ModelRef("demo", "demo")}).document == app.document


def test_models_of_agents_are_mapped_where_they_are_named():
    app = map_models(fixture("v0.1.5-agent-node"), {"openai": ModelRef("demo", "demo")})

    model = app.nodes[1]["data"]["agent_parameters"]["model"]["value"]
    assert (model["provider"], model["model"]) == ("demo", "demo")


def test_an_app_made_by_a_program_can_be_written_and_read():
    app = AppFile.from_document(workflow([node("s", "start")]))

    assert read(write(app)).document == app.document
    assert app.description == ""
    assert app.icon_background == "#FFFFFF"
