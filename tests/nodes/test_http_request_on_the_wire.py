"""The HTTP node against a real server, through the real egress guard."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from nodes.doubles import Shelf
from tidemill.adapters.http import Sessions, open_sessions
from tidemill.engine.errors import NodeFailed
from tidemill.engine.testing import run_node
from tidemill.engine.values import File
from tidemill.nodes.http_request import HttpRequestNode
from tidemill.ports import Files, Http


async def _show(request: web.Request) -> web.Response:
    seen: dict[str, Any] = {
        "method": request.method,
        "query": [[name, value] for name, value in request.query.items()],
        "headers": dict(request.headers),
    }
    if request.content_type.startswith("multipart/"):
        form = await request.post()
        seen["form"] = {
            name: value if isinstance(value, str) else [getattr(value, "filename", "")] for name, value in form.items()
        }
    else:
        seen["body"] = (await request.read()).decode()
    return web.json_response(seen)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[TestServer]:
    app = web.Application()
    app.router.add_route("*", "/show", _show)

    async def moved(request: web.Request) -> web.Response:
        raise web.HTTPFound("/show")

    app.router.add_get("/moved", moved)
    served = TestServer(app)
    await served.start_server()
    yield served
    await served.close()


@pytest_asyncio.fixture
async def sessions() -> AsyncIterator[Sessions]:
    made = await open_sessions(allow="127.0.0.1")
    yield made
    await made.close()


async def shown(sessions: Sessions, url: str, **config: Any) -> dict[str, Any]:
    file = File(type="image", transfer_method="local_file", filename="a.png", mime_type="image/png")
    output: dict[str, Any] = await run_node(
        HttpRequestNode,
        {"url": url, **config},
        values={("n", "file"): file, ("n", "text"): "é&=\n"},
        ports={Http: sessions.http, Files: Shelf(a_png=b"png")},
    )
    return json.loads(output["body"])


async def test_every_kind_of_body_arrives(server: TestServer, sessions: Sessions):
    url = str(server.make_url("/show"))

    def body(kind: str, *items: dict[str, Any]) -> dict[str, Any]:
        return {"method": "post", "body": {"type": kind, "data": list(items)}}

    as_json = await shown(sessions, url, **body("json", {"value": '{"t": "{{#n.text#}}"}'}))
    as_form = await shown(sessions, url, **body("x-www-form-urlencoded", {"key": "t", "value": "{{#n.text#}}"}))
    as_parts = await shown(
        sessions,
        url,
        **body("form-data", {"key": "t", "value": "{{#n.text#}}"}, {"type": "file", "key": "f", "file": ["n", "file"]}),
    )
    as_binary = await shown(sessions, url, **body("binary", {"type": "file", "file": ["n", "file"]}))

    assert json.loads(as_json["body"]) == {"t": "é&=\n"}
    assert as_json["headers"]["Content-Type"] == "application/json"
    assert as_form["body"] == "t=%C3%A9%26%3D%0A"
    assert as_parts["form"] == {"t": "é&=\n", "f": ["a.png"]}
    assert as_binary["body"] == "png"


async def test_parameters_headers_and_redirects(server: TestServer, sessions: Sessions):
    seen = await shown(
        sessions,
        str(server.make_url("/show")) + "?own=1",
        params="q:{{#n.text#}}\nq:two",
        headers="X-One: 1",
        authorization={"type": "api-key", "config": {"type": "basic", "api_key": "a:b"}},
    )
    moved = await shown(sessions, str(server.make_url("/moved")))

    assert seen["query"] == [["own", "1"], ["q", "é&=\n"], ["q", "two"]]
    assert seen["headers"]["X-One"] == "1"
    assert seen["headers"]["Authorization"] == "Basic YTpi"
    assert moved["method"] == "GET"


async def test_a_private_host_is_refused_by_name_with_the_setting_that_allows_it(server: TestServer):
    guarded = await open_sessions()
    try:
        with pytest.raises(NodeFailed, match=r"127\.0\.0\.1.*TIDEMILL_EGRESS_ALLOW") as failure:
            await shown(guarded, str(server.make_url("/show")))
    finally:
        await guarded.close()

    assert failure.value.error_type == "EgressRefused"
