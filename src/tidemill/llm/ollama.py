"""Finding a local Ollama and what its models can hold.

Reference: Ollama's API documentation, "List local models" and "Show model information". Ollama cuts a prompt
that is longer than its `num_ctx` without a word, so the window taken is `num_ctx` when a model sets it.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout

from tidemill.llm.catalogue import facts, tokenizer_for
from tidemill.llm.errors import ModelError
from tidemill.llm.types import Feature, ModelFacts

BASE_URL: Final = "http://127.0.0.1:11434"
DISCOVERY_TIMEOUT_S: Final = 1.5
_NUM_CTX = re.compile(r"^\s*num_ctx\s+(\d+)", re.MULTILINE)
_FEATURES: Final[dict[str, tuple[Feature, ...]]] = {
    "tools": ("tool-call", "multi-tool-call"),
    "vision": ("vision",),
    "thinking": ("reasoning",),
}


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A running Ollama and the names of its models."""

    base_url: str
    models: list[str]


async def discover(http: ClientSession, base_url: str = BASE_URL) -> Found | None:
    """Look for an Ollama; None when nothing answers there."""
    origin = origin_of(base_url)
    try:
        async with http.get(f"{origin}/api/tags", timeout=ClientTimeout(total=DISCOVERY_TIMEOUT_S)) as response:
            data: Any = msgspec.json.decode(await response.read()) if response.status == 200 else None
    except (ClientError, TimeoutError, OSError, msgspec.DecodeError):
        return None
    if not isinstance(data, dict):
        return None
    rows = data.get("models") or []
    names = [row.get("name") for row in rows if isinstance(row, dict)]
    return Found(base_url=origin, models=[name for name in names if isinstance(name, str)])


async def model_facts(http: ClientSession, base_url: str, model: str) -> ModelFacts | None:
    """A local model's window and features as Ollama tells them; None when it does not know the model."""
    url = f"{origin_of(base_url)}/api/show"
    try:
        async with http.post(url, json={"model": model}, timeout=ClientTimeout(total=10)) as response:
            data: Any = msgspec.json.decode(await response.read()) if response.status == 200 else None
    except (ClientError, TimeoutError, OSError, msgspec.DecodeError) as error:
        raise ModelError(f"Ollama cannot be asked about {model} at {url}. Is it running?") from error
    if not isinstance(data, dict):
        return None
    window = _window(data)
    if window is None:
        return facts("ollama", model)
    capabilities = [name for name in data.get("capabilities") or [] if isinstance(name, str)]
    features: set[Feature] = {"json-schema", "json-object"}
    for name in capabilities:
        features.update(_FEATURES.get(name, ()))
    return ModelFacts(
        provider="ollama",
        name=model,
        kind="embedding" if "embedding" in capabilities and "completion" not in capabilities else "chat",
        window_tokens=window,
        features=frozenset(features),
        tokenizer=tokenizer_for(model),
    )


def origin_of(base_url: str) -> str:
    """`OLLAMA_HOST` may be a bare host, a host with port, or a URL with /v1; this is the server's root."""
    text = base_url.strip().rstrip("/").removesuffix("/v1")
    text = text if "://" in text else f"http://{text}"
    scheme, _, host = text.partition("://")
    host = host.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - the address a server listens on, not one to call
    return f"{scheme}://{host}" if ":" in host else f"{scheme}://{host}:11434"


def _window(data: dict[str, Any]) -> int | None:
    parameters = data.get("parameters")
    found = _NUM_CTX.search(parameters) if isinstance(parameters, str) else None
    if found:
        return int(found.group(1))
    info = data.get("model_info")
    if not isinstance(info, dict):
        return None
    sizes = [value for key, value in info.items() if key.endswith(".context_length") and isinstance(value, int)]
    return sizes[0] if sizes else None
