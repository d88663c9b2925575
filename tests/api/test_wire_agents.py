"""The bytes of agent apps' events (reference `service-api.md`, sections 5.1 and 5.3)."""

from __future__ import annotations

import json
from typing import Any

from api.test_wire import finished, ticket
from tidemill.api.wire_chat import encoder_for
from tidemill.engine import events
from tidemill.engine.values import File

FILE = File(
    type="image",
    transfer_method="tool_file",
    id="f1",
    related_id="f1",
    filename="chart.png",
    mime_type="image/png",
    url="https://a.example/chart.png",
).to_wire()


def encoded(mode: Any, *happened: events.Event) -> list[dict[str, Any]]:
    encoder = encoder_for(ticket(mode))
    body = b"".join(encoder.encode(event) for event in happened).decode()
    return [json.loads(line[6:]) for line in body.split("\n") if line.startswith("data: ")]


def thought(**fields: Any) -> events.AgentThought:
    given: dict[str, Any] = {"seq": 2, "at": 1.0, "thought_id": "x", "position": 1, **fields}
    return events.AgentThought(**given)


def test_a_thought_has_its_keys_in_order_after_the_shared_ones():
    told = thought(thought="Look", tool="a;b", tool_input='{"a": {}}', observation="{}", file_ids=["f1"])

    (event,) = encoded("agent-chat", told)

    assert list(event) == [
        *("event", "conversation_id", "message_id", "created_at", "task_id"),
        *("id", "position", "thought", "observation", "tool", "tool_labels", "tool_input", "message_files"),
    ]
    assert event["message_files"] == ["f1"]


def test_a_file_of_a_tool_is_a_message_file_and_stands_in_the_closing_event():
    produced = events.FileProduced(seq=3, at=1.0, file=FILE)

    shown, closing = encoded("agent-chat", produced, finished())

    assert {name: shown[name] for name in ("event", "id", "type", "belongs_to", "url")} == {
        "event": "message_file",
        "id": "f1",
        "type": "image",
        "belongs_to": "assistant",
        "url": "https://a.example/chart.png",
    }
    assert (closing["event"], closing["files"]) == ("message_end", [FILE])


def test_text_is_an_agent_message_without_a_selector():
    delta = events.TextDelta(seq=2, at=1.0, node_id="agent", text="Hé", selector=("agent", "text"))

    (event,) = encoded("agent-chat", delta)

    assert event == {
        "event": "agent_message",
        "conversation_id": "c",
        "message_id": "m",
        "created_at": 1700000000,
        "task_id": "t",
        "id": "m",
        "answer": "Hé",
    }


def test_newer_agent_apps_say_the_whole_answer_before_the_end_and_name_no_sources():
    cited = events.ResourcesRetrieved(seq=2, at=1.0, node_id="agent", resources=[{"content": "x"}])

    whole, closing = encoded("agent", cited, finished())

    assert (whole["event"], whole["answer"]) == ("message", "Hé")
    assert closing["event"] == "message_end"
    assert closing["metadata"]["retriever_resources"] == []


def test_a_failed_agent_ends_with_an_error_alone():
    (event,) = encoded("agent", finished(status="failed", error="It broke.", error_type="AgentMaxIterationError"))

    assert (event["event"], event["message"], event["status"]) == ("error", "It broke.", 400)
    assert "task_id" not in event
