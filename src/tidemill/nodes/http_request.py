"""Send an HTTP request built from variables, through the egress guard.

Rules: reference `workflow-dsl.md`, section 5.10.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import msgspec
from pydantic import Field, field_validator

from tidemill.engine.errors import NodeFailed
from tidemill.engine.node import Context, Node
from tidemill.engine.templates import selectors
from tidemill.engine.values import Selector, Value
from tidemill.nodes._http_build import AuthHeader, Authorization, Body, encode_body, parse_headers, parse_params
from tidemill.nodes._http_read import is_file, read_text, save_file
from tidemill.nodes._shapes import Settings, Shape
from tidemill.ports import EgressRefused, Files, Http, HttpFailed, HttpRequest, HttpResponse

MAX_TEXT_BYTES = 1024 * 1024
MAX_FILE_BYTES = 10 * 1024 * 1024
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 600.0
WRITE_TIMEOUT_S = 600.0

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"})
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Timeout(Shape):
    """Seconds; nothing or 0 means the default, which is also the most."""

    connect: float = 0
    read: float = 0
    write: float = 0


class Retry(Shape):
    retry_enabled: bool = False


class Config(Settings):
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] = "GET"
    url: str = ""
    headers: str = ""
    params: str = ""
    authorization: Authorization = Authorization()
    body: Body | None = None
    timeout: Timeout = Timeout()
    ssl_verify: bool = True
    retry_config: Retry = Retry()
    error_strategy: str = ""
    idempotency_key: bool = Field(
        default=False, description="Send an Idempotency-Key with writes, so that a repeated request is done once."
    )

    @field_validator("method", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @property
    def fails_on_status(self) -> bool:
        """Whether an answer outside 2xx is a failure; without retries or a strategy it is a result."""
        return self.retry_config.retry_enabled or self.error_strategy not in ("", "none")


class HttpRequestNode(Node[Config, dict[str, Value]]):
    type = "http-request"
    title = "HTTP Request"
    is_effectful = True
    honours_retry = True

    async def run(self, ctx: Context) -> dict[str, Value]:
        request, auth = await self._build(ctx)
        ctx.record(process={"request": _as_text(request, auth)})
        try:
            response = await ctx.port(Http).send(request)
        except EgressRefused as error:
            raise NodeFailed(str(error), error_type="EgressRefused", is_retryable=False) from error
        except HttpFailed as error:
            raise NodeFailed(str(error), error_type="HttpRequestNodeError") from error
        if self.config.fails_on_status and not 200 <= response.status < 300:
            raise NodeFailed(f"Request failed with status code {response.status}", error_type="HTTPResponseCodeError")
        return await self._outputs(ctx, response)

    async def _build(self, ctx: Context) -> tuple[HttpRequest, AuthHeader | None]:
        config = self.config
        if config.method not in _METHODS:
            raise NodeFailed(
                f"Invalid http method {config.method}: use one of {', '.join(sorted(_METHODS))}.",
                error_type="InvalidHttpMethodError",
                is_retryable=False,
            )
        url = _url(ctx.render(config.url))
        headers = parse_headers(ctx.render(config.headers))
        auth = config.authorization.header_of(ctx)
        if auth is not None:
            headers = [pair for pair in headers if pair[0].lower() != auth.name.lower()]
            headers.append((auth.name, auth.value))
        payload = await encode_body(config.body, ctx, headers)
        request = HttpRequest(
            method=config.method,
            url=url,
            query=parse_params(config.params, ctx),
            headers=tuple(payload.headers),
            body=payload.body,
            form=payload.form,
            parts=payload.parts,
            connect_timeout_s=min(config.timeout.connect or CONNECT_TIMEOUT_S, CONNECT_TIMEOUT_S),
            read_timeout_s=min(config.timeout.read or READ_TIMEOUT_S, READ_TIMEOUT_S),
            write_timeout_s=min(config.timeout.write or WRITE_TIMEOUT_S, WRITE_TIMEOUT_S),
            verify_tls=config.ssl_verify,
            max_body_bytes=MAX_FILE_BYTES,
        )
        return self._with_key(request, ctx), auth

    def _with_key(self, request: HttpRequest, ctx: Context) -> HttpRequest:
        has_own = any(name.lower() == "idempotency-key" for name, _ in request.headers)
        if not self.config.idempotency_key or request.method not in _WRITES or has_own:
            return request
        # The same for every attempt and after a recovery, different for every round of a container.
        key = hashlib.sha256(f"{ctx.info.run_id}/{ctx.place}".encode()).hexdigest()[:32]
        return msgspec.structs.replace(request, headers=(*request.headers, ("Idempotency-Key", key)))

    async def _outputs(self, ctx: Context, response: HttpResponse) -> dict[str, Value]:
        outputs: dict[str, Value] = {
            "status_code": response.status,
            "body": "",
            "headers": dict(response.headers),
            "files": [],
        }
        if is_file(response):
            _check_size(response, MAX_FILE_BYTES)
            return {**outputs, "files": [await save_file(response, ctx.port(Files))]}
        _check_size(response, MAX_TEXT_BYTES)
        return {**outputs, "body": read_text(response)}

    def reads(self) -> tuple[Selector, ...]:
        config = self.config
        texts = [config.url, config.headers, config.params, config.authorization.template]
        found = [selector for text in texts for selector in selectors(text)]
        return (*found, *(config.body.reads() if config.body else ()))


def _url(rendered: str) -> str:
    url = rendered.strip()
    if not url:
        raise NodeFailed("url is required", error_type="InvalidURLError", is_retryable=False)
    if not url.startswith(("http://", "https://")):
        raise NodeFailed(
            "The URL must begin with http:// or https://.", error_type="InvalidURLError", is_retryable=False
        )
    return url


def _check_size(response: HttpResponse, limit: int) -> None:
    size = len(response.body)
    if size > limit:
        raise NodeFailed(
            f"The response has {size} bytes; at most {limit} are read. Ask the server for less.",
            error_type="ResponseSizeError",
            is_retryable=False,
        )


def _as_text(request: HttpRequest, auth: AuthHeader | None) -> str:
    """The request as a trace shows it, with the authorization masked."""
    hidden = auth.name.lower() if auth else "authorization"
    lines = [f"{request.method} {request.url}"]
    lines += [f"?{name}={value}" for name, value in request.query]
    lines += [
        f"{name}: {'*' * 20 if name.lower() in (hidden, 'authorization') else value}" for name, value in request.headers
    ]
    parts: list[Any] = []
    if request.form is not None:
        parts = [f"{name}={value}" for name, value in request.form]
    elif request.parts is not None:
        parts = [f"{part.name}={part.filename or part.value}" for part in request.parts]
    elif request.body is not None:
        parts = [_shown(request.body)]
    return "\n".join([*lines, "", *parts])


def _shown(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return f"<{len(body)} bytes>"
