"""HTTP requests of tools: through the run's guarded port, with sentences for what can go wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tidemill.ports import Http, HttpFailed, HttpRequest, HttpResponse, ToolCall, ToolFailed

BROWSER: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36"
)
TIMEOUT_S: Final = 60.0


async def fetch(
    call: ToolCall,
    url: str,
    *,
    method: str = "GET",
    query: Sequence[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    form: Sequence[tuple[str, str]] | None = None,
    body: bytes | None = None,
    data: Any = None,
    timeout_s: float = TIMEOUT_S,
    max_bytes: int = 10 * 1024 * 1024,
) -> HttpResponse:
    """Send a request; `data` is sent as JSON. Raises `ToolFailed` when no response comes."""
    sent = dict(headers or {})
    if data is not None:
        body = json.dumps(data, ensure_ascii=False).encode()
        sent.setdefault("Content-Type", "application/json")
    request = HttpRequest(
        method=method,
        url=url,
        query=tuple(query),
        headers=tuple(sent.items()),
        form=tuple(form) if form is not None else None,
        body=body,
        read_timeout_s=timeout_s,
        write_timeout_s=timeout_s,
        max_body_bytes=max_bytes,
    )
    try:
        return await call.port(Http).send(request)
    except HttpFailed as error:
        raise ToolFailed(str(error)) from error


async def ask(call: ToolCall, service: str, url: str, **rest: Any) -> HttpResponse:
    """Like `fetch`, and every status outside 2xx is a failure that names the service."""
    response = await fetch(call, url, **rest)
    if not 200 <= response.status < 300:
        raise ToolFailed(f"{service} answered {response.status}: {_said(response)}{_advice(response.status)}")
    return response


async def ask_json(call: ToolCall, service: str, url: str, **rest: Any) -> Any:
    """The JSON that a service answers. Raises `ToolFailed` for another status, or for something that is not JSON."""
    response = await ask(call, service, url, **rest)
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError) as error:
        raise ToolFailed(f"{service} did not answer with JSON but with: {_said(response)}.") from error


# Answers are read without trusting their shape: what is not as a vendor documents it reads as nothing.


def part(data: Any, *path: str | int) -> Any:
    """What is at a path of keys and places; None when there is nothing."""
    for step in path:
        if isinstance(step, int):
            data = data[step] if isinstance(data, list) and len(data) > step else None
        else:
            data = data.get(step) if isinstance(data, dict) else None
    return data


def words(data: Any, *path: str | int) -> str:
    """The text or number at a path, as text; empty when there is none."""
    found = part(data, *path)
    return str(found) if isinstance(found, (str, int, float)) else ""


def objects(data: Any, *path: str | int) -> list[dict[str, Any]]:
    """The objects in the list at a path."""
    found = part(data, *path)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _said(response: HttpResponse) -> str:
    """The first words of a response, on one line."""
    words = " ".join(response.body[:600].decode(errors="replace").split())
    return words[:200] or "nothing"


def _advice(status: int) -> str:
    if status in (401, 403):
        return ". Check the provider's key among the workspace's tools"
    if status == 429:
        return ". Its rate limit is reached: wait, or raise the limit at the vendor"
    return ""


def read_text(response: HttpResponse) -> str:
    """The body as text, by its declared charset or UTF-8."""
    declared = response.headers.get("content-type", "").lower().partition("charset=")[2].split(";")[0].strip(" \"'")
    for charset in (declared, "utf-8"):
        if charset:
            try:
                return response.body.decode(charset)
            except (UnicodeDecodeError, LookupError):
                continue
    return response.body.decode("utf-8", errors="replace")
