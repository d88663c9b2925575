"""What is known of models: windows, largest outputs, features. Data files beside this module, read once.

`models.json` is generated (`bench/make_catalogue.py` says from what), `extra.json` is kept by hand and wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources
from typing import Final

import msgspec

from tidemill.llm.types import Feature, ModelFacts, ModelKind

LETTERS: Final[dict[str, Feature]] = {
    "v": "vision",
    "d": "document",
    "a": "audio",
    "w": "video",
    "t": "tool-call",
    "m": "multi-tool-call",
    "s": "json-schema",
    "o": "json-object",
    "r": "reasoning",
}
FIXED_SAMPLING: Final = "f"

# Longest prefix wins. OpenAI's own encodings are exact; a factor on o200k is a bound for the others.
TOKENIZERS: Final[dict[str, str]] = {
    "gpt-": "o200k",
    "gpt-4": "cl100k",
    "gpt-4o": "o200k",
    "gpt-4.": "o200k",
    "gpt-3.5": "cl100k",
    "gpt-35": "cl100k",
    "gpt-oss": "estimate:1.15",
    "chatgpt-": "o200k",
    "o1": "o200k",
    "o3": "o200k",
    "o4": "o200k",
    "codex-": "o200k",
    "text-embedding-3": "cl100k",
    "text-embedding-ada": "cl100k",
    "claude": "estimate:1.3",
    "gemini": "estimate:1.15",
    "deepseek": "estimate:1.15",
    "qwen": "estimate:1.15",
    "glm": "estimate:1.2",
    "kimi": "estimate:1.2",
    "moonshot": "estimate:1.2",
    "doubao": "estimate:1.2",
    "llama": "estimate:1.25",
    "mistral": "estimate:1.3",
    "mixtral": "estimate:1.3",
    "gemma": "estimate:1.2",
    "demo": "o200k",
}
UNKNOWN_TOKENIZER: Final = "estimate:1.3"

# Providers that resell or host other vendors' models under the vendors' names.
_HOSTS: Final = ("openrouter", "openai_api_compatible", "azure_openai")
_VENDORS: Final = (
    "openai",
    "anthropic",
    "gemini",
    "deepseek",
    "tongyi",
    "zhipuai",
    "moonshot",
    "volcengine_maas",
    "siliconflow",
    "groq",
)
_SUFFIX = re.compile(
    r"(?:[-@](?:20\d{6}|20\d\d-\d\d-\d\d|\d{2}-\d{2}|\d{3,4}|\d{6}|latest|preview|exp|free)|:[\w.-]+)$"
)


class _Table(msgspec.Struct):
    models: dict[str, dict[str, tuple[ModelKind, int, int | None, str]]]


class _Row(msgspec.Struct, frozen=True):
    name: str
    kind: ModelKind
    window_tokens: int
    max_output_tokens: int | None
    letters: str


def facts(provider: str, model: str) -> ModelFacts | None:
    """What is known of a model under a preset's id, None when it is unknown. Case, date and tag do not matter."""
    row = _find(provider, model)
    return None if row is None else _facts(provider, model, row)


def list_models(provider: str) -> list[ModelFacts]:
    """All known models of a preset, in name order."""
    return [_facts(provider, row.name, row) for _, row in sorted(_rows().get(provider, {}).items())]


def has_fixed_sampling(provider: str, model: str) -> bool:
    """Whether the model refuses temperature and its like."""
    row = _find(provider, model)
    return row is not None and FIXED_SAMPLING in row.letters


def tokenizer_for(model: str) -> str:
    """The tokenizer of a model by its name: "o200k", "cl100k" or "estimate:<factor>"."""
    name = model.lower().removeprefix("ft:").rsplit("/", 1)[-1]
    best = max((prefix for prefix in TOKENIZERS if name.startswith(prefix)), key=len, default="")
    return TOKENIZERS.get(best, UNKNOWN_TOKENIZER)


def _facts(provider: str, name: str, row: _Row) -> ModelFacts:
    return ModelFacts(
        provider=provider,
        name=name,
        kind=row.kind,
        window_tokens=row.window_tokens,
        max_output_tokens=row.max_output_tokens,
        features=frozenset(LETTERS[letter] for letter in row.letters if letter in LETTERS),
        tokenizer=tokenizer_for(name),
    )


@lru_cache(maxsize=4096)
def _find(provider: str, model: str) -> _Row | None:
    tables = _rows()
    providers = (provider, *_VENDORS) if provider in _HOSTS else (provider,)
    for name in _spellings(model):
        for candidate in providers:
            row = tables.get(candidate, {}).get(name)
            if row is not None:
                return row
    return None


def _spellings(model: str) -> Iterator[str]:
    """The name, then ever shorter forms of it: without path, fine-tuning frame, date and tag."""
    name = model.strip().lower()
    if name.startswith("ft:"):
        name = name.split(":")[1]
    tried: list[str] = []
    for start in (name, name.removeprefix("models/"), name.rsplit("/", 1)[-1]):
        for form in (start, start.replace(".", "-") if start.startswith("claude") else start):
            while form not in tried:
                tried.append(form)
                yield form
                form = _SUFFIX.sub("", form)


@lru_cache(maxsize=1)
def _rows() -> dict[str, dict[str, _Row]]:
    tables: dict[str, dict[str, _Row]] = {}
    for file in ("models.json", "extra.json"):
        data = resources.files("tidemill.llm.catalogue").joinpath(file).read_bytes()
        for provider, models in msgspec.json.decode(data, type=_Table).models.items():
            table = tables.setdefault(provider, {})
            for name, row in models.items():
                table[name.lower()] = _Row(name, *row)
    _add_dated(tables)
    return tables


def _add_dated(tables: dict[str, dict[str, _Row]]) -> None:
    # `claude-3-5-sonnet` and the like: an undated name means the newest dated one.
    for table in tables.values():
        for name in sorted(table):
            short = _SUFFIX.sub("", name)
            if short != name and short not in table:
                table[short] = msgspec.structs.replace(table[name], name=short)
