from __future__ import annotations

import json
from importlib import resources

import pytest
from aiohttp import ClientSession

from llm.wires import asking, json_response, recorded
from support.model_server import ModelServer
from tidemill.llm import ollama
from tidemill.llm.catalogue import facts, has_fixed_sampling, list_models, tokenizer_for
from tidemill.llm.connect import chat_wire, embedding_wire, list_remote_models, probe
from tidemill.llm.errors import ModelNotConfigured
from tidemill.llm.presets import PRESETS, resolve
from tidemill.llm.prices import price, unit_prices, warm
from tidemill.llm.tokens import count_text
from tidemill.llm.types import TokenCounts


@pytest.mark.parametrize(
    ("provider", "model", "window", "output"),
    [
        ("openai", "gpt-4", 8192, 8192),
        ("openai", "gpt-4o", 128_000, 16_384),
        ("openai", "gpt-4o-2024-08-06", 128_000, 16_384),
        ("openai", "gpt-4o-2031-01-01", 128_000, 16_384),
        ("openai", "GPT-4o-mini", 128_000, 16_384),
        ("openai", "ft:gpt-4o-mini:acme::abc", 128_000, 16_384),
        ("openai", "gpt-3.5-turbo-16k", 16_385, 4096),
        ("anthropic", "claude-3-5-sonnet-20240620", 200_000, 8192),
        ("anthropic", "claude-3-5-sonnet-latest", 200_000, 8192),
        ("anthropic", "claude-opus-5", 1_000_000, 128_000),
        ("openrouter", "anthropic/claude-sonnet-4.5", 200_000, 64_000),
        ("openrouter", "openai/gpt-4o:free", 128_000, 16_384),
        ("azure_openai", "gpt-4o-mini", 128_000, 16_384),
        ("gemini", "models/gemini-2.0-flash-exp", 1_048_576, 8192),
        ("deepseek", "deepseek-chat", 131_072, 8192),
        ("tongyi", "qwen-max", 30_720, 8192),
        ("moonshot", "moonshot-v1-8k", 8192, None),
        ("volcengine_maas", "Doubao-pro-32k", 32_768, 4096),
        ("siliconflow", "deepseek-ai/DeepSeek-V3", 65_536, 8192),
        ("groq", "llama3-8b-8192", 8192, 8192),
        ("openai_api_compatible", "gpt-4o-mini", 128_000, 16_384),
        ("demo", "demo", 32_768, 4096),
    ],
)
def test_windows_of_well_known_models_are_known(provider: str, model: str, window: int, output: int | None):
    found = facts(provider, model)

    assert found is not None
    assert (found.provider, found.name, found.window_tokens) == (provider, model, window)
    assert output is None or found.max_output_tokens == output


@pytest.mark.parametrize(("provider", "model"), [("openai", "gpt-99"), ("bedrock", "gpt-4o"), ("openai", "mock-20tok")])
def test_nothing_is_guessed_of_an_unknown_model(provider: str, model: str):
    assert facts(provider, model) is None


def test_the_catalogue_holds_several_hundred_models_and_names_its_source():
    head = json.loads(resources.files("tidemill.llm.catalogue").joinpath("models.json").read_text())

    assert "litellm" in head["source"]
    assert "MIT" in head["source"]
    assert sum(len(list_models(provider)) for provider in PRESETS) > 400
    assert any(model.name.startswith("gpt-6") for model in list_models("openai"))


def test_every_listed_model_is_well_formed():
    for provider in PRESETS:
        for model in list_models(provider):
            assert model.window_tokens > 0
            assert model.max_output_tokens is None or model.max_output_tokens > 0
            assert count_text("tide", model.tokenizer) > 0


@pytest.mark.parametrize(
    ("model", "tokenizer"),
    [
        ("gpt-4", "cl100k"),
        ("gpt-4-turbo", "cl100k"),
        ("gpt-3.5-turbo", "cl100k"),
        ("gpt-4o-mini", "o200k"),
        ("gpt-4.1", "o200k"),
        ("gpt-6-sol", "o200k"),
        ("o4-mini", "o200k"),
        ("text-embedding-3-small", "cl100k"),
        ("claude-opus-5", "estimate:1.3"),
        ("Qwen/Qwen3-8B", "estimate:1.15"),
        ("something-else", "estimate:1.3"),
    ],
)
def test_each_family_has_its_tokenizer(model: str, tokenizer: str):
    assert tokenizer_for(model) == tokenizer


def test_models_that_refuse_temperature_are_marked():
    assert has_fixed_sampling("anthropic", "claude-opus-5")
    assert not has_fixed_sampling("anthropic", "claude-3-5-sonnet-20240620")
    assert not has_fixed_sampling("anthropic", "unknown")


@pytest.mark.parametrize(
    ("spelling", "preset"),
    [
        ("openai", "openai"),
        ("langgenius/openai/openai", "openai"),
        ("google", "gemini"),
        ("langgenius/gemini/google", "gemini"),
        ("langgenius/tongyi/tongyi", "tongyi"),
        ("langgenius/zhipuai/zhipuai", "zhipuai"),
        ("volcengine_maas", "volcengine_maas"),
        ("langgenius/openai_api_compatible/openai_api_compatible", "openai_api_compatible"),
        ("langgenius/azure_openai/azure_openai", "azure_openai"),
        ("someone/else/siliconflow", "siliconflow"),
        ("Ollama", "ollama"),
        ("demo", "demo"),
    ],
)
def test_all_spellings_of_app_files_are_understood(spelling: str, preset: str):
    found = resolve(spelling)

    assert found is not None
    assert found.id == preset


@pytest.mark.parametrize("spelling", ["bedrock", "", "langgenius/modelscope/modelscope"])
def test_a_provider_without_preset_is_none(spelling: str):
    assert resolve(spelling) is None


def test_presets_have_names_in_both_languages_and_secrets_are_marked():
    for preset in PRESETS.values():
        assert preset.names.en
        assert preset.names.zh
        assert all(field.kind == "secret" for field in preset.fields if field.name == "api_key")
        assert preset.wire == "demo" or any(field.name == "base_url" for field in preset.fields)


async def test_a_preset_without_its_credentials_says_what_is_missing(http: ClientSession):
    with pytest.raises(ModelNotConfigured, match="base_url"):
        chat_wire(PRESETS["openai_api_compatible"], "m", {}, http)
    with pytest.raises(ModelNotConfigured, match="offers no embedding"):
        embedding_wire(PRESETS["anthropic"], "m", {"api_key": "k"}, http)


async def test_a_live_test_lists_the_models_and_asks_for_a_word(http: ClientSession, model_server: ModelServer):
    credentials = {"api_key": "k", "base_url": model_server.base_url}

    listed = await probe(PRESETS["openai"], credentials, http)
    asked = await probe(PRESETS["openai"], credentials, http, "mock-5tok")

    assert listed.ok
    assert "mock-tool" in listed.models
    assert asked.ok
    assert asked.message == "mock-5tok answers."
    assert model_server.requests()[0].body["max_tokens"] == 16


async def test_a_live_test_that_fails_says_why(http: ClientSession, model_server: ModelServer):
    refused = await probe(PRESETS["openai"], {"api_key": "k", "base_url": model_server.base_url}, http, "mock-err401")
    absent = await probe(PRESETS["openai"], {"api_key": "k", "base_url": "http://127.0.0.1:9"}, http)
    empty = await probe(PRESETS["openai"], {}, http)

    assert not refused.ok
    assert "API key" in refused.message
    assert "cannot be reached at 127.0.0.1:9" in absent.message
    assert "api_key" in empty.message


async def test_a_web_page_instead_of_an_api_is_pointed_out(http: ClientSession):
    async with recorded(json_response("<html>")) as (url, _):
        result = await probe(PRESETS["openai"], {"api_key": "k", "base_url": url}, http)

    assert "Check the base URL" in result.message


async def test_the_demo_model_passes_its_own_test(http: ClientSession):
    result = await probe(PRESETS["demo"], {}, http, "demo")

    assert (result.ok, result.models) == (True, ["demo"])


async def test_azure_is_called_by_deployment_and_version(http: ClientSession, model_server: ModelServer):
    credentials = {"api_key": "k", "base_url": model_server.origin}
    wire = chat_wire(PRESETS["azure_openai"], "my-deployment", credentials, http)

    async for _ in wire.stream(asking()):
        pass

    (request,) = model_server.requests()
    assert request.path == "/openai/deployments/my-deployment/chat/completions"
    assert request.headers["api-key"] == "k"


async def test_azure_lists_models_by_its_own_route(http: ClientSession, model_server: ModelServer):
    names = await list_remote_models(PRESETS["azure_openai"], {"api_key": "k", "base_url": model_server.origin}, http)

    assert "mock-tool" in names


async def test_a_local_ollama_is_found_with_models_and_windows(http: ClientSession, model_server: ModelServer):
    found = await ollama.discover(http, model_server.origin)
    known = await ollama.model_facts(http, model_server.origin, "qwen3:latest")

    assert found is not None
    assert "mock-tool" in found.models
    assert known is not None
    assert known.window_tokens == 32_768
    assert "tool-call" in known.features
    assert await ollama.discover(http, "http://127.0.0.1:9") is None


async def test_the_size_a_local_model_is_run_with_goes_before_what_it_could_hold(http: ClientSession):
    body = '{"parameters":"stop \\"x\\"\\nnum_ctx    4096","model_info":{"llama.context_length":131072}}'
    async with recorded(json_response(body), json_response("{}", status="404 No"), json_response("[]")) as (url, _):
        known = await ollama.model_facts(http, url, "llama3.1")
        unknown = await ollama.model_facts(http, url, "nothing")
        other = await ollama.discover(http, url)

    assert known is not None
    assert known.window_tokens == 4096
    assert (unknown, other) == (None, None)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1", "http://127.0.0.1:11434"),
        ("0.0.0.0:8000", "http://127.0.0.1:8000"),
        ("http://box:1234/v1/", "http://box:1234"),
        ("https://ollama.example", "https://ollama.example:11434"),
    ],
)
def test_every_form_of_ollama_host_is_an_address(host: str, origin: str):
    assert ollama.origin_of(host) == origin


async def test_prices_are_decimal_text_rounded_to_seven_places():
    await warm("openai", "gpt-4o-mini")

    usage = price("openai", "gpt-4o-mini", TokenCounts(prompt_tokens=7, completion_tokens=3))

    assert (usage.prompt_price, usage.completion_price, usage.total_price) == ("0.0000011", "0.0000018", "0.0000029")
    assert usage.prompt_price_unit == "0.000001"
    assert usage.total_tokens == 10


def test_cached_and_long_prompts_have_their_own_price():
    full = price("openai", "gpt-4o", TokenCounts(prompt_tokens=1000, completion_tokens=0))
    cached = price("openai", "gpt-4o", TokenCounts(prompt_tokens=1000, completion_tokens=0, cached_tokens=1000))
    long = price("gemini", "gemini-2.5-pro", TokenCounts(prompt_tokens=300_000, completion_tokens=0))

    assert float(cached.prompt_price) < float(full.prompt_price)
    assert float(long.prompt_price) > 1.25 * 0.3


def test_what_is_not_in_the_price_data_costs_nothing():
    assert unit_prices("openai", "mock-5tok") is None
    assert unit_prices("ollama", "llama3") is None
    assert price("ollama", "llama3", TokenCounts(prompt_tokens=5, completion_tokens=5)).total_price == "0"
