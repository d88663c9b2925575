"""Models from environment variables, for runs without a server: implements `ports.Models`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from aiohttp import ClientSession

from tidemill.llm import catalogue, ollama
from tidemill.llm.chat import BoundChat, BoundEmbedding, bind, bind_embedding, prepare
from tidemill.llm.connect import chat_wire, embedding_wire, missing_fields
from tidemill.llm.errors import ModelNotConfigured
from tidemill.llm.presets import PRESETS, Preset, resolve
from tidemill.llm.transport import READ_TIMEOUT_S
from tidemill.llm.types import Feature, ModelFacts, ModelRef

WINDOWS_VARIABLE: Final = "TIDEMILL_MODEL_WINDOWS"
DEFAULT_WINDOW_VARIABLE: Final = "OPENAI_MODEL_WINDOW"
EMBEDDING_WINDOW: Final = 8192
DEMO: Final = ModelRef("demo", "demo")

# Further names that keys and addresses go by, beside the preset's own variable.
_OTHER_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "gemini": ("GOOGLE_API_KEY",),
    "tongyi": ("QWEN_API_KEY",),
    "zhipuai": ("ZAI_API_KEY",),
    "volcengine_maas": ("VOLCENGINE_API_KEY",),
    "openai_api_compatible": ("OPENAI_COMPATIBLE_API_KEY", "OPENAI_API_KEY"),
    "ollama": ("OLLAMA_API_KEY",),
}
_BASE_URLS: Final[dict[str, tuple[str, ...]]] = {
    "openai": ("OPENAI_BASE_URL", "OPENAI_API_BASE"),
    "azure_openai": ("AZURE_OPENAI_ENDPOINT",),
    "ollama": ("OLLAMA_HOST",),
    "openai_api_compatible": ("OPENAI_COMPATIBLE_BASE_URL", "OPENAI_BASE_URL"),
}
# A model nobody described may do all of this; a provider that cannot says so itself.
_ASSUMED: Final[frozenset[Feature]] = frozenset(
    {"vision", "document", "audio", "video", "tool-call", "multi-tool-call", "json-schema", "json-object"}
)


class ModelArgumentInvalid(ValueError):
    """A `--model`, `--map` or window setting that cannot be read. One sentence."""


class EnvironmentModels:
    """Finds a model for each reference of an app: override, then mapping, then the environment.

    Args:
        http: The trusted session; whoever sets the environment is the administrator.
        env: The environment's variables.
        model: "provider/name", used for every chat model whatever the app names.
        maps: "FROM=TO" items; FROM is a provider or provider/name, TO likewise.
        window: The window of chat models that are not known by name.
        read_timeout_s: Longest silence of a provider.
    """

    def __init__(
        self,
        http: ClientSession,
        env: Mapping[str, str],
        *,
        model: str | None = None,
        maps: Sequence[str] = (),
        window: int | None = None,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        self._http = http
        self._env = env
        self._override = parse_ref(model) if model else None
        self._maps = dict(_parse_map(item) for item in maps)
        self._window = window
        self._windows = _parse_windows(env.get(WINDOWS_VARIABLE, ""))
        self._read_timeout_s = read_timeout_s
        self._chats: dict[ModelRef, BoundChat] = {}

    async def chat(self, ref: ModelRef) -> BoundChat:
        """The chat model that serves a reference.

        Raises:
            ModelNotConfigured: Provider, key or window is missing; the sentence says what to set.
        """
        target = self.target(ref)
        bound = self._chats.get(target)
        if bound is None:
            preset, credentials = self._credentials(target)
            facts = await self._facts(preset, target, credentials)
            wire = chat_wire(preset, target.name, credentials, self._http, read_timeout_s=self._read_timeout_s)
            bound = self._chats[target] = bind(facts, wire)
            await prepare(facts)
        return bound

    async def embedding(self, ref: ModelRef) -> BoundEmbedding:
        """The embedding model that serves a reference; `--model` does not apply to it."""
        target = self._mapped(ref)
        preset, credentials = self._credentials(target)
        facts = catalogue.facts(preset.id, target.name) or ModelFacts(
            provider=preset.id, name=target.name, kind="embedding", window_tokens=EMBEDDING_WINDOW
        )
        return bind_embedding(facts, embedding_wire(preset, target.name, credentials, self._http))

    def target(self, ref: ModelRef) -> ModelRef:
        """The model that is used for a reference to a chat model."""
        return self._override or self._mapped(ref)

    def has(self, ref: ModelRef) -> bool:
        """Whether provider and credentials are there for a reference."""
        try:
            self._credentials(self.target(ref))
        except ModelNotConfigured:
            return False
        return True

    def _mapped(self, ref: ModelRef) -> ModelRef:
        preset = resolve(ref.provider)
        providers = [ref.provider, *((preset.id, *preset.dify_names) if preset else ())]
        for provider in providers:
            found = self._maps.get((provider, ref.name)) or self._maps.get((provider, ""))
            if found is not None:
                return found if found.name else ModelRef(found.provider, ref.name)
        return ref

    def _credentials(self, ref: ModelRef) -> tuple[Preset, dict[str, str]]:
        preset = resolve(ref.provider)
        if preset is None:
            raise ModelNotConfigured(
                f"The provider {ref.provider or '(none)'} of the model {ref.name or '(none)'} "
                "is not one Tidemill knows. "
                f"Use another: --model PROVIDER/NAME, or --map {ref.provider or 'FROM'}=PROVIDER/NAME."
            )
        credentials = {
            "api_key": self._first(preset.key_variable, *_OTHER_KEYS.get(preset.id, ())),
            "base_url": self._first(*_base_variables(preset)),
        }
        if preset.id == "azure_openai":
            credentials["api_version"] = self._first("AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION")
        if preset.id == "ollama" and credentials["base_url"]:
            credentials["base_url"] = ollama.origin_of(credentials["base_url"])
        missing = set(missing_fields(preset, credentials))
        if credentials["base_url"]:
            missing.discard("api_key")  # A server of one's own often wants no key.
        if missing:
            raise ModelNotConfigured(_unset(preset, ref, missing))
        return preset, {"api_key": "none", **{name: value for name, value in credentials.items() if value}}

    async def _facts(self, preset: Preset, ref: ModelRef, credentials: Mapping[str, str]) -> ModelFacts:
        known = catalogue.facts(preset.id, ref.name)
        if preset.id == "ollama":
            known = (
                await ollama.model_facts(self._http, credentials.get("base_url", ollama.BASE_URL), ref.name) or known
            )
        chosen = self._windows.get(ref.name)
        if known is not None:
            return known if chosen is None else msgspec.structs.replace(known, window_tokens=chosen)
        window = chosen or self._window or _number(DEFAULT_WINDOW_VARIABLE, self._env.get(DEFAULT_WINDOW_VARIABLE, ""))
        if window is None:
            raise ModelNotConfigured(
                f"The context window of {ref.name} ({preset.id}) is not known. Give it with --window TOKENS, "
                f'or set {WINDOWS_VARIABLE}="{ref.name}=32768" or {DEFAULT_WINDOW_VARIABLE}=32768.'
            )
        return ModelFacts(
            provider=preset.id,
            name=ref.name,
            window_tokens=window,
            features=_ASSUMED,
            tokenizer=catalogue.tokenizer_for(ref.name),
        )

    def _first(self, *variables: str) -> str:
        values = (self._env.get(variable, "").strip() for variable in variables if variable)
        return next((value for value in values if value), "")


def parse_ref(text: str) -> ModelRef:
    """Read "provider/name"; the provider may have a path (langgenius/openai/openai), the name too.

    Raises:
        ModelArgumentInvalid: There is no name.
    """
    parts = text.strip().strip("/").split("/")
    if parts in (["demo"], ["demo", "demo"]):
        return DEMO
    if parts[0].lower() in _SHORT_NAMES and len(parts) > 1:
        return ModelRef(parts[0], "/".join(parts[1:]))
    if len(parts) > 3:
        return ModelRef("/".join(parts[:3]), "/".join(parts[3:]))
    if len(parts) == 2:
        return ModelRef(parts[0], parts[1])
    raise ModelArgumentInvalid(f"`{text}` names no model. Write PROVIDER/NAME, e.g. openai/gpt-4o-mini or demo/demo.")


_SHORT_NAMES: Final = frozenset(
    name for preset in PRESETS.values() for name in (preset.id, *preset.dify_names) if "/" not in name
)


def _parse_map(text: str) -> tuple[tuple[str, str], ModelRef]:
    source, equals, target = text.partition("=")
    if not equals or not source.strip() or not target.strip():
        raise ModelArgumentInvalid(f"`{text}` is no mapping. Write FROM=TO, e.g. google=openai/gpt-4o-mini.")
    left, right = _half(source), _half(target)
    if resolve(right.provider) is None:
        raise ModelArgumentInvalid(f"`{right.provider}` in `{text}` is not a provider Tidemill knows.")
    return (left.provider, left.name), right


def _half(text: str) -> ModelRef:
    text = text.strip().strip("/")
    if text.lower() == "demo":
        return DEMO
    if resolve(text) is not None and (text.lower() in _SHORT_NAMES or text.count("/") == 2):
        return ModelRef(text, "")
    return ModelRef(text, "") if "/" not in text else parse_ref(text)


def _parse_windows(text: str) -> dict[str, int]:
    windows: dict[str, int] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = item.rpartition("=")
        size = _number(WINDOWS_VARIABLE, value) if equals and name.strip() else None
        if size is None:
            raise ModelArgumentInvalid(f"`{item}` in {WINDOWS_VARIABLE} is not NAME=TOKENS, e.g. my-model=32768.")
        windows[name.strip()] = size
    return windows


def _number(variable: str, text: str) -> int | None:
    if not text.strip():
        return None
    if not text.strip().isdigit() or int(text) < 1:
        raise ModelArgumentInvalid(f"{variable} holds `{text}`, which is no number of tokens. Write e.g. 32768.")
    return int(text)


def _base_variables(preset: Preset) -> tuple[str, ...]:
    if preset.id in _BASE_URLS:
        return _BASE_URLS[preset.id]
    return (preset.key_variable.replace("_API_KEY", "_BASE_URL"),) if preset.key_variable else ()


def _unset(preset: Preset, ref: ModelRef, missing: set[str]) -> str:
    variables: list[str] = []
    if "api_key" in missing:
        variables.append(preset.key_variable)
    if "base_url" in missing:
        variables.append(_base_variables(preset)[0])
    return (
        f"The model {ref.name} of {ref.provider} is not set up: set {' and '.join(variables)}, "
        f"or use another model with --model PROVIDER/NAME or --map {ref.provider}=PROVIDER/NAME "
        "(demo/demo needs no key)."
    )
