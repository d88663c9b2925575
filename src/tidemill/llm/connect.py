"""From a preset and credentials to something that answers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout

from tidemill.llm import catalogue
from tidemill.llm.chat import EmbeddingWire
from tidemill.llm.demo import DemoChat, DemoEmbedding
from tidemill.llm.errors import BadRequest, ModelError, ModelNotConfigured, ModelUnavailable
from tidemill.llm.failures import raise_for_status
from tidemill.llm.presets import Preset
from tidemill.llm.providers.anthropic import API_VERSION, AnthropicChat
from tidemill.llm.providers.openai import OpenAIChat
from tidemill.llm.providers.openai_embedding import OpenAIEmbedding
from tidemill.llm.quirks import quirks_for
from tidemill.llm.transport import READ_TIMEOUT_S, Endpoint
from tidemill.llm.types import ChatRequest, Message
from tidemill.llm.wire import ChatWire

PROBE_TIMEOUT_S: Final = 15.0
PROBE_TOKENS: Final = 16


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """What a live test of credentials found; `message` is a sentence for the person who asked."""

    ok: bool
    latency_ms: int
    message: str
    models: list[str] = []


def chat_wire(
    preset: Preset,
    model: str,
    credentials: Mapping[str, str],
    http: ClientSession,
    *,
    read_timeout_s: float = READ_TIMEOUT_S,
) -> ChatWire:
    """The wire of a chat model. `http` is the trusted session: an administrator chose where it goes.

    Raises:
        ModelNotConfigured: A required credential is missing.
    """
    if preset.wire == "demo":
        return DemoChat()
    path = "messages" if preset.wire == "anthropic" else "chat/completions"
    endpoint = _endpoint(preset, model, credentials, http, path, read_timeout_s)
    if preset.wire == "anthropic":
        fixed = catalogue.has_fixed_sampling(preset.id, model)
        return AnthropicChat(endpoint, model=model, has_fixed_sampling=fixed)
    return OpenAIChat(endpoint, model=model, quirks=quirks_for(preset.id, model))


def embedding_wire(
    preset: Preset,
    model: str,
    credentials: Mapping[str, str],
    http: ClientSession,
    *,
    read_timeout_s: float = READ_TIMEOUT_S,
) -> EmbeddingWire:
    """The wire of an embedding model.

    Raises:
        ModelNotConfigured: A required credential is missing, or the provider has no embeddings.
    """
    if preset.wire == "demo":
        return DemoEmbedding()
    if preset.wire == "anthropic":
        raise ModelNotConfigured(f"{preset.names.en} offers no embedding models. Choose another provider for them.")
    endpoint = _endpoint(preset, model, credentials, http, "embeddings", read_timeout_s)
    return OpenAIEmbedding(endpoint, model=model, batch=quirks_for(preset.id, model).embedding_batch)


def missing_fields(preset: Preset, credentials: Mapping[str, str]) -> list[str]:
    """Names of required credentials that are not there."""
    return [field.name for field in preset.fields if field.is_required and not credentials.get(field.name)]


async def list_remote_models(preset: Preset, credentials: Mapping[str, str], http: ClientSession) -> list[str]:
    """Names of the models the provider offers to these credentials. Raises the errors of `llm.errors`."""
    if preset.wire == "demo":
        return ["demo"]
    endpoint = _endpoint(preset, "", credentials, http, "models", PROBE_TIMEOUT_S)
    url = endpoint.url
    if preset.id == "azure_openai":
        url = f"{_base(preset, credentials)}/openai/models?api-version={_api_version(preset, credentials)}"
    data = await get_json(http, url, endpoint.headers, preset.names.en)
    rows = data.get("data", []) if isinstance(data, dict) else []
    names = [row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]
    return sorted(name.removeprefix("models/") for name in names)


async def probe(preset: Preset, credentials: Mapping[str, str], http: ClientSession, model: str | None = None) -> Probe:
    """Try credentials for real: list the models, and with `model` ask it for a word. Stores nothing."""
    began = time.perf_counter()
    models: list[str] = []
    try:
        _require(preset, credentials)
        try:
            models = await list_remote_models(preset, credentials, http)
        except ModelError:
            if model is None:
                raise
        if model is not None:
            await _ask(chat_wire(preset, model, credentials, http, read_timeout_s=PROBE_TIMEOUT_S))
    except ModelError as error:
        return Probe(ok=False, latency_ms=_ms(began), message=str(error))
    said = f"{model} answers." if model else f"{preset.names.en} answers and offers {len(models)} models."
    return Probe(ok=True, latency_ms=_ms(began), message=said, models=models)


async def get_json(http: ClientSession, url: str, headers: Mapping[str, str], provider: str) -> Any:
    """A provider's answer to GET as plain data."""
    timeout = ClientTimeout(total=PROBE_TIMEOUT_S, sock_connect=5)
    try:
        async with http.get(url, headers=headers, timeout=timeout, allow_redirects=False) as response:
            await raise_for_status(response, provider)
            return msgspec.json.decode(await response.read())
    except (ClientError, TimeoutError, OSError) as error:
        host = url.split("://", 1)[-1].split("/", 1)[0]
        raise ModelUnavailable(
            f"{provider} cannot be reached at {host}. Check the base URL and the network."
        ) from error
    except msgspec.DecodeError as error:
        raise BadRequest(
            f"{provider} answered with something that is not a list of models. Check the base URL."
        ) from error


async def _ask(wire: ChatWire) -> None:
    request = ChatRequest(messages=(Message(role="user", content="Say hello."),), max_tokens=PROBE_TOKENS)
    stream = wire.stream(request)
    try:
        await anext(stream, None)
    finally:
        await stream.aclose()


def _endpoint(
    preset: Preset,
    model: str,
    credentials: Mapping[str, str],
    http: ClientSession,
    path: str,
    read_timeout_s: float,
) -> Endpoint:
    _require(preset, credentials)
    key = credentials.get("api_key", "").strip()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    if preset.wire == "anthropic":
        headers = {"x-api-key": key, "anthropic-version": API_VERSION}
    if preset.id == "azure_openai":
        headers = {"api-key": key}
    return Endpoint(
        http=http,
        url=_url(preset, model, credentials, path),
        provider=preset.names.en,
        headers=headers,
        read_timeout_s=read_timeout_s,
    )


def _url(preset: Preset, model: str, credentials: Mapping[str, str], path: str) -> str:
    base = _base(preset, credentials)
    if preset.id == "azure_openai" and not base.endswith("/v1"):
        version = _api_version(preset, credentials)
        return f"{base}/openai/deployments/{model}/{path}?api-version={version}"
    if preset.wire == "anthropic" or preset.id == "ollama":
        return f"{base.removesuffix('/v1')}/v1/{path}"
    return f"{base}/{path}"


def _base(preset: Preset, credentials: Mapping[str, str]) -> str:
    base = (credentials.get("base_url") or preset.base_url).strip().rstrip("/")
    return base if "://" in base else f"http://{base}"


def _api_version(preset: Preset, credentials: Mapping[str, str]) -> str:
    default = next((field.default for field in preset.fields if field.name == "api_version"), "")
    return credentials.get("api_version") or default


def _require(preset: Preset, credentials: Mapping[str, str]) -> None:
    missing: Sequence[str] = missing_fields(preset, credentials)
    if missing:
        raise ModelNotConfigured(f"{preset.names.en} needs {' and '.join(missing)}. Enter it in the model settings.")


def _ms(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
