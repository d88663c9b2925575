from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest
from aiohttp import web

from tidemill.adapters.egress import AllowListInvalid, EgressPolicy, is_public, parse_allow_list
from tidemill.adapters.http import GuardedHttp, open_sessions
from tidemill.ports import EgressRefused, HttpFailed, HttpPart, HttpRequest, HttpResponse


class Site:
    """A local web server that remembers what it was asked and how often it was connected to."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.seen: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.url = f"http://127.0.0.1:{port}"


@asynccontextmanager
async def site(host: str = "127.0.0.1") -> AsyncGenerator[Site]:
    found: Site

    async def answer(request: web.Request) -> web.StreamResponse:
        found.seen.append(request)
        found.bodies.append(await request.read())
        if "to" in request.query:
            status = int(request.query.get("status", "302"))
            return web.Response(status=status, headers={"Location": request.query["to"]})
        if request.path == "/loop":
            return web.Response(status=302, headers={"Location": "/loop"})
        if request.path == "/large":
            return web.Response(body=b"x" * 50_000)
        if request.path == "/silent":
            await asyncio.Event().wait()
        response = web.Response(text="high tide")
        response.headers.add("X-Twice", "1")
        response.headers.add("X-Twice", "2")
        return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, 0).start()
        found = Site(runner.addresses[0][1])
        yield found
    finally:
        await runner.cleanup()


@asynccontextmanager
async def guarded(allow: str = "") -> AsyncGenerator[GuardedHttp]:
    http = GuardedHttp(parse_allow_list(allow))
    try:
        yield http
    finally:
        await http.close()


async def get(http: GuardedHttp, url: str, **more: object) -> HttpResponse:
    return await http.send(HttpRequest(method="get", url=url, **more))  # type: ignore[arg-type]


@asynccontextmanager
async def listener() -> AsyncGenerator[tuple[int, list[int]]]:
    """A bare listener that counts connections, whatever is said on them."""
    connections: list[int] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        writer.close()

    server = await asyncio.start_server(accept, "0.0.0.0", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], connections


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "017700000001",
        "0.0.0.0",
        "0",
        "127.0.0.1.",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "①②⑦.⓪.⓪.①",
        "user:secret@127.0.0.1",
    ],
)
async def test_no_spelling_of_this_machine_is_connected_to(host: str):
    async with listener() as (port, connections), guarded() as http:
        with pytest.raises(HttpFailed):
            await get(http, f"http://{host}:{port}/")

    assert connections == []


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("1.1.1.1", True),
        ("93.184.215.14", True),
        ("10.1.2.3", False),
        ("100.64.0.1", False),
        ("100.128.0.1", True),
        ("169.254.169.254", False),
        ("172.31.255.255", False),
        ("172.32.0.1", True),
        ("192.0.0.8", False),
        ("192.168.1.1", False),
        ("198.18.0.1", False),
        ("203.0.113.5", False),
        ("224.0.0.1", False),
        ("239.255.255.250", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("2606:4700::1111", True),
        ("::ffff:1.1.1.1", True),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::808:808", True),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b:1::1", False),
        ("2002:a00:1::", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
        ("2001:db8::1", False),
        ("fc00::1", False),
        ("fe80::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("100::1", False),
        ("::1", False),
        ("4000::1", False),
    ],
)
def test_only_addresses_of_the_open_internet_are_public(address: str, expected: bool):
    assert is_public(ip_address(address)) is expected


async def test_the_refusal_names_the_host_and_the_setting():
    async with site() as local, guarded() as http:
        with pytest.raises(
            EgressRefused, match=rf"localhost \(.+\) .* add localhost:{local.port} to TIDEMILL_EGRESS_ALLOW"
        ):
            await get(http, f"http://localhost:{local.port}/")

    assert local.seen == []


@pytest.mark.parametrize("allow", ["127.0.0.1", "127.0.0.0/8, 10.0.0.0/8", "127.0.0.1:{port}", "127.0.0.0/8:{port}"])
async def test_the_allow_list_opens_addresses_on_purpose(allow: str):
    async with site() as local, guarded(allow.format(port=local.port)) as http:
        response = await get(http, f"{local.url}/tide")

    assert (response.status, response.body) == (200, b"high tide")
    assert response.headers["x-twice"] == "1, 2"
    assert response.url == f"{local.url}/tide"


async def test_the_allow_list_opens_a_host_by_name_and_nothing_else():
    async with site("localhost") as local, guarded(f"localhost:{local.port}") as http:
        response = await get(http, f"http://localhost:{local.port}/")
        with pytest.raises(EgressRefused):
            await get(http, f"http://127.0.0.1:{local.port}/")

    assert response.status == 200


async def test_a_port_that_is_not_on_the_list_stays_closed():
    async with site() as local, guarded("127.0.0.1:1") as http:
        with pytest.raises(EgressRefused):
            await get(http, local.url)

    assert local.seen == []


@pytest.mark.parametrize("text", ["http://internal/", "a b/c", "host:99999"])
def test_an_entry_that_cannot_be_read_is_named(text: str):
    with pytest.raises(AllowListInvalid, match="TIDEMILL_EGRESS_ALLOW"):
        parse_allow_list(text)


def test_an_allowed_network_of_version_six_is_read():
    policy = EgressPolicy(parse_allow_list("fd00::/8 [::1]:8080 internal.example"))

    assert policy.permits("x", 1, ip_address("fd00::1"))
    assert policy.permits("x", 8080, ip_address("::1"))
    assert not policy.permits("x", 8081, ip_address("::1"))
    assert policy.permits("INTERNAL.example.", 1, ip_address("10.0.0.1"))


async def test_each_hop_of_a_redirect_is_checked():
    async with site() as allowed, site() as forbidden, guarded(f"127.0.0.1:{allowed.port}") as http:
        with pytest.raises(EgressRefused):
            await get(http, f"{allowed.url}/?to={forbidden.url}/secret")

    assert len(allowed.seen) == 1
    assert forbidden.seen == []


async def test_credentials_do_not_follow_a_redirect_to_another_host():
    headers = (("Authorization", "Bearer x"), ("Cookie", "a=b"), ("X-Kept", "1"))
    async with site() as first, site() as second, guarded("127.0.0.1") as http:
        await get(http, f"{first.url}/?to={second.url}/", headers=headers)
        await get(http, f"{first.url}/?to=/same", headers=headers)

    assert first.seen[0].headers["Authorization"] == "Bearer x"
    assert "Authorization" not in second.seen[0].headers
    assert "Cookie" not in second.seen[0].headers
    assert second.seen[0].headers["X-Kept"] == "1"
    assert first.seen[2].headers["Authorization"] == "Bearer x"


@pytest.mark.parametrize(("status", "method", "body"), [(302, "GET", b""), (303, "GET", b""), (307, "POST", b"tide")])
async def test_a_redirected_post_becomes_what_the_status_says(status: int, method: str, body: bytes):
    async with site() as local, guarded("127.0.0.1") as http:
        await http.send(HttpRequest(method="POST", url=f"{local.url}/?to=/next&status={status}", body=b"tide"))

    assert local.seen[1].method == method
    assert local.bodies[1] == body


async def test_redirects_end_after_ten():
    async with site() as local, guarded("127.0.0.1") as http:
        with pytest.raises(HttpFailed, match="more than 10 times"):
            await get(http, f"{local.url}/loop")

    assert len(local.seen) == 11


async def test_a_redirect_to_another_scheme_is_not_followed():
    async with site() as local, guarded("127.0.0.1") as http:
        with pytest.raises(HttpFailed, match="not an http or https address"):
            await get(http, f"{local.url}/?to=file:///etc/passwd")


async def test_a_body_over_the_limit_is_refused():
    async with site() as local, guarded("127.0.0.1") as http:
        with pytest.raises(HttpFailed, match="larger than 1000 bytes"):
            await get(http, f"{local.url}/large", max_body_bytes=1000)


async def test_a_server_that_is_silent_is_given_up():
    async with site() as local, guarded("127.0.0.1") as http:
        with pytest.raises(HttpFailed, match="did not answer in time"):
            await get(http, f"{local.url}/silent", read_timeout_s=0.1)


async def test_an_unreachable_port_and_an_unknown_host_have_their_own_sentences():
    async with guarded("127.0.0.1") as http:
        with pytest.raises(HttpFailed, match="cannot be reached on port 9"):
            await get(http, "http://127.0.0.1:9/")
        with pytest.raises(HttpFailed, match="cannot be found"):
            await get(http, "http://no-such-host.invalid/")


@pytest.mark.parametrize("url", ["", "ftp://example.com/", "tide", "http://", "http://[::1", "http://a:b/"])
async def test_what_is_no_web_address_is_refused_in_a_sentence(url: str):
    async with guarded() as http:
        with pytest.raises(HttpFailed):
            await get(http, url)


async def test_query_headers_and_forms_are_sent_as_given():
    query = (("a", "1"), ("a", "2 3"), ("ü", "&"))
    async with site() as local, guarded("127.0.0.1") as http:
        await get(http, f"{local.url}/?first=0", query=query, headers=(("X-A", "1"), ("X-A", "2")))
        await http.send(HttpRequest(method="POST", url=local.url, form=(("a", "1"), ("a", "ü"))))

    assert local.seen[0].query.getall("a") == ["1", "2 3"]
    assert local.seen[0].query["ü"] == "&"
    assert local.seen[0].query["first"] == "0"
    assert local.seen[0].headers.getall("X-A") == ["1", "2"]
    assert local.bodies[1] == b"a=1&a=%C3%BC"
    assert local.seen[1].content_type == "application/x-www-form-urlencoded"


async def test_a_multipart_form_carries_texts_and_files():
    parts = (HttpPart(name="note", value="hi"), HttpPart(name="file", data=b"\x00\x01", filename="a.bin"))
    headers = (("Content-Type", "multipart/form-data"),)
    async with site() as local, guarded("127.0.0.1") as http:
        await http.send(HttpRequest(method="POST", url=local.url, parts=parts, headers=headers))

    assert local.seen[0].content_type == "multipart/form-data"
    assert b'filename="a.bin"' in local.bodies[0]
    assert b"\x00\x01" in local.bodies[0]
    assert b"hi" in local.bodies[0]


async def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch):
    async with site() as local, listener() as (port, connections), guarded("127.0.0.1") as http:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        response = await get(http, local.url)

    assert response.status == 200
    assert connections == []


async def test_the_trusted_session_is_another_one_and_reaches_this_machine():
    async with await open_sessions() as sessions, site() as local:
        async with sessions.trusted.get(local.url) as response:
            assert response.status == 200
        with pytest.raises(EgressRefused):
            await get(sessions.http, local.url)


async def test_a_redirect_to_another_host_does_not_take_private_headers_along():
    async with site() as first, site() as second, guarded("127.0.0.1") as http:
        target = f"{first.url}/?to={second.url}/"
        headers = (("X-Own-Key", "secret"), ("X-Plain", "1"))

        await get(http, target, headers=headers, private_headers=("X-Own-Key",))

    assert first.seen[0].headers["X-Own-Key"] == "secret"
    assert "X-Own-Key" not in second.seen[0].headers
    assert second.seen[0].headers["X-Plain"] == "1"
