from __future__ import annotations

from typing import Any

import pytest

from dsl.samples import edge, fixture, model_app, node, with_one, workflow
from tidemill.dsl import AppFile, DslInvalid, compile
from tidemill.dsl.model_apps import model_app_graph
from tidemill.dsl.upgrade import upgrade
from tidemill.engine.errors import InputInvalid
from tidemill.engine.testing import run_graph
from tidemill.engine.values import ValueType


def data_of(app: AppFile, node_id: str = "llm") -> Any:
    """The data that a model app's node is built from."""
    return {spec.id: spec.data for spec in model_app_graph(app)[0]}[node_id]


def test_start_inputs_are_checked_and_unknown_ones_dropped():
    app = compile(fixture("start-every-input"))

    values = app.start_inputs({"short": "abc", "number": "2.5", "agree": "yes", "other": 1, "data": {"id": 1}})

    assert values["short"] == "abc"
    assert (values["number"], values["agree"], values["pick"], values["long"]) == (2.5, True, "a", "text")
    assert "other" not in values
    assert values["doc"] is None


def test_a_missing_required_input_is_named():
    with pytest.raises(InputInvalid, match="`short` is required in input form"):
        compile(fixture("start-every-input")).start_inputs({"short": None})


def test_inputs_of_the_conversation_stand_in_for_missing_ones():
    app = compile(fixture("start-every-input"))

    assert app.start_inputs({"short": None}, defaults_from={"short": "kept"})["short"] == "kept"
    assert app.start_inputs({"short": "new"}, defaults_from={"short": "kept"})["short"] == "new"


def test_the_pool_holds_system_environment_conversation_and_the_start_s_copies():
    app = compile(fixture("variables-every-type"))

    pool = app.pool({"x": 1}, system={"query": "hi"}, conversation={"n": 9}, environment={"key": "real", "rate": "2"})

    assert pool.find(("s", "sys.query")) == "hi"
    assert pool.find(("s", "x")) == 1
    assert pool.find(("sys", "query")) == "hi"
    assert pool.find(("env", "greeting")) == "Hello"
    assert pool.find(("env", "rate")) == 2
    assert (pool.find(("conversation", "n")), pool.find(("conversation", "f"))) == (9, 2.5)
    assert pool.type_of(("conversation", "xs")) is ValueType.ARRAY_STRING
    assert pool.secrets == frozenset({"real"})


def test_an_environment_number_that_is_none_keeps_the_file_s():
    app = compile(fixture("variables-every-type"))

    assert app.pool({}, system={}, environment={"rate": "much"}).find(("env", "rate")) == 0.25
    assert app.pool({}, system={}, environment={"rate": "1e2"}).find(("env", "rate")) == 100.0


def test_a_variable_without_id_gets_a_lasting_one():
    first, again = compile(fixture("variables-every-type")), compile(fixture("variables-every-type"))

    assert first.environment[0].id == again.environment[0].id != ""


def test_the_form_tells_each_field_under_its_kind():
    form = compile(fixture("start-every-input")).form()

    assert [next(iter(field)) for field in form] == [
        *("text-input", "paragraph", "select", "number", "checkbox", "file", "file-list", "json_object"),
        *("text-input", "external_data_tool"),
    ]
    assert form[0]["text-input"]["max_length"] == 8
    assert form[2]["select"] == {
        **form[2]["select"],
        "label": "pick",
        "variable": "pick",
        "required": False,
        "default": "a",
        "options": ["a", "b"],
    }
    assert form[0]["text-input"]["default"] == ""


def test_a_chat_app_is_a_start_a_model_and_an_answer():
    app = compile(fixture("chat-simple"))

    assert [(item, app.graph.nodes[item].type) for item in app.graph.nodes] == [
        ("start", "start"),
        ("llm", "llm"),
        ("answer", "answer"),
    ]
    assert app.is_chat
    assert [field.variable for field in app.inputs] == ["subject", "level"]
    assert app.opening({"subject": "chess"}) == "Hi! Let us talk about chess."
    assert app.opening({}) == app.opening_statement == "Hi! Let us talk about {{subject}}."


def test_declared_variables_become_selectors_and_others_stay():
    data = data_of(fixture("chat-simple"))

    assert data["prompt_template"] == [
        {"role": "system", "text": "You teach {{#start.subject#}} to beginners. Unknown words like {{this}} stay."}
    ]
    assert data["memory"] == {"window": {"enabled": False, "size": None}, "query_prompt_template": "{{#sys.query#}}"}


def test_a_completion_app_asks_with_its_text_and_remembers_nothing():
    data = data_of(fixture("completion-simple"))

    assert data["prompt_template"] == [
        {"role": "user", "text": "Write three slogans for {{#start.product#}}, each under eight words."}
    ]
    assert data["memory"] is None
    assert not compile(fixture("completion-simple")).is_chat


def test_an_empty_prompt_gives_no_message():
    assert data_of(model_app("chat"))["prompt_template"] == []


def test_an_advanced_prompt_keeps_the_history_before_the_last_question():
    data = data_of(fixture("chat-advanced-prompt"))

    assert [message["role"] for message in data["prompt_template"]] == ["system", "assistant"]
    assert data["memory"]["query_prompt_template"] == "My point: {{#sys.query#}}"


def test_an_advanced_prompt_that_asks_nothing_gets_the_question_appended():
    prompt = {"prompt": [{"role": "system", "text": "Be kind. {{#context#}}"}, {"role": "user", "text": "Ready?"}]}
    data = data_of(model_app("chat", prompt_type="advanced", chat_prompt_config=prompt))

    assert [message["text"] for message in data["prompt_template"]] == ["Be kind. ", "Ready?"]
    assert data["memory"]["query_prompt_template"] == "{{#sys.query#}}"


def test_an_advanced_completion_keeps_its_messages():
    data = data_of(fixture("completion-advanced-zh"))

    assert data["prompt_template"][1] == {"role": "user", "text": "为下文拟五个标题：\n{{#start.text#}}"}
    assert data["memory"] is None


def test_a_text_model_gets_one_text_with_the_histories():
    advanced = data_of(fixture("chat-text-model"))
    model = {"provider": "openai", "name": "davinci", "mode": "completion", "completion_params": {}}
    simple = data_of(model_app("chat", model=model, pre_prompt="Be brief."))
    single = data_of(model_app("completion", model=model, pre_prompt="Write {{x}}."))

    assert advanced["prompt_template"] == {
        "text": "Answer briefly.\n{{#histories#}}\nHuman: {{#sys.query#}}\nAssistant: "
    }
    assert advanced["memory"]["role_prefix"] == {"user": "Human", "assistant": "Assistant"}
    assert simple["prompt_template"]["text"].startswith("Be brief.\n\n")
    assert "<histories>\n{{#histories#}}\n</histories>" in simple["prompt_template"]["text"]
    assert single == {**single, "prompt_template": {"text": "Write {{x}}."}, "memory": None}


def test_pictures_of_the_message_reach_the_model():
    vision = data_of(fixture("chat-vision"))["vision"]

    assert vision == {"enabled": True, "configs": {"variable_selector": ["sys", "files"], "detail": "low"}}


def test_an_agent_app_is_an_agent_with_the_tools_that_are_on():
    parameters = data_of(fixture("agent-chat-function-call"), "agent")["agent_parameters"]
    react = data_of(fixture("agent-chat-react-zh"), "agent")["agent_parameters"]

    assert [tool["tool_name"] for tool in parameters["tools"]["value"]] == ["current_time"]
    assert parameters["strategy"]["value"] == "function_calling"
    assert parameters["instruction"]["value"] == "You know the time in {{#start.city#}}."
    assert parameters["maximum_iterations"]["value"] == 4
    assert react["strategy"]["value"] == "ReAct"
    assert [tool["tool_name"] for tool in react["tools"]["value"]] == ["wikipedia_search"]


def test_an_agent_app_names_its_knowledge_bases_and_remembers():
    data = data_of(fixture("agent-chat-react-zh"), "agent")
    mode = {"tools": [{"dataset": {"enabled": False, "id": "off"}}, {"dataset": {"enabled": True, "id": "on"}}]}
    configs = {"top_k": 2, "datasets": {"datasets": [{"dataset": {"enabled": True, "id": "two"}}]}}
    both = data_of(model_app("agent-chat", agent_mode=mode, dataset_configs=configs), "agent")

    assert data["is_app"] is True
    assert data["memory"] == {"window": {"enabled": False, "size": None}}
    assert data["dataset_ids"] == ["q9Jd0m2yYw1Tj0b1b3l2eg=="]
    assert data["react_template"] == ""
    assert both["dataset_ids"] == ["on", "two"]
    assert both["retrieval"] == {"top_k": 2}


def test_an_agent_node_is_given_the_package_that_it_names():
    compiled = compile(fixture("v0.7.0-agent-node"))
    agent = compiled.graph.nodes["ag"].node

    assert agent.config.package["metadata"]["name"] == "Writer"
    assert agent.is_branch


def test_an_agent_of_a_package_takes_the_package_s_variables():
    app = compile(fixture("v0.7.0-agent-app"))

    assert [(field.variable, field.type, field.required) for field in app.inputs] == [("home", "text-input", True)]
    assert [(use.provider, use.name) for use in app.models] == [("langgenius/openai/openai", "gpt-4o")]


def test_a_form_of_plain_fields_is_read_too():
    app = compile(model_app("chat", user_input_form=[{"type": "number", "variable": "n"}, "x", {"paragraph": None}]))

    assert [(field.variable, field.type) for field in app.inputs] == [("n", "number")]


def test_every_model_is_listed_with_its_node():
    uses = compile(fixture("question-router-zh")).models

    assert [(use.node_id, use.kind, use.ref.name) for use in uses] == [
        ("q", "chat", "deepseek-chat"),
        ("l", "chat", "deepseek-chat"),
        ("", "chat", "deepseek-chat"),
    ]


def test_models_of_retrieval_agents_and_indexes_are_listed():
    weighted = {
        "reranking_mode": "weighted_score",
        "weights": {"vector_setting": {"embedding_provider_name": "openai", "embedding_model_name": "small"}},
    }
    automatic = {"metadata_filtering_mode": "automatic", "metadata_model_config": {"provider": "p", "name": "m"}}
    app = with_one("knowledge-retrieval", multiple_retrieval_config=weighted, **automatic)
    index = {"reranking_enable": True, "reranking_model": {"reranking_provider_name": "p", "reranking_model_name": "r"}}

    assert [(use.kind, use.name) for use in compile(app).models] == [("embedding", "small"), ("chat", "m")]
    assert [use.kind for use in compile(fixture("knowledge-chat-zh")).models] == ["rerank", "chat"]
    assert [use.kind for use in compile(fixture("knowledge-foreign-ids")).models] == ["chat"]
    assert [use.name for use in compile(fixture("v0.1.5-agent-node")).models] == ["gpt-4o"]
    assert [use.kind for use in compile(fixture("pipeline-website-zh")).models] == ["embedding"]
    assert [use.kind for use in compile(with_one("knowledge-index", retrieval_model=index)).models] == ["rerank"]


def test_features_are_told_whole_with_defaults_for_what_is_missing():
    features = compile(fixture("question-router-zh")).features

    wire = features.to_wire()
    assert wire["suggested_questions"] == ["怎么退款？", "我的快递到哪了？"]
    assert wire["suggested_questions_after_answer"]["model"]["name"] == "deepseek-chat"
    assert wire["text_to_speech"] == {"enabled": False, "voice": "", "language": "", "autoPlay": "disabled"}
    assert wire["retriever_resource"] == {"enabled": True}
    assert features.is_on("suggested_questions_after_answer")
    assert not features.is_on("speech_to_text")
    assert not features.accepts_files


def test_a_graph_that_cannot_run_is_refused_with_every_fault():
    nodes = [node("s", "start"), node("c", "code", title="Work", code_language="ruby"), node("it", "iteration")]

    with pytest.raises(DslInvalid) as caught:
        compile(AppFile.from_document(workflow(nodes, [edge("s", "c")])))

    assert 'Node "Work" (c), code_language' in str(caught.value)


def test_a_stored_document_with_a_cycle_is_refused_when_compiled():
    document = workflow([node("s", "start"), node("a", "code")], [edge("s", "a"), edge("a", "a")])

    with pytest.raises(DslInvalid, match="form a cycle"):
        compile(AppFile.from_document(document))


def test_a_graph_without_start_is_refused():
    with pytest.raises(DslInvalid, match="no start"):
        compile(AppFile.from_document(workflow([node("e", "end")])))


def test_a_trigger_begins_a_run_without_a_form():
    app = compile(fixture("two-triggers"))

    assert (app.start_id, app.inputs) == ("hook", ())
    assert app.graph.roots == ("hook", "when")


async def test_a_run_that_reaches_a_node_of_the_next_version_fails_with_its_name():
    app = AppFile.from_document(
        workflow(
            [node("s", "start", variables=[]), node("c", "knowledge-index", title="Keep the pages")],
            [edge("s", "c")],
        )
    )

    nodes, edges = upgrade(app)
    result = await run_graph(nodes, edges)

    assert result.finished.status == "failed"
    assert 'Node "Keep the pages" is of type knowledge-index, which this version of Tidemill cannot run yet.' in (
        result.finished.error or ""
    )


async def test_the_old_aggregator_file_runs():
    app = fixture("v0.1.0-variable-assigner")
    compiled = compile(app)
    inputs = compiled.start_inputs({"language": "de"})

    assert compiled.pool(inputs, system={}).find(("s", "language")) == "de"
    assert compiled.graph.nodes["m"].type == "variable-aggregator"
