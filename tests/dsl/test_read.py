from __future__ import annotations

import json
import time

import pytest

from dsl.samples import edge, fixture, node, workflow
from tidemill.dsl import AppFile, DslInvalid, compile, read, write
from tidemill.dsl.yaml_writer import dump


def refusal(content: str | bytes) -> DslInvalid:
    with pytest.raises(DslInvalid) as caught:
        read(content)
    return caught.value


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "The file is empty"),
        ("just words", "plain text"),
        ("- a\n- b", "a list"),
        ("kind: app", "no `app` section"),
        ("kind: rag_pipeline", "no `rag_pipeline` section"),
        ("kind: Deployment\napp: {mode: chat}", 'of the kind "Deployment"'),
        ("app: {name: x}", "`app.mode` is missing"),
        ("app: {mode: song}", '`app.mode` is "song"'),
        ("app: {mode: workflow}", "no `workflow` section"),
        ("app: {mode: chat}", "no `model_config` section"),
        ("app: {mode: agent}", "no `agent` section"),
        ("version: 0.1\napp: {mode: chat}", "`version` is 0.1, which is not text"),
        ("version: 'one'\napp: {mode: chat}", 'version "one" is not a version number'),
        ("app: {mode: workflow}\nworkflow: {graph: [1]}", "`workflow.graph` must be a mapping"),
        ("app: {mode: workflow}\nworkflow: {graph: {nodes: 3}}", "`workflow.graph.nodes` must be a list"),
        ("app: {mode: workflow}\nworkflow: {graph: {nodes: [x]}}", "`workflow.graph.nodes`, entry 1: it must be"),
        ("app: {mode: workflow}\nworkflow: {graph: {nodes: [{data: {}}]}}", "entry 1: it has no `id`"),
        ("app: {mode: workflow}\nworkflow: {graph: {nodes: [{id: a}]}}", "entry 1 (a): it has no `data`"),
        ("app: {mode: workflow}\nworkflow: {graph: {nodes: [{id: a, data: 3}]}}", "(a): `data` must be a mapping"),
        ("app: {mode: workflow}\nworkflow: {graph: {edges: [{source: a}]}}", "entry 1: it has no `target`"),
    ],
)
def test_a_wrong_shape_is_refused_with_the_part_at_fault(content: str, sentence: str):
    assert sentence in str(refusal(content))


@pytest.mark.parametrize(
    ("content", "line", "sentence"),
    [
        ("app:\n  name: 'x\n", 3, "not valid YAML"),
        ("a: b\n\tc: d", 2, "not valid YAML"),
        ("a: 1\nb: !!python/object:os.system {}", 2, "the tag !!python/object:os.system is not allowed"),
        ("a: 1\nb: !custom x", 2, "the tag !custom is not allowed"),
        ("a: 1\n---\nb: 2", 2, "a second YAML document"),
        ("? [a, b]\n: c", 1, "a key must be text"),
        ("a: *nothing", 1, "refers to nothing"),
        ("a: &x b\n*x : c", 2, "a key must be text"),
        ("a: &x [1]\nb: &y [*x, *x]\nc: *y", 3, "contains other aliases"),
        ("a: &x\n  b: *x", 2, "refers to nothing"),
        ("a: 1\nb: {<<: 3}", 2, "`<<` must be followed by mappings"),
        ("[" * 5000, 1, "nested deeper than 100 levels"),
        ("- " * 200_000 + "a", 1, "nested deeper than 100 levels"),
        ("[" * 1_000_000, 1, "nested deeper than 100 levels"),
    ],
)
def test_a_fault_of_the_text_is_told_with_its_line(content: str, line: int, sentence: str):
    error = refusal(content)

    assert error.line == line
    assert sentence in str(error)


def test_aliases_cannot_stand_for_more_than_a_bounded_number_of_values():
    many = "a: &a [" + "0, " * 60_000 + "0]\nb: *a\nc: *a\n"

    assert "more than 100000 values" in str(refusal(many))


def test_bytes_that_are_no_text_are_refused():
    assert "not text in UTF-8 (byte 1)" in str(refusal(b"\x89PNG\r\n\x1a\n\x00"))
    assert "control characters" in str(refusal("app: \x00"))


@pytest.mark.parametrize(
    "content", ["x" * (10 * 1024 * 1024 + 1), b"x" * (100 * 1024 * 1024), "中" * (4 * 1024 * 1024)]
)
def test_more_than_10_mb_are_refused_before_parsing(content: str | bytes):
    began = time.process_time()

    assert "an app file has at most 10 MB" in str(refusal(content))
    assert time.process_time() - began < 0.5


def test_utf_16_and_a_byte_order_mark_are_understood():
    text = dump(fixture("chat-simple").document)

    assert read(text.encode("utf-16")).name == "Tutor"
    assert read("\ufeff" + text).name == "Tutor"


def test_windows_line_ends_and_emoji_are_understood():
    app = fixture("crlf-bom-emoji")

    assert app.name == "回声 🗣️"
    assert app.icon == "🗣️"
    assert app.nodes[1]["data"]["answer"] == "你说：{{#sys.query#}}\n😀\n"


def test_a_cycle_is_refused_and_named():
    nodes = [node("s", "start"), node("a", "code", title="First"), node("b", "code", title="Second")]
    document = workflow(nodes, [edge("s", "a"), edge("a", "b"), edge("b", "a")])

    error = refusal(dump(document))

    assert 'form a cycle: "First" (a) → "Second" (b) → "First" (a)' in str(error)
    assert error.problems[0].code == "cycle"


def test_an_edge_into_nothing_is_refused_and_named():
    error = refusal(dump(workflow([node("s", "start")], [edge("s", "99")])))

    assert 'The edge "s-99" leads from s to 99, but there is no node with the id 99.' in str(error)


def test_a_repeated_id_and_a_start_beside_a_trigger_are_refused():
    double = refusal(dump(workflow([node("s", "start"), node("s", "end", title="Out")])))
    both = refusal(dump(workflow([node("s", "start"), node("t", "trigger-webhook")])))

    assert str(double) == 'Two nodes have the id s: "start" (s) and "Out" (s).'
    assert "exclude each other" in str(both)


def test_several_faults_are_counted_and_all_kept():
    error = refusal(dump(workflow([node("s", "start")], [edge("s", "8"), edge("s", "9")])))

    assert str(error).endswith("(1 more problems follow.)")
    assert len(error.problems) == 2


def test_edges_at_notes_are_dropped_in_silence():
    app = fixture("notes-and-placeholders")

    graph = compile(app).graph

    assert set(graph.nodes) == {"s", "e"}
    assert len(graph.edges) == 1


@pytest.mark.parametrize(
    ("version", "status"),
    [
        ("0.7.0", "completed"),
        ("0.7.9", "pending"),
        ("0.8.0", "pending"),
        ("1.0.0", "pending"),
        ("0.6.0", "completed-with-warnings"),
        ("0.1.5", "completed-with-warnings"),
        ("v0.7.0-rc1", "completed"),
        (None, "completed-with-warnings"),
    ],
)
def test_the_version_decides_how_a_file_is_taken_in(version: str | None, status: str):
    document = workflow([node("s", "start")])
    if version is None:
        del document["version"]
    else:
        document["version"] = version

    app = AppFile.from_document(document)

    assert app.import_status == status
    assert app.version == (version or "0.1.0")


def test_unquoted_ids_become_text_everywhere():
    app = fixture("numeric-ids")

    compiled = compile(app)

    assert compiled.start_id == "1718000000001"
    assert app.nodes[2]["data"]["iterator_selector"] == ["1718000000002", "words"]
    assert app.edges[0] == {"source": "1718000000001", "target": "1718000000002"}
    assert list(compiled.graph.children["1718000000003"].nodes) == ["1718000000004", "1718000000003start"]


def test_ids_in_cases_classes_lists_and_wrapped_values_become_text():
    nodes = [
        node("s", "start"),
        node("b", "if-else", cases=[{"id": 1, "case_id": 1, "conditions": []}]),
        node("q", "question-classifier", classes=[{"id": 7, "name": "x"}]),
        node("m", "variable-aggregator", variables=[[12, "a"], ["s", "b"]]),
        node("t", "tool", tool_parameters={"x": {"type": "variable", "value": [12, "a"]}, "n": {"value": [1, 2]}}),
        node("l", "list-operator", variable=[12, "files"]),
    ]

    found = {item["id"]: item["data"] for item in AppFile.from_document(workflow(nodes)).nodes}

    assert found["b"]["cases"][0]["case_id"] == "1"
    assert found["q"]["classes"][0]["id"] == "7"
    assert found["m"]["variables"] == [["12", "a"], ["s", "b"]]
    assert found["t"]["tool_parameters"] == {"x": {"type": "variable", "value": ["12", "a"]}, "n": {"value": [1, 2]}}
    assert found["l"]["variable"] == ["12", "files"]


def test_plain_aliases_and_merge_keys_are_written_out():
    app = fixture("anchors")

    models = {item["id"]: item["data"]["model"] for item in app.nodes if item["data"]["type"] == "llm"}

    assert models["one"]["name"] == "gpt-4o-mini"
    assert models["two"] == {**models["one"], "name": "gpt-4o"}
    assert "&" not in write(app)


def test_a_file_without_name_or_with_the_old_channel_mode_is_taken():
    app = read("app: {mode: channel, name: '  '}\nmodel_config: {}")

    assert (app.name, app.mode) == ("Untitled", "chat")


@pytest.mark.parametrize(
    ("variable", "sentence"),
    [
        ("x", "entry 1: it must be a mapping"),
        ({"value": "a"}, "entry 1: it has no `name`"),
        ({"name": "n"}, 'the variable "n" has no `value`'),
        ({"name": "n", "value": "a", "value_type": "song"}, '`value_type` is "song"'),
        ({"name": "n", "value": "a", "value_type": "boolean"}, "cannot be of type boolean"),
        ({"name": "n", "value": "a", "value_type": "number"}, '"a" is not a number'),
        ({"name": "n", "value": ["a"], "value_type": "string"}, "array[string] was given where string is declared"),
        ({"name": "n", "value": "a" * 204_801, "value_type": "string"}, "more than 204800 bytes"),
    ],
)
def test_a_wrong_environment_variable_is_refused(variable: object, sentence: str):
    document = workflow([node("s", "start")], environment_variables=[variable])

    assert sentence in str(refusal(dump(document)))


def test_variable_lists_that_are_no_lists_and_secret_conversations_are_refused():
    secret = {"name": "k", "value": "v", "value_type": "secret"}

    assert "must be a list" in str(refusal(dump(workflow([], environment_variables={"a": 1}))))
    assert "cannot be of type secret" in str(refusal(dump(workflow([], conversation_variables=[secret]))))


def test_one_megabyte_is_read_and_compiled_in_under_a_second():
    text = "A sentence that an author wrote into a prompt, with {{#s.q#}} in it.\n" * 12
    nodes = [
        node("s", "start", variables=[]),
        *(node(f"n{i}", "template-transform", template=text) for i in range(1000)),
    ]
    content = dump(workflow(nodes, [edge("s", f"n{i}") for i in range(1000)]))
    assert len(content) > 1_000_000

    began = time.process_time()
    compile(read(content))

    assert time.process_time() - began < 1.0


def test_a_file_of_json_may_escape_characters_in_halves():
    document = fixture("v0.3.0-loop").document
    document["app"]["name"] = "Wave \U0001f30a"
    as_json = json.dumps(document)
    assert "\\ud83c\\udf0a" in as_json

    assert read(as_json).name == "Wave \U0001f30a"


def test_half_a_character_in_json_is_refused():
    with pytest.raises(DslInvalid, match="not valid YAML"):
        read('{"app": {"name": "\\ud83c"}, "kind": "app"}')
