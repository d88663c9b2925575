from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest
from aiohttp import ClientSession

from support.model_server import ModelServer, model_server, model_server_process
from tidemill.adapters.models import EnvironmentModels, ModelArgumentInvalid, parse_ref
from tidemill.llm.chat import BoundChat
from tidemill.llm.errors import ModelNotConfigured
from tidemill.llm.types import ChatRequest, Message, ModelRef

__all__ = ["model_server", "model_server_process"]
REQUEST = ChatRequest(messages=(Message(role="user", content="How high is the tide?"),))


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture
def env(model_server: ModelServer) -> dict[str, str]:
    return {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": model_server.base_url}


async def ask(chat: BoundChat) -> str:
    return "".join([delta.text async for delta in chat.stream(chat.fit(REQUEST))])


async def test_a_model_of_the_environment_answers(
    http: ClientSession, env: Mapping[str, str], model_server: ModelServer
):
    chat = await EnvironmentModels(http, env).chat(ModelRef("langgenius/openai/openai", "gpt-4o-mini"))

    assert len((await ask(chat)).split()) == 20
    assert chat.facts.window_tokens == 128_000
    assert chat.facts.provider == "openai"
    assert model_server.requests()[0].headers["authorization"] == "Bearer sk-test"


async def test_a_key_that_is_missing_is_named_with_a_way_out(http: ClientSession):
    models = EnvironmentModels(http, {})

    with pytest.raises(ModelNotConfigured) as caught:
        await models.chat(ModelRef("google", "gemini-2.0-flash"))

    sentence = str(caught.value)
    assert "gemini-2.0-flash of google" in sentence
    assert "set GEMINI_API_KEY" in sentence
    assert "--map google=PROVIDER/NAME" in sentence
    assert not models.has(ModelRef("google", "gemini-2.0-flash"))


@pytest.mark.parametrize("provider", ["bedrock", ""])
async def test_a_provider_without_preset_is_named(http: ClientSession, provider: str):
    with pytest.raises(ModelNotConfigured, match="is not one Tidemill knows"):
        await EnvironmentModels(http, {}).chat(ModelRef(provider, "claude"))


async def test_an_address_that_is_missing_is_asked_for(http: ClientSession):
    with pytest.raises(ModelNotConfigured, match="AZURE_OPENAI_API_KEY and AZURE_OPENAI_ENDPOINT"):
        await EnvironmentModels(http, {}).chat(ModelRef("azure_openai", "gpt-4o"))


async def test_a_server_of_ones_own_needs_no_key(http: ClientSession, model_server: ModelServer):
    env = {"OPENAI_COMPATIBLE_BASE_URL": model_server.base_url}

    chat = await EnvironmentModels(http, env, window=8192).chat(ModelRef("openai_api_compatible", "mock-3tok"))

    assert len((await ask(chat)).split()) == 3


async def test_an_unknown_window_has_to_be_given(http: ClientSession, env: dict[str, str]):
    with pytest.raises(
        ModelNotConfigured, match=r'window of mock-3tok .* --window .* TIDEMILL_MODEL_WINDOWS="mock-3tok='
    ):
        await EnvironmentModels(http, env).chat(ModelRef("openai", "mock-3tok"))


@pytest.mark.parametrize(
    ("more", "window", "expected"),
    [
        ({}, 1000, 1000),
        ({"OPENAI_MODEL_WINDOW": "2000"}, None, 2000),
        ({"TIDEMILL_MODEL_WINDOWS": "other=5, mock-3tok=3000"}, None, 3000),
        ({"TIDEMILL_MODEL_WINDOWS": "mock-3tok=3000", "OPENAI_MODEL_WINDOW": "2000"}, 1000, 3000),
    ],
)
async def test_the_nearest_setting_of_a_window_wins(
    http: ClientSession, env: dict[str, str], more: dict[str, str], window: int | None, expected: int
):
    chat = await EnvironmentModels(http, {**env, **more}, window=window).chat(ModelRef("openai", "mock-3tok"))

    assert chat.facts.window_tokens == expected


async def test_a_known_window_can_be_narrowed_by_name(http: ClientSession, env: dict[str, str]):
    models = EnvironmentModels(http, {**env, "TIDEMILL_MODEL_WINDOWS": "gpt-4o=8192", "OPENAI_MODEL_WINDOW": "5"})

    assert (await models.chat(ModelRef("openai", "gpt-4o"))).facts.window_tokens == 8192
    assert (await models.chat(ModelRef("openai", "gpt-4o-mini"))).facts.window_tokens == 128_000


@pytest.mark.parametrize("text", ["mock", "a=b", "=5", "a=0"])
async def test_windows_that_cannot_be_read_are_quoted(http: ClientSession, text: str):
    with pytest.raises(ModelArgumentInvalid, match="TIDEMILL_MODEL_WINDOWS"):
        EnvironmentModels(http, {"TIDEMILL_MODEL_WINDOWS": text})


async def test_one_model_can_stand_in_for_all(http: ClientSession, env: dict[str, str], model_server: ModelServer):
    models = EnvironmentModels(http, env, model="openai/mock-3tok", window=8192)

    await ask(await models.chat(ModelRef("bedrock", "claude")))
    await ask(await models.chat(ModelRef("google", "gemini-2.0-flash")))

    assert [request.body["model"] for request in model_server.requests()] == ["mock-3tok", "mock-3tok"]
    assert models.has(ModelRef("bedrock", "claude"))


@pytest.mark.parametrize(
    ("mapping", "ref", "expected"),
    [
        ("google=openai/gpt-4o", ModelRef("google", "gemini"), ModelRef("openai", "gpt-4o")),
        ("gemini=openai/gpt-4o", ModelRef("google", "gemini"), ModelRef("openai", "gpt-4o")),
        ("azure_openai=openai", ModelRef("azure_openai", "gpt-4o"), ModelRef("openai", "gpt-4o")),
        ("google/gemini=demo", ModelRef("google", "gemini"), ModelRef("demo", "demo")),
        ("google/other=demo", ModelRef("google", "gemini"), ModelRef("google", "gemini")),
        ("bedrock=demo/demo", ModelRef("bedrock", "claude"), ModelRef("demo", "demo")),
        (
            "langgenius/openai/openai/gpt-4=openrouter/openai/gpt-4o",
            ModelRef("langgenius/openai/openai", "gpt-4"),
            ModelRef("openrouter", "openai/gpt-4o"),
        ),
        ("langgenius/openai/openai=demo", ModelRef("openai", "gpt-4"), ModelRef("demo", "demo")),
    ],
)
async def test_a_mapping_puts_one_model_for_another(
    http: ClientSession, mapping: str, ref: ModelRef, expected: ModelRef
):
    assert EnvironmentModels(http, {}, maps=[mapping]).target(ref) == expected


@pytest.mark.parametrize("text", ["google", "=openai/gpt-4o", "google=", "google=nowhere/model", "google=nowhere"])
async def test_a_mapping_that_cannot_be_read_is_quoted(http: ClientSession, text: str):
    with pytest.raises(ModelArgumentInvalid, match=text):
        EnvironmentModels(http, {}, maps=[text])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("openai/gpt-4o", ModelRef("openai", "gpt-4o")),
        ("siliconflow/Qwen/Qwen3-8B", ModelRef("siliconflow", "Qwen/Qwen3-8B")),
        ("langgenius/openai/openai/gpt-4o", ModelRef("langgenius/openai/openai", "gpt-4o")),
        ("demo", ModelRef("demo", "demo")),
    ],
)
def test_a_model_is_read_from_its_path(text: str, expected: ModelRef):
    assert parse_ref(text) == expected


def test_a_model_without_a_name_is_refused():
    with pytest.raises(ModelArgumentInvalid, match="openai/gpt-4o-mini"):
        parse_ref("openai")


async def test_the_demo_model_needs_nothing(http: ClientSession):
    chat = await EnvironmentModels(http, {}).chat(ModelRef("demo", "demo"))

    assert "demo model" in await ask(chat)


async def test_a_local_ollama_tells_its_windows(http: ClientSession, model_server: ModelServer):
    models = EnvironmentModels(http, {"OLLAMA_HOST": model_server.origin})

    chat = await models.chat(ModelRef("langgenius/ollama/ollama", "mock-3tok"))

    assert chat.facts.window_tokens == 32_768
    assert len((await ask(chat)).split()) == 3


async def test_a_model_is_bound_once(http: ClientSession, env: dict[str, str]):
    models = EnvironmentModels(http, env)

    assert await models.chat(ModelRef("openai", "gpt-4o")) is await models.chat(ModelRef("openai", "gpt-4o"))


async def test_embeddings_come_from_the_environment_too(http: ClientSession, env: dict[str, str]):
    models = EnvironmentModels(http, env)

    known = await models.embedding(ModelRef("openai", "text-embedding-3-small"))
    unknown = await models.embedding(ModelRef("openai", "mock-embedding"))

    assert len((await known.embed(["tide"]))[0]) == 384
    assert (known.facts.window_tokens, unknown.facts.window_tokens) == (8191, 8192)
    assert len((await (await models.embedding(ModelRef("demo", "demo"))).embed(["tide"]))[0]) == 256


async def test_embeddings_are_repeated_after_a_passing_fault(http: ClientSession, env: dict[str, str]):
    model = await EnvironmentModels(http, env).embedding(ModelRef("openai", "mock-fail1"))

    assert len(await model.embed(["tide", "wind"])) == 2
