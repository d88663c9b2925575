"""Where vendors of the OpenAI wire differ, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

SAMPLING: Final = frozenset(
    {"temperature", "top_p", "presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs"}
)
_COMMON: Final = SAMPLING | {"seed", "user", "reasoning_effort", "verbosity", "service_tier", "parallel_tool_calls"}
_OPEN: Final = _COMMON | {
    "top_k",
    "min_p",
    "top_a",
    "repetition_penalty",
    "enable_thinking",
    "thinking_budget",
    "thinking",
    "reasoning",
    "chat_template_kwargs",
    "enable_search",
    "search_options",
    "do_sample",
    "num_ctx",
    "keep_alive",
    "safe_prompt",
}


class Quirks(msgspec.Struct, frozen=True, kw_only=True):
    """How one vendor's or family's requests look.

    `params` are the parameters it takes; others are dropped. `has_fixed_sampling` marks reasoning models
    that refuse temperature and the like. `max_stop` is how many stop words it takes.
    """

    max_tokens_field: str = "max_tokens"
    params: frozenset[str] = _OPEN
    has_fixed_sampling: bool = False
    takes_reasoning_back: bool = False
    developer_role: bool = False
    has_stream_usage: bool = True
    max_stop: int = 4
    embedding_batch: int = 64


_OPENAI: Final = Quirks(params=_COMMON)
_OPENAI_REASONING: Final = Quirks(
    params=_COMMON, max_tokens_field="max_completion_tokens", has_fixed_sampling=True, max_stop=0
)
_PROVIDERS: Final[dict[str, Quirks]] = {
    "openai": _OPENAI,
    "azure_openai": _OPENAI,
    "deepseek": Quirks(takes_reasoning_back=True),
    "moonshot": Quirks(takes_reasoning_back=True),
    "tongyi": Quirks(embedding_batch=10),
    "zhipuai": Quirks(max_stop=1),
    "gemini": Quirks(params=_COMMON - {"logit_bias", "user", "seed"} | {"extra_body"}),
}
# Prefixes of OpenAI's reasoning models; `-chat` variants of gpt-5 take neither sampling nor `max_tokens`.
_REASONING: Final = ("o1", "o3", "o4", "gpt-5", "gpt-6", "codex-", "computer-use")


def quirks_for(provider: str, model: str) -> Quirks:
    """The quirks of a model under a preset's id."""
    if provider in ("openai", "azure_openai") and model.lower().removeprefix("ft:").startswith(_REASONING):
        return _OPENAI_REASONING
    return _PROVIDERS.get(provider, Quirks())


def accepted(params: Mapping[str, Any], quirks: Quirks) -> dict[str, Any]:
    """The parameters the vendor takes; the others are left out without a word, as app files carry many."""
    refused = SAMPLING if quirks.has_fixed_sampling else frozenset[str]()
    return {
        name: value
        for name, value in params.items()
        if name in quirks.params and name not in refused and value is not None and value != ""
    }
