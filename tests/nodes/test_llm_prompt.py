"""What the LLM node sends (reference `workflow-dsl.md`, 5.4: prompt assembly, history, context)."""

import json
from typing import Any

import pytest

from nodes.doubles import Echo, OneModel, Past, Script, Shelf
from tidemill.engine.errors import NodeFailed, VariableNotFound
from tidemill.engine.events import ModelCalled
from tidemill.engine.testing import NodeInspection, inspect_node
from tidemill.engine.values import File, Value
from tidemill.llm.types import Feature, MediaPart, Message, TextPart
from tidemill.nodes.llm import LLM
from tidemill.ports import Files, History, Models, Templates

MODEL = {"provider": "openai", "name": "gpt-4o-mini", "mode": "chat", "completion_params": {}}
PNG = File(type="image", transfer_method="local_file", filename="a.png")
PDF = File(type="document", transfer_method="local_file", filename="b.pdf")
SHELF = Shelf(a_png=b"png", b_pdf=b"pdf")


async def inspect(
    config: dict[str, Any],
    values: dict[tuple[str, ...], Value] | None = None,
    *,
    features: tuple[Feature, ...] = (),
    history: Past | None = None,
    window_tokens: int = 500_000,
) -> tuple[list[Message], NodeInspection]:
    script = Script()
    ports: dict[type, object] = {
        Models: OneModel(script, *features, window_tokens=window_tokens),
        Templates: Echo(),
        Files: SHELF,
    }
    if history is not None:
        ports[History] = history
    _, seen = await inspect_node(
        LLM, {"model": MODEL, **config}, values={("sys", "query"): "What now?", **(values or {})}, ports=ports
    )
    return list(script.requests[0].messages), seen


async def messages_of(config: dict[str, Any], values: Any = None, **options: Any) -> list[tuple[str, str]]:
    messages, _ = await inspect(config, values, **options)
    return [(message.role, message.text) for message in messages]


def chat(*texts: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {"prompt_template": [{"role": role, "text": text, "id": "1"} for role, text in texts], **more}


# ---------------------------------------------------------------- texts


async def test_messages_keep_their_order_and_roles():
    config = chat(("system", "Be brief."), ("user", "Hi"), ("assistant", "Yes?"), ("user", "{{#sys.query#}}"))

    assert await messages_of(config) == [
        ("system", "Be brief."),
        ("user", "Hi"),
        ("assistant", "Yes?"),
        ("user", "What now?"),
    ]


async def test_the_question_is_not_added_by_itself():
    assert await messages_of(chat(("system", "Be brief."))) == [("system", "Be brief.")]


async def test_values_read_as_text_and_none_as_nothing():
    config = chat(("user", "{{#n.s#}}|{{#n.i#}}|{{#n.b#}}|{{#n.o#}}|{{#n.l#}}|{{#n.none#}}|"))
    values = {
        ("n", "s"): "{{#sys.query#}}",
        ("n", "i"): 1,
        ("n", "b"): True,
        ("n", "o"): {"k": "é"},
        ("n", "l"): ["a"],
        ("n", "none"): None,
    }

    assert await messages_of(config, values) == [("user", '{{#sys.query#}}|1|True|{"k": "é"}|["a"]||')]


async def test_a_missing_variable_fails_the_node():
    with pytest.raises(VariableNotFound, match=r"Variable #n\.gone# not found"):
        await messages_of(chat(("user", "a {{#n.gone#}}")))


async def test_empty_messages_are_left_out():
    config = chat(("system", ""), ("user", "{{#n.none#}}"), ("user", "x"))

    assert await messages_of(config, {("n", "none"): None}) == [("user", "x")]


@pytest.mark.parametrize("template", [[], [{"role": "user", "text": ""}], None, {"text": ""}])
async def test_nothing_to_say_is_an_error(template: Any):
    with pytest.raises(NodeFailed, match="No prompt found"):
        await messages_of({"prompt_template": template})


async def test_jinja_messages_get_their_variables_as_text():
    config = {
        "prompt_template": [{"role": "system", "edition_type": "jinja2", "jinja2_text": "J", "text": "ignored"}],
        "prompt_config": {
            "jinja2_variables": [
                {"variable": name, "value_selector": ["n", name]}
                for name in ("text", "number", "none", "items", "object", "passages")
            ]
        },
    }
    values: dict[tuple[str, ...], Value] = {
        ("n", "text"): "a",
        ("n", "number"): 2,
        ("n", "none"): None,
        ("n", "items"): ["a", 1, {"k": "é"}],
        ("n", "object"): {"k": 1},
        ("n", "passages"): [{"content": "one", "metadata": {"_source": "knowledge"}}, {"content": "two"}],
    }

    ((role, text),) = await messages_of(config, values)

    assert role == "system"
    assert json.loads(text.removeprefix("J:").removesuffix(":400000")) == {
        "text": "a",
        "number": 2,
        "none": "",
        "items": 'a\n1\n{"k": "é"}',
        "object": '{"k": 1}',
        "passages": 'one\n{"content": "two"}',
    }


async def test_a_missing_jinja_variable_fails_the_node():
    config = {
        "prompt_template": [{"role": "user", "edition_type": "jinja2", "jinja2_text": "J"}],
        "prompt_config": {"jinja2_variables": [{"variable": "x", "value_selector": ["n", "gone"]}]},
    }
    with pytest.raises(VariableNotFound):
        await messages_of(config)


async def test_a_wrong_jinja_text_fails_with_its_message():
    config = {"prompt_template": [{"role": "user", "edition_type": "jinja2", "jinja2_text": "wrong"}]}
    with pytest.raises(NodeFailed, match="it is wrong"):
        await messages_of(config)


# ---------------------------------------------------------------- context


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is ", "as it is "),
        (["one", "two"], "one\ntwo"),
        ([{"content": "one"}, {"content": "two \n"}], "one\ntwo"),
        ([{"content": "one", "summary": "first"}], "first\none"),
        ([], ""),
        (None, ""),
    ],
)
async def test_context_is_filled_in(value: Any, text: str):
    config = chat(
        ("user", "[{{#context#}}] {{#sys.query#}}"), context={"enabled": True, "variable_selector": ["n", "c"]}
    )

    assert await messages_of(config, {("n", "c"): value}) == [("user", f"[{text}] What now?")]


@pytest.mark.parametrize(
    "context",
    [
        {"enabled": False, "variable_selector": ["n", "c"]},
        {"enabled": True, "variable_selector": []},
        {"enabled": True, "variable_selector": ["n", "gone"]},
        None,
    ],
)
async def test_without_context_the_place_is_empty(context: Any):
    config = chat(("user", "[{{#context#}}]"), context=context)

    assert await messages_of(config, {("n", "c"): "x"}) == [("user", "[]")]


async def test_text_in_the_context_is_not_expanded_again():
    config = chat(("user", "{{#context#}}"), context={"enabled": True, "variable_selector": ["n", "c"]})

    assert await messages_of(config, {("n", "c"): "{{#sys.query#}}"}) == [("user", "{{#sys.query#}}")]


async def test_context_items_without_content_are_an_error():
    config = chat(("user", "{{#context#}}"), context={"enabled": True, "variable_selector": ["n", "c"]})

    with pytest.raises(NodeFailed, match="Invalid context structure"):
        await messages_of(config, {("n", "c"): [{"title": "x"}]})


# ---------------------------------------------------------------- files and vision


def media(message: Message) -> list[str]:
    return [
        part.filename if isinstance(part, MediaPart) else part.text
        for part in (message.content if isinstance(message.content, tuple) else (TextPart(message.content),))
    ]


async def test_files_in_a_message_stay_where_they_stand():
    config = chat(("user", "Compare {{#n.a#}} with {{#n.b#}}, please."))
    values: dict[tuple[str, ...], Value] = {("n", "a"): PNG, ("n", "b"): [PDF, PNG]}

    messages, _ = await inspect(config, values, features=("vision", "document"))

    assert media(messages[0]) == ["Compare ", "a.png", " with ", "b.pdf", "a.png", ", please."]


async def test_a_model_is_shown_only_what_it_can_read():
    config = chat(("user", "See {{#n.a#}}{{#n.b#}}."))
    values: dict[tuple[str, ...], Value] = {("n", "a"): PNG, ("n", "b"): PDF}

    seeing, _ = await inspect(config, values, features=("vision",))
    blind, _ = await inspect(config, values)

    assert media(seeing[0]) == ["See ", "a.png", "."]
    assert blind[0].content == "See ."


VISION = {"enabled": True, "configs": {"variable_selector": ["sys", "files"], "detail": "low"}}


async def test_vision_puts_files_before_the_last_user_text():
    config = chat(("system", "S"), ("user", "What is it?"), vision=VISION)

    messages, _ = await inspect(config, {("sys", "files"): [PNG]}, features=("vision",))

    assert media(messages[1]) == ["a.png", "What is it?"]
    part = messages[1].content[0]
    assert isinstance(part, MediaPart)
    assert part.detail == "low"


async def test_vision_adds_a_user_message_when_the_last_is_not_the_users():
    config = chat(("system", "S"), vision={"enabled": True, "configs": {"detail": "high"}})

    messages, _ = await inspect(config, {("sys", "files"): [PNG]}, features=("vision",))

    assert [message.role for message in messages] == ["system", "user"]
    assert media(messages[1]) == ["a.png"]


@pytest.mark.parametrize(
    ("vision", "features"),
    [
        ({"enabled": True, "configs": {"variable_selector": ["n", "gone"]}}, ("vision",)),
        ({"enabled": False, "configs": {"variable_selector": ["sys", "files"]}}, ("vision",)),
        (VISION, ()),
        (None, ("vision",)),
    ],
)
async def test_without_vision_no_file_is_sent(vision: Any, features: Any):
    messages, _ = await inspect(chat(("user", "x"), vision=vision), {("sys", "files"): [PNG]}, features=features)

    assert messages[0].content == "x"


async def test_images_of_passages_are_shown_with_vision():
    passage = {"content": "c", "files": [PNG.to_wire()], "metadata": {"_source": "knowledge"}}
    config = chat(("user", "{{#context#}}"), context={"enabled": True, "variable_selector": ["n", "c"]}, vision=VISION)

    messages, _ = await inspect(config, {("n", "c"): [passage]}, features=("vision",))

    assert media(messages[0]) == ["a.png", "c"]


async def test_a_file_that_is_gone_is_an_error_now_but_not_in_history():
    gone = File(type="image", transfer_method="local_file", filename="gone.png")
    with pytest.raises(NodeFailed, match=r"gone\.png does not exist") as failure:
        await inspect(chat(("user", "{{#n.f#}}")), {("n", "f"): gone}, features=("vision",))
    assert failure.value.error_type == "FileUnavailable"

    config = chat(("system", "S"), memory={"window": {"enabled": False}}, vision=VISION)
    past = Past(("Look", "A cat"), ("And this?", "A dog"), files={"Look": (gone,), "And this?": (PNG,)})
    messages, _ = await inspect(config, features=("vision",), history=past)
    assert [media(message) for message in messages] == [
        ["S"],
        ["Look"],
        ["A cat"],
        ["a.png", "And this?"],
        ["A dog"],
        ["What now?"],
    ]


# ---------------------------------------------------------------- memory

TURNS = [(f"q{number}", f"a{number}") for number in range(1, 5)]


async def test_history_comes_after_the_prompt_and_before_the_question():
    config = chat(("system", "S"), ("user", "Example"), memory={"window": {"enabled": False, "size": 2}})

    messages, _ = await inspect(config, history=Past(("q1", "a1")))

    assert [(message.role, message.text, message.is_history) for message in messages] == [
        ("system", "S", False),
        ("user", "Example", False),
        ("user", "q1", True),
        ("assistant", "a1", True),
        ("user", "What now?", False),
    ]


@pytest.mark.parametrize(
    ("window", "limit"),
    [
        ({"enabled": True, "size": 2}, 2),
        ({"enabled": True, "size": None}, 500),
        ({"enabled": True, "size": 0}, 500),
        ({"enabled": True, "size": 9999}, 500),
        ({"enabled": False, "size": 2}, 500),
        (None, 500),
    ],
)
async def test_the_window_counts_turns(window: Any, limit: int):
    past = Past(*TURNS)

    sent = await messages_of(chat(("system", "S"), memory={"window": window}), history=past)

    assert past.limits == [limit]
    assert len(sent) == 2 + 2 * min(limit, len(TURNS))


async def test_the_question_has_a_template_of_its_own():
    memory = {"window": {"enabled": False}, "query_prompt_template": "{{#n.tone#}}: {{#sys.query#}}"}

    sent = await messages_of(chat(("system", "S"), memory=memory), {("n", "tone"): "Kindly"}, history=Past())

    assert sent == [("system", "S"), ("user", "Kindly: What now?")]


async def test_memory_without_a_conversation_is_empty():
    assert await messages_of(chat(("system", "S"), memory={"window": {"enabled": False}})) == [
        ("system", "S"),
        ("user", "What now?"),
    ]


async def test_history_over_the_window_is_trimmed_oldest_first():
    config = {
        **chat(("system", "S"), memory={"window": {"enabled": False}}),
        "model": {**MODEL, "completion_params": {"max_tokens": 50}},
    }
    past = Past(("first " * 100, "one " * 150), ("second", "two"))

    messages, seen = await inspect(config, history=past, window_tokens=200)

    assert [message.text for message in messages] == ["S", "second", "two", "What now?"]
    (call,) = [event for event in seen.events if isinstance(event, ModelCalled)]
    assert call.trimmed_messages == 2
    assert call.trimmed_tokens > 200
    assert [prompt["text"] for prompt in seen.process["prompts"]] == ["S", "second", "two", "What now?"]


# ---------------------------------------------------------------- completion models


def completion(text: str, **more: Any) -> dict[str, Any]:
    return {"model": {**MODEL, "mode": "completion"}, "prompt_template": {"text": text}, **more}


MEMORY = {"window": {"enabled": False}, "role_prefix": {"user": "Guest", "assistant": "Host"}}


async def test_a_completion_prompt_is_one_text():
    assert await messages_of(completion("Say {{#n.x#}}"), {("n", "x"): "hi"}) == [("user", "Say hi")]


@pytest.mark.parametrize("token", ["{{#histories#}}", "#histories#"])
async def test_histories_are_filled_in_with_their_prefixes(token: str):
    sent = await messages_of(
        completion(f"Before\n{token}\nGuest: #sys.query#\nHost:", memory=MEMORY), history=Past(*TURNS[:2])
    )

    assert sent == [("user", "Before\nGuest: q1\nHost: a1\nGuest: q2\nHost: a2\nGuest: What now?\nHost:")]


async def test_histories_without_a_place_come_first():
    sent = await messages_of(completion("{{#sys.query#}}", memory={"window": {}}), history=Past(TURNS[0]))

    assert sent == [("user", "Human: q1\nAssistant: a1\nWhat now?")]


async def test_text_of_the_history_is_not_expanded():
    past = Past(("{{#n.secret#}} #sys.query#", "ok"))

    ((_, text),) = await messages_of(completion("{{#histories#}}", memory=MEMORY), history=past)

    assert text == "Guest: {{#n.secret#}} #sys.query#\nHost: ok"


async def test_a_completion_prompt_may_be_jinja():
    config = {
        **completion(""),
        "prompt_template": {"text": "", "edition_type": "jinja2", "jinja2_text": "J {{#histories#}}"},
        "memory": MEMORY,
    }

    sent = await messages_of(config, history=Past(TURNS[0]))

    assert sent == [("user", "J Guest: q1\nHost: a1:{}:400000")]


async def test_histories_over_the_window_lose_their_oldest_messages():
    past = Past(("first " * 100, "one " * 100), ("second", "two"))

    messages, seen = await inspect(
        completion("#histories# #sys.query#", memory=MEMORY), history=past, window_tokens=200
    )

    assert messages[0].text == "Host: " + "one " * 100 + "\nGuest: second\nHost: two What now?"
    (call,) = [event for event in seen.events if isinstance(event, ModelCalled)]
    assert call.trimmed_messages == 1
    assert call.trimmed_tokens > 90


# ---------------------------------------------------------------- checks


def test_it_reads_everything_its_prompt_refers_to():
    node = LLM.parse(
        "n",
        {
            **chat(("user", "{{#a.b#}}"), memory={}, context={"enabled": True, "variable_selector": ["c", "d"]}),
            "model": {**MODEL, "completion_params": {"temperature": "{{#e.f#}}"}},
            "prompt_config": {"jinja2_variables": [{"variable": "x", "value_selector": ["g", "h"]}]},
            "vision": {"enabled": True},
        },
    )

    assert set(node.reads()) == {
        ("a", "b"),
        ("sys", "query"),
        ("c", "d"),
        ("e", "f"),
        ("g", "h"),
        ("sys", "files"),
    }
