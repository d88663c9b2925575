"""How every model wire talks HTTP: one way to post, to read a stream, and to fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, InvalidURL

from tidemill.llm.errors import ModelUnavailable, StreamBroken
from tidemill.llm.failures import raise_for_status

CONNECT_TIMEOUT_S: Final = 10.0
READ_TIMEOUT_S: Final = 300.0
LINGER_S: Final = 0.25

encode = msgspec.json.Encoder(order=None).encode


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where a wire posts to. `provider` is the name errors use; `read_timeout_s` is per block, not in all."""

    http: ClientSession
    url: str
    provider: str
    headers: Mapping[str, str] = {}
    read_timeout_s: float = READ_TIMEOUT_S

    @property
    def timeout(self) -> ClientTimeout:
        return ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=self.read_timeout_s)


@asynccontextmanager
async def posted(endpoint: Endpoint, body: dict[str, Any]) -> AsyncGenerator[ClientResponse]:
    """Post JSON and give the response of a success; leaving early closes the connection at once.

    Raises:
        ModelError: The named error of a refusal, or `ModelUnavailable` without a response.
    """
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", **endpoint.headers}
    try:
        response = await endpoint.http.post(
            endpoint.url, data=encode(body), headers=headers, timeout=endpoint.timeout, allow_redirects=False
        )
    except InvalidURL as error:
        raise ModelUnavailable(
            f"The base URL of {endpoint.provider} is not a URL. Correct it in the model settings.", is_retryable=False
        ) from error
    except (ClientError, TimeoutError, OSError) as error:
        raise _unreachable(endpoint, error) from error
    try:
        await raise_for_status(response, endpoint.provider)
        yield response
    finally:
        response.close()  # A response that was read to its end has given its connection back already.


async def read_block(response: ClientResponse, provider: str) -> bytes:
    """The next bytes of a stream, b"" at its end."""
    try:
        return await response.content.readany()
    except TimeoutError as error:
        raise ModelUnavailable(
            f"{provider} stopped answering in the middle of its answer. Try again in a moment.", is_retryable=False
        ) from error
    except (ClientError, OSError) as error:
        raise StreamBroken(f"The answer of {provider} was cut off: the connection closed. Try again.") from error


async def read_body(response: ClientResponse, provider: str) -> bytes:
    """The whole body."""
    try:
        return await response.read()
    except TimeoutError as error:
        raise ModelUnavailable(f"{provider} stopped answering. Try again in a moment.", is_retryable=False) from error
    except (ClientError, OSError) as error:
        raise StreamBroken(f"The answer of {provider} was cut off: the connection closed. Try again.") from error


async def drain(response: ClientResponse) -> None:
    """After the protocol's last event: wait briefly for the end, so that the connection can be used again."""
    try:
        async with asyncio.timeout(LINGER_S):
            while await response.content.readany():
                pass
    except (TimeoutError, ClientError, OSError):
        return


def _unreachable(endpoint: Endpoint, error: Exception) -> ModelUnavailable:
    host = endpoint.url.split("://", 1)[-1].split("/", 1)[0]
    if isinstance(error, TimeoutError):
        is_connected = "read" in str(error).lower()
        return ModelUnavailable(
            f"{endpoint.provider} did not answer in time at {host}. Try again, or check the base URL.",
            is_retryable=not is_connected,
        )
    return ModelUnavailable(f"{endpoint.provider} cannot be reached at {host}. Check the base URL and the network.")
