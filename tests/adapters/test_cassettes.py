"""Outside calls are recorded without secrets, and answered from the record with nothing reaching outside."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest

from nodes.doubles import OneModel, Past, Peer, Script, Shelf, reply
from tidemill.adapters.cassette import Cassette, CassetteInvalid, cassette_of, read, write
from tidemill.adapters.cassette_player import Player
from tidemill.adapters.playback import played
from tidemill.adapters.recording import recorded
from tidemill.adapters.scrubbing import Scrubber
from tidemill.engine.errors import NodeFailed
from tidemill.engine.events import CallRecorded, Event, NodeStarted, RunFinished
from tidemill.engine.graph import EdgeSpec, Graph, NodeSpec
from tidemill.engine.journal import MemoryJournal
from tidemill.engine.node import RunInfo
from tidemill.engine.scheduler import Run
from tidemill.engine.testing import pool_of
from tidemill.engine.values import File, Value, VariablePool
from tidemill.llm.errors import ModelNotConfigured, RateLimited, StreamBroken
from tidemill.llm.types import ChatDelta, ChatRequest, MediaPart, Message, ModelRef, ToolCallDelta
from tidemill.nodes.answer import Answer
from tidemill.nodes.llm import LLM
from tidemill.nodes.start import Start
from tidemill.ports import (
    EgressRefused,
    Files,
    FileUnavailable,
    History,
    Http,
    HttpFailed,
    HttpPart,
    HttpRequest,
    Knowledge,
    Models,
    Passage,
    Tool,
    ToolCall,
    ToolFailed,
    ToolMessage,
    ToolMissing,
    ToolParameter,
    ToolRef,
    Tools,
    ToolSpec,
)

REF = ModelRef("openai", "gpt-4o-mini")
LIST_REF = ToolRef(kind="builtin", provider="time", name="now")
CALL = ToolCall(info=RunInfo(run_id="run"), ports={}, idempotency_key="k")


class Seat:
    """A node at its place."""

    def __init__(self, place: str = "node", *secrets: str) -> None:
        self.node_id = place
        self.place = place
        self.pool = VariablePool(secrets=secrets)
        self.events: list[Event] = []

    def emit(self, kind: type[Event], /, **fields: Any) -> None:
        given: dict[str, Any] = {"node_id": self.node_id, "execution_id": self.place, **fields}
        self.events.append(kind(seq=1, at=0.0, **given))


class Table:
    """A recording of one port at one place, and what plays it."""

    def __init__(self, kind: type, port: object, *secrets: str) -> None:
        self.seat = Seat("node", *secrets)
        self.live: Any = _bound(recorded({kind: port})[kind], self.seat)
        self._kind = kind

    @property
    def cassette(self) -> Cassette:
        return read(write(cassette_of(self.seat.events, app={}, recorded_at="")))

    @property
    def text(self) -> str:
        return write(self.cassette).decode()

    def player(self) -> tuple[Any, Player]:
        player = Player(self.cassette)
        return _bound(played({}, player)[self._kind], self.seat), player


def _bound(port: Any, seat: Seat) -> Any:
    return port.at(seat)


async def say(models: Any, text: str = "Hi", *, ref: ModelRef = REF, **request: Any) -> list[ChatDelta]:
    model = await models.chat(ref)
    fitted = model.fit(ChatRequest(messages=(Message(role="user", content=text),), **request))
    return [delta async for delta in model.stream(fitted)]


# ---------------------------------------------------------------- models


async def test_an_answer_is_played_piece_by_piece_with_its_counts():
    table = Table(Models, OneModel(Script("Hel", "lo")))

    live = await say(table.live)
    again, _ = table.player()

    assert await say(again) == live
    assert [delta.text for delta in live[:2]] == ["Hel", "lo"]


async def test_reasoning_and_tool_calls_are_played():
    call = ToolCallDelta(index=0, id="1", name="f", arguments="{}")
    table = Table(Models, OneModel(Script(ChatDelta(reasoning="hm"), ChatDelta(tool_calls=(call,)))))

    live = await say(table.live)
    again, _ = table.player()

    assert await say(again) == live


async def test_a_played_model_counts_and_prices_as_the_recorded_one():
    table = Table(Models, OneModel(Script("Hello")))
    deltas = await say(table.live)
    again, _ = table.player()
    live_model, played_model = await table.live.chat(REF), await again.chat(REF)
    request = ChatRequest(messages=(Message(role="user", content="Hi"),), max_tokens=20)

    assert played_model.facts == live_model.facts
    assert played_model.fit(request) == live_model.fit(request)
    usages = [model.usage(model.fit(request), deltas[-1].counts) for model in (live_model, played_model)]
    assert usages[0] == usages[1]


async def test_an_answer_that_broke_off_breaks_off_again():
    table = Table(Models, OneModel(Script("Hel", StreamBroken("The stream ended early."))))
    with pytest.raises(StreamBroken):
        await say(table.live)
    again, _ = table.player()
    model = await again.chat(REF)
    stream = model.stream(model.fit(ChatRequest(messages=(Message(role="user", content="Hi"),))))

    assert (await anext(stream)).text == "Hel"
    with pytest.raises(StreamBroken, match="The stream ended early"):
        await anext(stream)


async def test_a_refusal_keeps_its_facts_and_is_not_waited_for():
    error = RateLimited("Too many requests.", retry_after_s=15.0)
    table = Table(Models, OneModel(Script(error)))
    with pytest.raises(RateLimited):
        await say(table.live)
    again, _ = table.player()

    with pytest.raises(RateLimited) as raised:
        await say(again)

    assert raised.value.retry_after_s == 15.0


async def test_a_model_that_was_missing_is_missing_again():
    table = Table(Models, OneModel(Script(), is_configured=False))
    with pytest.raises(ModelNotConfigured):
        await say(table.live)
    again, _ = table.player()

    with pytest.raises(ModelNotConfigured, match="is not configured"):
        await say(again)


async def test_the_window_decides_the_limit_and_not_the_digest():
    table = Table(Models, OneModel(Script("a"), window_tokens=4096))
    await say(table.live)

    (event,) = table.seat.events
    assert isinstance(event, CallRecorded)
    assert event.request["max_tokens"] is None


# ---------------------------------------------------------------- stale cassettes


async def stale(table: Table, text: str = "Hi", **options: Any) -> str:
    again, player = table.player()
    with pytest.raises(NodeFailed) as failure:
        await say(again, text, **options)
    assert failure.value.error_type == "StaleCassette"
    assert not failure.value.is_retryable
    assert player.stale == [str(failure.value)]
    return player.stale[0]


async def test_a_changed_prompt_is_stale_and_shows_its_first_changed_line():
    table = Table(Models, OneModel(Script("a")))
    await say(table.live, "One\nTwo\nThree")

    sentence = await stale(table, "One\nTwo!\nThree")

    assert sentence == (
        "Stale cassette: node node. Its request to the model has changed: "
        'messages[0].text, line 2: recorded "Two", now "Two!".'
    )


async def test_a_changed_parameter_is_stale():
    table = Table(Models, OneModel(Script("a")))
    await say(table.live, params={"temperature": 0.1})

    assert "params.temperature: recorded 0.1, now 0.9" in await stale(table, params={"temperature": 0.9})


async def test_another_model_is_stale():
    table = Table(Models, OneModel(Script("a")))
    await say(table.live)

    sentence = await stale(table, ref=ModelRef("openai", "gpt-4o"))

    assert "It asked the model openai/gpt-4o-mini and now asks openai/gpt-4o." in sentence


async def test_one_call_more_than_recorded_is_stale():
    table = Table(Models, OneModel(Script("a")))
    await say(table.live)
    again, player = table.player()
    await say(again)

    with pytest.raises(NodeFailed, match="more often than the once that were recorded"):
        await say(again)

    assert len(player.stale) == 1


async def test_equal_calls_are_answered_in_their_order():
    table = Table(Http, Peer(reply(b"first")))
    await table.live.send(get("http://a.example/"))
    second: Any = _bound(recorded({Http: Peer(reply(b"second"))})[Http], table.seat)
    await second.send(get("http://a.example/"))
    again, _ = table.player()

    assert (await again.send(get("http://a.example/"))).body == b"first"
    assert (await again.send(get("http://a.example/"))).body == b"second"


async def test_calls_are_told_apart_by_their_place():
    seats = [Seat("loop[0]/node"), Seat("loop[1]/node")]
    ports = [recorded({Http: Peer(reply(body))})[Http] for body in (b"zero", b"one")]
    for port, seat in zip(ports, seats, strict=True):
        await _bound(port, seat).send(get("http://a.example/"))
    cassette = cassette_of([event for seat in seats for event in seat.events], app={}, recorded_at="")
    player = Player(cassette)
    port = played({}, player)[Http]

    assert (await _bound(port, seats[1]).send(get("http://a.example/"))).body == b"one"
    assert (await _bound(port, seats[0]).send(get("http://a.example/"))).body == b"zero"


# ---------------------------------------------------------------- HTTP


def get(url: str, **fields: Any) -> HttpRequest:
    return HttpRequest(method="GET", url=url, **fields)


@pytest.mark.parametrize("body", [b"text \xe6\xbd\xae", b"\x00\xff\xfe binary", b"", b'{"a": [1, 2]}'])
async def test_a_response_is_played_byte_for_byte(body: bytes):
    table = Table(Http, Peer(reply(body, "text/plain", status=201, x_kind="tide")))
    request = HttpRequest(method="POST", url="http://a.example/x", body=b'{"q": 1}', query=(("a", "1"),))

    live = await table.live.send(request)
    again, _ = table.player()

    assert await again.send(request) == live


async def test_multipart_and_form_bodies_are_compared_by_their_parts():
    parts = (HttpPart(name="note", value="x"), HttpPart(name="doc", data=b"\x00\x01", filename="a.bin"))
    table = Table(Http, Peer())
    await table.live.send(HttpRequest(method="POST", url="http://a.example/", parts=parts))
    again, _ = table.player()
    changed = (parts[0], HttpPart(name="doc", data=b"\x00\x02", filename="a.bin"))

    with pytest.raises(NodeFailed, match=r"Its HTTP request has changed: parts\[1\]\.data"):
        await again.send(HttpRequest(method="POST", url="http://a.example/", parts=changed))


@pytest.mark.parametrize("error", [HttpFailed("It does not answer."), EgressRefused("10.0.0.1 is private.")])
async def test_a_request_without_an_answer_fails_again(error: HttpFailed):
    table = Table(Http, Peer(error))
    with pytest.raises(HttpFailed):
        await table.live.send(get("http://a.example/"))
    again, _ = table.player()

    with pytest.raises(type(error), match=str(error)):
        await again.send(get("http://a.example/"))


async def test_an_answer_over_the_limit_is_not_kept_and_says_so():
    seat = Seat()
    port = recorded({Http: Peer(reply(b"x" * 5000))}, max_bytes=1000)[Http]
    await _bound(port, seat).send(get("http://a.example/"))
    player = Player(cassette_of(seat.events, app={}, recorded_at=""))

    with pytest.raises(NodeFailed, match="too many to be recorded"):
        await _bound(played({}, player)[Http], seat).send(get("http://a.example/"))


# ---------------------------------------------------------------- tools, knowledge, history, files


class Clock:
    """A tool; it reaches outside through the ports it is handed."""

    def __init__(self, failure: ToolFailed | None = None) -> None:
        self.asked: list[Mapping[str, Value]] = []
        self._failure = failure

    @property
    def spec(self) -> ToolSpec:
        zone = ToolParameter(name="zone", options=("UTC",), is_required=True)
        return ToolSpec(provider="time", name="now", label="Now", description="", parameters=(zone,))

    async def find(self, ref: ToolRef) -> Tool:
        if ref.name != "now":
            raise ToolMissing(f"There is no tool {ref.name}.")
        return self

    async def call(self, arguments: Mapping[str, Value], call: ToolCall) -> AsyncIterator[ToolMessage]:
        self.asked.append(arguments)
        await call.port(Http).send(get("http://time.example/"))
        yield ToolMessage(kind="text", text="12:00")
        yield ToolMessage(kind="json", data={"hour": 12})
        yield ToolMessage(kind="variable", name="zone", text="U", is_piece=True)
        if self._failure is not None:
            raise self._failure


async def use(tools: Any, call: ToolCall, **arguments: Value) -> list[ToolMessage]:
    tool = await tools.find(LIST_REF)
    return [message async for message in tool.call(arguments, call)]


async def test_a_tools_messages_are_played_and_its_own_calls_are_part_of_them():
    clock, seat = Clock(), Seat()
    ports = recorded({Tools: clock, Http: Peer()})
    call = ToolCall(info=RunInfo(run_id="r"), ports={Http: _bound(ports[Http], seat)}, idempotency_key="k")
    live = await use(_bound(ports[Tools], seat), call, zone="UTC")
    assert [event.port for event in seat.events if isinstance(event, CallRecorded)] == ["Tools", "Tools"]
    player = Player(read(write(cassette_of(seat.events, app={}, recorded_at=""))))
    tools = _bound(played({}, player)[Tools], seat)

    assert await use(tools, CALL, zone="UTC") == live
    assert (await _bound(played({}, Player(cassette_of(seat.events, app={}, recorded_at="")))[Tools], seat).find(
        LIST_REF
    )).spec == clock.spec  # fmt: skip
    assert len(clock.asked) == 1


async def test_a_tool_fails_again_after_what_it_said():
    seat = Seat()
    port = recorded({Tools: Clock(ToolFailed("It broke.", error_type="ToolProviderError"))})[Tools]
    call = ToolCall(info=RunInfo(run_id="r"), ports={Http: Peer()}, idempotency_key="k")
    with pytest.raises(ToolFailed):
        await use(_bound(port, seat), call, zone="UTC")
    player = Player(cassette_of(seat.events, app={}, recorded_at=""))

    with pytest.raises(ToolFailed, match="It broke") as raised:
        await use(_bound(played({}, player)[Tools], seat), CALL, zone="UTC")

    assert raised.value.error_type == "ToolProviderError"


async def test_a_tool_that_was_missing_is_missing_again():
    table = Table(Tools, Clock())
    other = ToolRef(kind="builtin", provider="time", name="later")
    with pytest.raises(ToolMissing):
        await table.live.find(other)
    again, _ = table.player()

    with pytest.raises(ToolMissing, match="There is no tool later"):
        await again.find(other)


async def test_other_arguments_of_a_tool_are_stale():
    seat = Seat()
    call = ToolCall(info=RunInfo(run_id="r"), ports={Http: Peer()}, idempotency_key="k")
    await use(_bound(recorded({Tools: Clock()})[Tools], seat), call, zone="UTC")
    player = Player(cassette_of(seat.events, app={}, recorded_at=""))

    with pytest.raises(NodeFailed, match=r'arguments\.zone: recorded "UTC", now "CET"'):
        await use(_bound(played({}, player)[Tools], seat), CALL, zone="CET")


class Library:
    async def retrieve(
        self, *, query: str, dataset_ids: Sequence[str], options: Mapping[str, Any]
    ) -> Sequence[Passage]:
        del dataset_ids, options
        picture = File(type="image", transfer_method="remote_url", filename="a.png")
        return [Passage(content=f"about {query}", title="T", metadata={"score": 0.5}, files=(picture,))]


async def test_passages_are_played():
    table = Table(Knowledge, Library())
    question: dict[str, Any] = {"query": "tides", "dataset_ids": ["1"], "options": {"top_k": 4}}

    live = await table.live.retrieve(**question)
    again, _ = table.player()

    assert await again.retrieve(**question) == live


async def test_a_conversation_is_played_and_without_one_the_tests_own_is_read():
    table = Table(History, Past(("q", "a")))
    live = await table.live.turns(5)
    again, _ = table.player()
    fresh = _bound(played({History: Past(("own", "text"))}, Player(Cassette()))[History], Seat())

    assert await again.turns(5) == live
    assert [turn.query for turn in await fresh.turns(5)] == ["own"]


async def test_a_remote_file_is_played_and_a_local_one_is_read_again():
    remote = File(
        type="image", transfer_method="remote_url", remote_url="http://a.example/a.png", url="signed", filename="a.png"
    )
    local = File(type="document", transfer_method="local_file", filename="b.txt", related_id="1")
    table = Table(Files, Shelf(a_png=b"\x89PNG", b_txt=b"local"))
    assert await table.live.read(remote) == b"\x89PNG"
    assert await table.live.read(local) == b"local"
    part = await table.live.media(remote)
    player = Player(table.cassette)
    files = _bound(played({Files: Shelf(b_txt=b"local today")}, player)[Files], table.seat)

    assert await files.read(remote) == b"\x89PNG"
    assert await files.media(remote) == part
    assert isinstance(part, MediaPart)
    assert await files.read(local) == b"local today"


async def test_a_remote_file_that_was_not_recorded_is_not_fetched():
    files = _bound(played({Files: Shelf(a_png=b"x")}, Player(Cassette()))[Files], Seat())

    with pytest.raises(NodeFailed, match="Stale cassette"):
        await files.read(File(type="image", transfer_method="remote_url", filename="a.png"))


async def test_a_file_that_was_gone_is_gone_again():
    table = Table(Files, Shelf())
    gone = File(type="image", transfer_method="remote_url", filename="gone.png")
    with pytest.raises(FileUnavailable):
        await table.live.read(gone)
    again, _ = table.player()

    with pytest.raises(FileUnavailable, match="does not exist any more"):
        await again.read(gone)


# ---------------------------------------------------------------- secrets


SECRET = "hunter2-is-my-secret"


async def test_no_secret_is_in_the_recording():
    key, token = "sk-proj-abcdefghijklmnop1234", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    table = Table(
        Http,
        Peer(reply(json.dumps({"access_token": "abc123", "echo": SECRET}).encode(), set_cookie="sid=42abc42")),
        SECRET,
    )
    request = HttpRequest(
        method="POST",
        url=f"https://ada:pass4ada@a.example/x?api_key=query-credential&q={SECRET}",
        query=(("token", "in-the-query"), ("q", "tides")),
        headers=(("Authorization", f"Bearer {token}"), ("X-Api-Key", "custom-credential"), ("Accept", "*/*")),
        body=json.dumps({"password": "body-credential", "prompt": f"say {key} and {SECRET}"}).encode(),
    )

    await table.live.send(request)

    hidden = [SECRET, key, token, "pass4ada", "query-credential", "in-the-query", "custom-credential"]
    assert [text for text in (*hidden, "body-credential", "abc123", "42abc42") if text in table.text] == []
    assert "tides" in table.text


async def test_another_value_of_a_secret_asks_the_same():
    table = Table(Http, Peer(), SECRET)
    await table.live.send(get("http://a.example/", headers=(("X-Shop", SECRET),)))
    seat = Seat("node", "quite another secret")
    again = _bound(played({}, Player(table.cassette))[Http], seat)

    response = await again.send(get("http://a.example/", headers=(("X-Shop", "quite another secret"),)))

    assert response.status == 200


async def test_a_secret_in_a_prompt_and_across_the_pieces_of_an_answer_is_taken_out():
    table = Table(Models, OneModel(Script("It is hunter2", "-is-my-secret.")), SECRET)

    await say(table.live, f'The "code" is {SECRET}')

    assert SECRET not in table.text
    again, _ = table.player()
    assert "".join(delta.text for delta in await say(again, f'The "code" is {SECRET}')) == "It is [secret]."


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Authorization: Bearer abcdefgh12345", "Authorization: [secret]"),
        ("key sk-abcdefghijklmnopqrstu.", "key [secret]."),
        ("ghp_abcdefghijklmnop1234 and AKIAABCDEFGHIJKLMNOP", "[secret] and [secret]"),
        ("https://u:p@a.example/?a=1&access_token=zzz", "https://[secret]@a.example/?a=1&access_token=[secret]"),
        ("a bearer of news, a basic idea, risk-averse", "a bearer of news, a basic idea, risk-averse"),
        ("max_tokens=5 tokens", "max_tokens=5 tokens"),
    ],
)  # fmt: skip
def test_credentials_are_known_by_their_shape(text: str, clean: str):
    assert Scrubber().text(text) == clean


# ---------------------------------------------------------------- whole runs


def chat_graph(prompt: str) -> Graph:
    model = {"provider": "openai", "name": "gpt-4o-mini", "mode": "chat"}
    return Graph.build(
        [
            NodeSpec(id="start", type=Start.type, data={"variables": []}),
            NodeSpec(
                id="llm",
                type=LLM.type,
                data={"model": model, "prompt_template": [{"role": "user", "text": prompt}]},
                title="Reply",
                error_strategy="default-value",
                default_values={"text": "instead"},
            ),
            NodeSpec(id="answer", type=Answer.type, data={"answer": "{{#llm.text#}}"}),
        ],
        [EdgeSpec(source="start", target="llm"), EdgeSpec(source="llm", target="answer")],
    )


async def run(graph: Graph, ports: Mapping[type, object]) -> tuple[RunFinished, list[Event]]:
    journal = MemoryJournal()
    pool = pool_of({("sys", "query"): "Hi"})
    finished = await Run(graph, pool, info=RunInfo(run_id="run"), ports=ports, journal=journal).execute()
    return finished, journal.events


async def test_a_run_says_the_same_from_its_cassette():
    live, events = await run(chat_graph("{{#sys.query#}}"), recorded({Models: OneModel(Script("Hello", " you"))}))
    cassette = read(write(cassette_of(events, app={"name": "x"}, recorded_at="now")))

    again, told = await run(chat_graph("{{#sys.query#}}"), played({}, Player(cassette)))

    assert (again.answer, again.outputs, again.total_tokens) == (live.answer, live.outputs, live.total_tokens)
    assert [type(event) for event in told] == [type(event) for event in events if not isinstance(event, CallRecorded)]
    assert [(call.place, call.node) for call in cassette.calls] == [("llm", "Reply")]


async def test_an_error_strategy_does_not_hide_a_stale_cassette():
    _, events = await run(chat_graph("{{#sys.query#}}"), recorded({Models: OneModel(Script("Hello"))}))
    player = Player(cassette_of(events, app={}, recorded_at=""))

    finished, _ = await run(chat_graph("Otherwise: {{#sys.query#}}"), played({}, player))

    assert (finished.status, finished.answer) == ("partial-succeeded", "instead")
    assert player.stale == [
        'Stale cassette: node "Reply" (llm). Its request to the model has changed: '
        'messages[0].text: recorded "Hi", now "Otherwise: Hi".'
    ]


async def test_without_recording_nothing_is_told():
    _, events = await run(chat_graph("{{#sys.query#}}"), {Models: OneModel(Script("Hello"))})

    assert not any(isinstance(event, CallRecorded) for event in events)
    assert any(isinstance(event, NodeStarted) for event in events)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{}", "it is no cassette"),
        (b"[1]", "it is no cassette"),
        (b"\xff\xfe", "it is no cassette"),
        (b'{"tidemill_cassette": 99}', "of version 99"),
        (b'{"tidemill_cassette": 1, "calls": [{"place": 3}]}', "it is no cassette"),
        (b"[" * 100_000, "it is no cassette"),
    ],
)
def test_a_file_that_is_no_cassette_says_so(content: bytes, sentence: str):
    with pytest.raises(CassetteInvalid, match=sentence):
        read(content)
