from __future__ import annotations

import json
from typing import Any

import msgspec

from dsl.samples import edge, fixture, model_app, node, with_one, workflow
from tidemill.dsl import AppFile, Canvas, CanvasNode, canvas


def box(picture: Canvas, node_id: str) -> CanvasNode:
    return next(item for item in picture.nodes if item.id == node_id)


def overlaps(picture: Canvas) -> list[tuple[str, str]]:
    solid = [item for item in picture.nodes if item.category != "note"]
    return [
        (left.id, right.id)
        for index, left in enumerate(solid)
        for right in solid[index + 1 :]
        if left.parent_id == right.parent_id
        and left.position.x < right.position.x + right.width
        and right.position.x < left.position.x + left.width
        and left.position.y < right.position.y + right.height
        and right.position.y < left.position.y + left.height
    ]


def test_the_file_s_places_and_sizes_are_kept():
    start = box(canvas(fixture("v0.2.0-plugin-ids")), "s")

    assert (start.position.x, start.position.y, start.width, start.height) == (0, 0, 244, 90)
    assert (start.type, start.category, start.title, start.summary) == ("start", "io", "Start", ["topic"])


def test_a_file_without_places_is_laid_out_in_columns():
    picture = canvas(fixture("numeric-ids"))

    places = [box(picture, f"171800000000{index}").position.x for index in (1, 2, 3, 5)]
    assert places == sorted(set(places))
    assert overlaps(picture) == []


def test_boxes_on_top_of_each_other_are_moved_apart():
    nodes = [{**node(f"n{index}", "code"), "position": {"x": 0, "y": 0}} for index in range(4)]

    assert overlaps(canvas(AppFile.from_document(workflow([node("s", "start"), *nodes])))) == []


def test_parents_come_first_and_hold_their_children():
    picture = canvas(fixture("nested-containers"))

    order = [item.id for item in picture.nodes]
    assert order.index("it") < order.index("lp") < order.index("add")
    for child in picture.nodes:
        if child.parent_id:
            parent = box(picture, child.parent_id)
            assert child.position.x + child.width <= parent.width
            assert child.position.y + child.height <= parent.height


def test_branches_have_a_handle_for_every_way():
    branch = box(canvas(fixture("v0.1.1-cases-and-iteration-start")), "1720000000002")
    router = box(canvas(fixture("question-router-zh")), "q")
    human = box(canvas(fixture("v0.6.0-human-approval")), "ask")
    http = box(canvas(fixture("v0.1.4-error-strategies")), "get")

    assert [(item.id, item.label) for item in branch.handles] == [
        ("true", "IF"),
        ("2c0b0a57-93a3-4e0b-9f2a-0de9f2b0a001", "ELIF 1"),
        ("false", "ELSE"),
    ]
    assert [item.label for item in router.handles] == ["退款", "物流", "其他"]
    assert [item.id for item in human.handles] == ["approve", "reject", "__timeout"]
    assert [item.id for item in http.handles] == ["source", "fail-branch"]


def test_a_handle_that_only_an_edge_knows_is_drawn():
    nodes = [node("s", "start"), node("b", "if-else", cases=[]), node("e", "end")]

    branch = box(canvas(AppFile.from_document(workflow(nodes, [edge("b", "e", "gone")]))), "b")

    assert [item.id for item in branch.handles] == ["true", "false", "gone"]


def test_notes_show_their_words_and_have_no_lines():
    picture = canvas(fixture("notes-and-placeholders"))

    note = box(picture, "n1")
    assert (note.category, note.summary, note.handles) == ("note", ["Everything begins here"], [])
    assert {item.id for item in picture.nodes} == {"s", "e", "n1"}
    assert len(picture.edges) == 1


def test_a_note_of_plain_text_and_one_without_text_are_drawn():
    notes: list[dict[str, Any]] = [
        {"id": "a", "type": "custom-note", "data": {"type": "", "text": "plain"}},
        {"id": "b", "type": "custom-note", "data": {"type": ""}},
        {"id": "c", "type": "custom-note"},
    ]

    picture = canvas(AppFile.from_document(workflow([node("s", "start"), *notes])))

    assert [box(picture, name).summary for name in "abc"] == [["plain"], [], []]


def test_every_kind_of_node_has_a_summary_of_two_lines_at_most():
    for kind, data, expected in [
        ("llm", {"model": {"name": "gpt-4o"}}, ["gpt-4o"]),
        ("http-request", {"url": "http://a.example"}, ["GET http://a.example"]),
        ("tool", {"tool_label": "Search", "provider_name": "x"}, ["Search", "x"]),
        ("code", {}, ["python3"]),
        ("iteration", {"is_parallel": True}, ["parallel"]),
        ("loop", {"loop_count": 3}, ["≤ 3"]),
        ("answer", {"answer": "word " * 40}, ["word " * 15 + "word…"]),
        ("end", {"outputs": [{"variable": "a"}, {"variable": "b"}, 3]}, ["a, b"]),
        ("agent", {"agent_parameters": {"model": {"value": {"model": "m"}}}, "agent_strategy_label": "L"}, ["m", "L"]),
        ("template-transform", {}, []),
        ("end", {"outputs": "none"}, []),
    ]:
        assert box(canvas(with_one(kind, **data)), "x").summary == expected


def test_the_graph_of_an_app_without_one_is_drawn_too():
    picture = canvas(model_app("chat"))

    assert [item.id for item in picture.nodes] == ["start", "llm", "answer"]
    assert [(line.source, line.target) for line in picture.edges] == [("start", "llm"), ("llm", "answer")]
    assert overlaps(picture) == []


def test_it_can_be_sent_as_json():
    sent = json.loads(msgspec.json.encode(canvas(fixture("v0.3.0-loop"))))

    assert sent["nodes"][0]["position"] == {"x": 0.0, "y": 0.0}
    assert sent["edges"][0] == {"id": "s-source-loop-target", "source": "s", "target": "loop", "handle": "source"}
