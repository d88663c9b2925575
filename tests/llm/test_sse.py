from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidemill.llm import sse
from tidemill.llm.errors import BadRequest, ModelUnavailable
from tidemill.llm.failures import error_in_stream, retry_after_s
from tidemill.llm.sse import EventTooLong, SseParser

STREAM = b': hello\n\nevent: a\ndata: {"x":1}\n\ndata: one\ndata: two\r\n\r\nid: 3\ndata:tight\n\ndata: last\n'


def test_events_are_read_whatever_their_line_ends_and_other_fields():
    parser = SseParser()

    assert parser.feed(STREAM) == [b'{"x":1}', b"one\ntwo", b"tight"]
    assert parser.finish() == [b"last"]
    assert parser.finish() == []


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_it_does_not_matter_where_blocks_are_cut(cuts: list[int]):
    parser = SseParser()
    found: list[bytes] = []
    edges = [0, *sorted(cuts), len(STREAM)]
    for start, end in pairwise(edges):
        found += parser.feed(STREAM[start:end])

    assert [*found, *parser.finish()] == [b'{"x":1}', b"one\ntwo", b"tight", b"last"]


def test_an_event_without_end_is_given_up():
    with pytest.raises(EventTooLong):
        SseParser().feed(b"x" * (sse.MAX_EVENT_BYTES + 1))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Retry-After": "3"}, 3.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "Retry-After": "9"}, 0.25),
        ({"Retry-After": "Sun, 22 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"Retry-After": "Sun, 22 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"Retry-After": "soon"}, None),
    ],
)
def test_the_wait_a_provider_asks_for_is_read_in_all_its_forms(headers: dict[str, str], expected: float | None):
    now = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)

    assert retry_after_s(headers, now=now) == expected


def test_errors_of_odd_shapes_still_have_a_name():
    assert isinstance(error_in_stream("boom", "X"), ModelUnavailable)
    assert isinstance(error_in_stream(7, "X"), ModelUnavailable)
    assert isinstance(error_in_stream({"type": "invalid_request_error", "message": "no"}, "X"), BadRequest)
    assert str(error_in_stream({"message": "a\nb"}, "X")) == "X broke off its answer (a b). Try again in a moment."
