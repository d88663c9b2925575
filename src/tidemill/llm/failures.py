"""One place that turns a provider's refusals into named errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec
from aiohttp import ClientResponse

from tidemill.llm.errors import (
    BadCredential,
    BadRequest,
    ModelError,
    ModelNotSupported,
    ModelUnavailable,
    QuotaExceeded,
    RateLimited,
    WindowOverflow,
)

MAX_ERROR_BYTES: Final = 64 * 1024
MAX_REASON_CHARS: Final = 400

_SECRET = re.compile(r"\b(?:sk|gsk|pk|key|Bearer)[-_ ][\w*.-]{6,}|\bAIza[\w-]{10,}")
_OVERFLOW = re.compile(
    r"context[_ ]length|context[_ ]window|maximum context|max(?:imum)? (?:input |prompt )tokens"
    r"|prompt is too long|input is too long|too many (?:input )?tokens|range of input length"
    r"|exceed(?:s|ed)? the (?:model'?s )?max\w* (?:context|input)|reduce the length of",
    re.IGNORECASE,
)
_QUOTA = re.compile(r"insufficient[_ ](?:quota|balance|credit)|credit balance|arrear|overdue", re.IGNORECASE)


class Refusal(msgspec.Struct, frozen=True):
    """What a provider said: its error's type and code (words), and the sentence."""

    kind: str = ""
    message: str = ""


async def raise_for_status(response: ClientResponse, provider: str) -> None:
    """Pass a 2xx through; raise the named error of any other status."""
    if 200 <= response.status < 300:
        return
    body = await response.content.read(MAX_ERROR_BYTES)
    raise error_for(response.status, body, response.headers, provider)


def error_for(status: int, body: bytes, headers: Mapping[str, str], provider: str) -> ModelError:
    """The named error of a response that is no answer."""
    refusal = read_refusal(body)
    said = _said(refusal, status)
    wait = retry_after_s(headers)
    named = _by_words(refusal, provider, said, wait)
    if named is not None:
        return named
    if status in (401, 403):
        return BadCredential(f"{provider} refused the credentials{said} Check the API key in the model settings.")
    if status == 402:
        return QuotaExceeded(f"The account at {provider} has no credit left{said} Top it up, or choose another model.")
    if status == 404:
        return ModelNotSupported(
            f"{provider} does not offer this model at this address{said} Check the model's name and the base URL."
        )
    if status == 429:
        return RateLimited(
            f"{provider} is receiving too many requests{said} Try again in a moment.", retry_after_s=wait
        )
    if status >= 500 or status == 408:
        return ModelUnavailable(f"{provider} has a fault{said} Try again in a moment.", retry_after_s=wait)
    if 300 <= status < 400:
        return BadRequest(
            f"{provider} answered with a redirect ({status}). Correct the base URL in the model settings."
        )
    return BadRequest(f"{provider} refused the request{said}")


def error_in_stream(error: Any, provider: str) -> ModelError:
    """The named error of an error object that came inside a stream."""
    refusal = _refusal_of(error)
    said = _said(refusal, 0)
    named = _by_words(refusal, provider, said, None)
    if named is not None:
        return named
    kind = refusal.kind.lower()
    if "authentication" in kind or "permission" in kind or "api_key" in kind:
        return BadCredential(f"{provider} refused the credentials{said} Check the API key in the model settings.")
    if "rate_limit" in kind:
        return RateLimited(f"{provider} is receiving too many requests{said} Try again in a moment.")
    if "invalid_request" in kind:
        return BadRequest(f"{provider} refused the request{said}")
    return ModelUnavailable(f"{provider} broke off its answer{said} Try again in a moment.")


def _by_words(refusal: Refusal, provider: str, said: str, wait: float | None) -> ModelError | None:
    words = f"{refusal.kind} {refusal.message}"
    if _QUOTA.search(words):
        return QuotaExceeded(f"The account at {provider} has no credit left{said} Top it up, or choose another model.")
    if "model_not_found" in refusal.kind:
        return ModelNotSupported(f"{provider} does not offer this model{said} Check the model's name.")
    if "overloaded" in refusal.kind:
        return ModelUnavailable(f"{provider} is overloaded{said} Try again in a moment.", retry_after_s=wait)
    if "rate_limit" not in refusal.kind and _OVERFLOW.search(words):
        return WindowOverflow(f"{provider} says the prompt is too long{said}")
    return None


def _said(refusal: Refusal, status: int) -> str:
    reason = _SECRET.sub("***", " ".join(refusal.message.split()))[:MAX_REASON_CHARS].rstrip(". ")
    parts = [str(status)] if status else []
    if reason:
        parts.append(reason)
    return f" ({': '.join(parts)})." if parts else "."


def read_refusal(body: bytes) -> Refusal:
    """The error in a response body, whatever shape the vendor gave it."""
    try:
        return _refusal_of(msgspec.json.decode(body))
    except msgspec.DecodeError:
        text = body[:MAX_REASON_CHARS].decode("utf-8", "replace")
        return Refusal(message="" if "<html" in text.lower() or "<!doctype" in text.lower() else text)


def _refusal_of(data: Any) -> Refusal:
    if isinstance(data, list) and data:  # Gemini wraps its error in a list.
        data = data[0]
    if isinstance(data, str):
        return Refusal(message=data)
    if not isinstance(data, dict):
        return Refusal()
    inner = data.get("error", data)
    if isinstance(inner, str):
        return Refusal(message=inner)
    if not isinstance(inner, dict):
        return Refusal()
    words = [inner.get(name) for name in ("type", "code", "status")]
    message = inner.get("message") or inner.get("detail") or inner.get("msg") or ""
    return Refusal(kind=" ".join(word for word in words if isinstance(word, str)), message=str(message))


def retry_after_s(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Seconds the provider asks to wait: `retry-after-ms`, or `Retry-After` as seconds or as a date."""
    precise = headers.get("retry-after-ms", "")
    if precise.replace(".", "", 1).isdigit():
        return float(precise) / 1000
    value = headers.get("Retry-After", headers.get("retry-after", "")).strip()
    if not value:
        return None
    if value.replace(".", "", 1).isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())
