"""Events that were packed come out as they were, and large texts lie in a batch once."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tidemill.domains.runs.journal_codec import pack, unpack
from tidemill.engine import events

LARGE = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=200_000))


def ended(seq: int, **fields: Any) -> events.NodeFinished:
    given: dict[str, Any] = {
        "seq": seq,
        "at": float(seq),
        "execution_id": f"x{seq}",
        "node_id": "n",
        "node_type": "code",
        "title": "N",
        "index": seq,
        "status": "succeeded",
        "started_at": 1.0,
        "elapsed_s": 0.5,
        **fields,
    }
    return events.NodeFinished(**given)


def test_a_large_text_that_goes_through_many_nodes_is_stored_once():
    batch = [ended(seq, inputs={"v": LARGE}, outputs={"deep": [{"v": LARGE}, 1]}) for seq in range(1, 51)]

    payload = pack(batch)

    assert unpack(payload) == batch
    assert len(payload) < 1.2 * len(LARGE)


def test_texts_that_differ_are_kept_apart():
    batch = [ended(seq, outputs={"v": f"{seq}{LARGE}"}) for seq in (1, 2)]

    assert unpack(pack(batch)) == batch


def test_events_keep_what_they_hold_while_they_are_packed():
    event = ended(1, outputs={"v": LARGE})

    pack([event])

    assert event.outputs == {"v": LARGE}


@pytest.mark.parametrize(
    "event",
    [
        events.RunStarted(seq=1, at=1.0, run_id="r", workflow_id="w", inputs={"x": LARGE}),
        events.ContainerAdvanced(
            seq=1, at=1.0, kind="loop", execution_id="x", node_id="n", node_type="loop", title="L", index=1,
            previous_output={"acc": LARGE},
        ),
        events.VariableAssigned(seq=1, at=1.0, node_id="n", selector=("conversation", "c"), value=LARGE),
        events.VariableAssigned(seq=1, at=1.0, node_id="n", selector=("conversation", "c"), value=[LARGE, None]),
        events.CallRecorded(
            seq=1, at=1.0, node_id="n", execution_id="x", port="Http", digest="d", request={"b": LARGE}, response=LARGE
        ),
        events.TextDelta(seq=1, at=1.0, node_id="n", text=LARGE, selector=("n", "text")),
    ],
    ids=lambda event: type(event).__name__,
)  # fmt: skip
def test_every_event_with_a_large_text_comes_back(event: events.Event):
    batch = [ended(1, outputs={"v": LARGE}), event]

    assert unpack(pack(batch)) == batch


def test_a_value_that_looks_like_a_reference_is_no_reference():
    batch = [ended(1, outputs={"v": LARGE, "w": {"\0text": 0}}), ended(2, outputs={"\0text": 5})]

    assert unpack(pack(batch)) == batch


def test_a_value_nested_very_deeply_is_kept():
    deep: Any = LARGE
    for _ in range(200):
        deep = [deep]
    batch = [ended(1, outputs={"v": deep})]

    assert unpack(pack(batch)) == batch


def test_small_batches_are_plain_json():
    assert json.loads(pack([ended(1, outputs={"v": "x"})]))[0]["outputs"] == {"v": "x"}


def test_a_large_text_that_is_no_utf8_is_stored_with_what_can_be():
    (event,) = unpack(pack([ended(1, outputs={"v": "\ud83d" + LARGE})]))

    assert isinstance(event, events.NodeFinished)
    assert event.outputs == {"v": "?" + LARGE}
