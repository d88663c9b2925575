"""The server's HTTP clients: a trusted session for what an administrator set, a guarded one for all the rest.

The guard sits where a socket is made, so that it sees the very address a connection goes to: names that
resolve to something else a moment later, redirects and address literals all pass through it.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    FormData,
    InvalidURL,
    TCPConnector,
    TooManyRedirects,
)
from multidict import CIMultiDict
from yarl import URL

from tidemill.adapters.egress import SETTING, Allowed, EgressPolicy, parse_allow_list, read_address
from tidemill.ports import EgressRefused, HttpFailed, HttpRequest, HttpResponse

MAX_REDIRECTS: Final = 10
USER_AGENT: Final = "Tidemill"
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PRIVATE_HEADERS: Final = ("Authorization", "Cookie", "Proxy-Authorization", "X-Api-Key", "Api-Key")
_BODY_HEADERS: Final = ("Content-Type", "Content-Length", "Transfer-Encoding", "Content-Encoding")

AddressInfo = tuple[Any, Any, int, str, tuple[Any, ...]]


@dataclass
class _Flight:
    """One hop on its way: whom it is for, and whether the guard stopped it."""

    host: str
    port: int
    refused: list[str] = field(default_factory=list[str])


_flight: ContextVar[_Flight | None] = ContextVar("egress_flight", default=None)


class EgressGuard:
    """Makes sockets for the guarded session, and none to an address the policy does not permit."""

    def __init__(self, policy: EgressPolicy) -> None:
        self.policy = policy

    def socket(self, info: AddressInfo) -> socket.socket:
        """The `socket_factory` of the guarded connector."""
        family, kind, protocol, _, target = info
        flight = _flight.get()
        host, port = str(target[0]), int(target[1])
        address = read_address(host)
        name = flight.host if flight is not None else host
        if address is None or not self.policy.permits(name, port, address):
            if flight is not None:
                flight.refused.append(host)
            raise ConnectionRefusedError(f"The egress guard refuses {host}.")
        return socket.socket(family, kind, protocol)


@dataclass(frozen=True)
class Sessions:
    """The process's HTTP clients. `trusted` is for destinations an administrator set and for nothing else."""

    trusted: ClientSession
    http: GuardedHttp

    async def close(self) -> None:
        await self.trusted.close()
        await self.http.close()

    async def __aenter__(self) -> Sessions:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def open_sessions(*, allow: str = "", trust_env: bool = False) -> Sessions:
    """Open the clients. `allow` is the text of `TIDEMILL_EGRESS_ALLOW`; `trust_env` lets provider calls use a proxy.

    Raises:
        AllowListInvalid: The setting cannot be read.
    """
    guarded = GuardedHttp(parse_allow_list(allow))
    connector = TCPConnector(limit=0, keepalive_timeout=60)
    trusted = ClientSession(
        connector=connector, cookie_jar=DummyCookieJar(), trust_env=trust_env, headers={"User-Agent": USER_AGENT}
    )
    return Sessions(trusted=trusted, http=guarded)


class GuardedHttp:
    """Implements `ports.Http`. Make it inside a running event loop."""

    def __init__(self, allow: Sequence[Allowed] = ()) -> None:
        self._guard = EgressGuard(EgressPolicy(allow))
        # No DNS cache: a name is resolved for each connection, and what is checked is what is connected to.
        connector = TCPConnector(
            limit=200, socket_factory=self._guard.socket, use_dns_cache=False, keepalive_timeout=15
        )
        self._session = ClientSession(connector=connector, cookie_jar=DummyCookieJar(), trust_env=False)

    async def close(self) -> None:
        await self._session.close()

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send through the guard, following redirects; each hop is checked anew.

        Raises:
            EgressRefused: The guard does not let requests go there.
            HttpFailed: No response for another reason.
        """
        url = _url(request.url, request.query)
        method = request.method.upper()
        headers = CIMultiDict(request.headers)
        headers.setdefault("User-Agent", USER_AGENT)
        has_body = True
        for _ in range(MAX_REDIRECTS + 1):
            async with self._hop(request, method, url, headers, has_body=has_body) as response:
                target = _redirect(response)
                if target is None:
                    body = await _read(response, request.max_body_bytes)
                    return HttpResponse(
                        status=response.status, headers=_headers(response), body=body, url=str(response.url)
                    )
            if response.status == 303 or (response.status in (301, 302) and method == "POST"):
                method, has_body = "GET" if method != "HEAD" else method, False
                _drop(headers, _BODY_HEADERS)
            if (target.scheme, target.raw_host, target.port) != (url.scheme, url.raw_host, url.port):
                _drop(headers, (*_PRIVATE_HEADERS, *request.private_headers))
            url = target
        raise HttpFailed(f"{url.host} redirects more than {MAX_REDIRECTS} times. Check the address.")

    @asynccontextmanager
    async def open(self, request: HttpRequest) -> AsyncGenerator[ClientResponse]:
        """One answer with its body still unread, for streams; redirects are not followed. Raises as `send` does."""
        url, headers = _url(request.url, request.query), CIMultiDict(request.headers)
        headers.setdefault("User-Agent", USER_AGENT)
        async with self._hop(request, request.method.upper(), url, headers, has_body=True) as response:
            yield response

    @asynccontextmanager
    async def _hop(
        self, request: HttpRequest, method: str, url: URL, headers: CIMultiDict[str], *, has_body: bool
    ) -> AsyncGenerator[ClientResponse]:
        host, port = self._checked(url)
        flight = _Flight(host, port)
        token = _flight.set(flight)
        data, sent = _body(request, headers) if has_body else (None, headers)
        try:
            response = await self._session.request(
                method,
                url,
                data=data,
                headers=sent,
                timeout=_timeout(request),
                ssl=request.verify_tls,
                allow_redirects=False,
            )
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            if flight.refused:
                raise _refusal(host, port, flight.refused[0]) from error
            raise _failure(host, port, error) from error
        finally:
            _flight.reset(token)
        try:
            yield response
        except (ClientError, TimeoutError, OSError) as error:
            raise _failure(host, port, error) from error
        finally:
            response.close()

    def _checked(self, url: URL) -> tuple[str, int]:
        """Host and port of a URL a request may begin with; the guard checks the address itself."""
        host = url.raw_host
        if url.scheme not in ("http", "https") or not host:
            raise HttpFailed(f"`{_shown(url)}` is not an http or https address. Correct the URL.")
        port = url.port or 80
        if self._guard.policy.is_odd(host):
            raise EgressRefused(f"{host} is an address in a form that is not accepted. Write it as a.b.c.d.")
        address = read_address(host)
        if address is not None and not self._guard.policy.permits(host, port, address):
            raise _refusal(host, port, host)
        return host, port


def _url(text: str, query: Sequence[tuple[str, str]]) -> URL:
    try:
        url = URL(text.strip())
        return url.extend_query(list(query)) if query else url
    except ValueError as error:
        raise HttpFailed(f"`{text[:200]}` is not a URL. Correct it.") from error


def _shown(url: URL) -> str:
    """A URL for an error's sentence, without the password it may hold."""
    return str(url.with_user(None) if url.raw_user else url)[:200]


def _redirect(response: ClientResponse) -> URL | None:
    location = response.headers.get("Location")
    if response.status not in _REDIRECTS or not location:
        return None
    try:
        return response.url.join(URL(location))
    except ValueError as error:
        raise HttpFailed(f"{response.url.host} redirects to something that is not a URL.") from error


def _drop(headers: CIMultiDict[str], names: Sequence[str]) -> None:
    for name in names:
        headers.popall(name, None)


def _body(request: HttpRequest, headers: CIMultiDict[str]) -> tuple[bytes | FormData | None, CIMultiDict[str]]:
    """The body of a hop, made anew because a form can be sent once; and the headers that go with it."""
    if request.form is not None:
        sent = headers.copy()
        sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        return urlencode(request.form).encode(), sent
    if request.parts is not None:
        sent = headers.copy()
        _drop(sent, ("Content-Type",))  # The boundary is chosen here, so the header has to come from here.
        form = FormData(default_to_multipart=True)
        for part in request.parts:
            if part.value is not None:
                form.add_field(part.name, part.value)
            else:
                kind = part.mime_type or "application/octet-stream"
                form.add_field(part.name, part.data, filename=part.filename or "file", content_type=kind)
        return form, sent
    return request.body, headers


def _timeout(request: HttpRequest) -> ClientTimeout:
    total = request.connect_timeout_s + request.read_timeout_s + request.write_timeout_s
    return ClientTimeout(total=total, sock_connect=request.connect_timeout_s, sock_read=request.read_timeout_s)


async def _read(response: ClientResponse, limit: int) -> bytes:
    blocks: list[bytes] = []
    size = 0
    async for block in response.content.iter_any():
        size += len(block)
        if size > limit:
            raise HttpFailed(
                f"The response of {response.url.host} is larger than {limit} bytes. Ask for less, or raise the limit."
            )
        blocks.append(block)
    return b"".join(blocks)


def _headers(response: ClientResponse) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in response.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def _refusal(host: str, port: int, address: str) -> EgressRefused:
    shown = host if host == address else f"{host} ({address})"
    return EgressRefused(
        f"Requests to {shown} are refused: it is not a public address. "
        f"To allow them, add {host}:{port} to {SETTING} in the server's settings."
    )


def _failure(host: str, port: int, error: Exception) -> HttpFailed:
    if isinstance(error, TimeoutError):
        return HttpFailed(f"{host} did not answer in time. Try again, or raise the node's timeout.")
    if isinstance(error, ClientConnectorDNSError):
        return HttpFailed(f"The host {host} cannot be found. Check the address.")
    if isinstance(error, (ClientConnectorCertificateError, ssl.SSLError)):
        return HttpFailed(f"The certificate of {host} cannot be verified. Check the address or its certificate.")
    if isinstance(error, (InvalidURL, TooManyRedirects)):
        return HttpFailed(f"The address of {host} is not valid. Correct the URL.")
    if isinstance(error, ValueError):
        return HttpFailed(f"The request to {host} cannot be sent: {error}. Correct its headers or method.")
    return HttpFailed(f"{host} cannot be reached on port {port}. Check the address and that the server is running.")
