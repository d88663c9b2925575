"""Takes secrets out of what is recorded. Pure: the same data gives the same result, so that digests stay comparable."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

SECRET: Final = "[secret]"

_NAMED: Final = re.compile(
    r"(^|[-_.])(api[-_]?key|apikey|access[-_]?key|private[-_]?key|secret|client[-_]?secret|password|passwd|passphrase|pwd|"
    r"token|authorization|auth|cookie|signature|credentials?|session[-_]?id|session|idempotency-key|traceparent)$",
    re.IGNORECASE,
)
# What credentials look like wherever they stand. None of these can hold a quote or a backslash.
_SHAPED: Final = re.compile(
    r"\b(?:Bearer|Basic|bearer|basic) +[A-Za-z0-9._~+/=-]{8,}"
    r"|\bsk-[A-Za-z0-9_-]{16,}|\b[spr]k_(?:live|test)_[A-Za-z0-9]{16,}|\b(?:app|dataset)-[A-Za-z0-9]{24}\b"
    r"|\b(?:tvly-|xox[abposr]-|gh[pousr]_|github_pat_|glpat-|hf_|jina_)[A-Za-z0-9_-]{16,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bAIza[A-Za-z0-9_-]{35}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
)
# One of these is in whatever has such a shape. Looking for them costs a hundredth of the expression.
_SIGNS: Final = (
    "earer ", "asic ", "sk-", "k_live_", "k_test_", "app-", "dataset-", "tvly-", "xox", "ghp_", "gho_", "ghu_",
    "ghs_", "ghr_", "github_pat_", "glpat-", "hf_", "jina_", "AKIA", "ASIA", "AIza", "eyJ",
)  # fmt: skip
_IN_ADDRESS: Final = re.compile(r"(?<=://)[^/@\s\"\\:]+:[^/@\s\"\\]+(?=@)")
_PARAMETER: Final = re.compile(r"(?<=[?&])([A-Za-z0-9_.-]+)=([^&#\s\"\\]+)")


def is_secret_name(name: str) -> bool:
    """Whether the value under this name (of a header, parameter or field) is a credential by its name."""
    return _NAMED.search(name) is not None


class Scrubber:
    """Takes out the given secrets, whatever has the shape of a credential, and values under telling names."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # The longest first: one may be part of another.
        self._secrets = sorted({secret for secret in secrets if secret.strip()}, key=len, reverse=True)

    def text(self, text: str) -> str:
        """A text without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, SECRET)
        text = _without_shaped(text)
        if "://" in text:
            text = _IN_ADDRESS.sub(SECRET, text)
        return _PARAMETER.sub(_parameter, text) if "=" in text and ("?" in text or "&" in text) else text

    def json_text(self, text: str) -> str:
        """JSON text without secrets in its values, still JSON. Names are not looked at."""
        for secret in self._secrets:
            text = text.replace(json.dumps(secret, ensure_ascii=False)[1:-1], SECRET)
        return _without_shaped(text)

    def data(self, value: Any) -> Any:
        """JSON data without secrets: texts are scrubbed, values under telling names are left out."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {
                key: SECRET if isinstance(item, str) and is_secret_name(str(key)) else self.data(item)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.data(item) for item in value]
        return value


def _parameter(found: re.Match[str]) -> str:
    return f"{found[1]}={SECRET}" if is_secret_name(found[1]) else found[0]


def _without_shaped(text: str) -> str:
    return _SHAPED.sub(SECRET, text) if any(sign in text for sign in _SIGNS) else text
