"""The HTTP node (reference `workflow-dsl.md`, 5.10)."""

import json
from typing import Any

import pytest

from nodes.doubles import Peer, Shelf, reply
from tidemill.engine.errors import GraphInvalid, NodeFailed
from tidemill.engine.node import RunInfo
from tidemill.engine.testing import inspect_node, run_node
from tidemill.engine.values import File
from tidemill.nodes.http_request import HttpRequestNode
from tidemill.ports import EgressRefused, Files, Http, HttpFailed, HttpRequest, HttpResponse

URL = "http://a.example/x"


async def sent(config: dict[str, Any], *, shelf: Shelf | None = None, **values: Any) -> HttpRequest:
    peer = Peer()
    ports = {Http: peer, Files: shelf or Shelf()}
    await run_node(
        HttpRequestNode,
        {"url": URL, **config},
        values={("n", name): value for name, value in values.items()},
        ports=ports,
    )
    return peer.request


async def received(response: HttpResponse, **config: Any) -> dict[str, Any]:
    ports = {Http: Peer(response), Files: Shelf()}
    return await run_node(HttpRequestNode, {"method": "get", "url": URL, **config}, ports=ports)


async def error_of(config: dict[str, Any], response: HttpResponse | HttpFailed | None = None) -> NodeFailed:
    with pytest.raises(NodeFailed) as failure:
        await run_node(HttpRequestNode, {"url": URL, **config}, ports={Http: Peer(response), Files: Shelf()})
    return failure.value


def body(kind: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"method": "post", "body": {"type": kind, "data": list(items)}}


# ---------------------------------------------------------------- method and URL


@pytest.mark.parametrize("method", ["get", "POST", "Put", "patch", "delete", "HEAD"])
async def test_methods_are_read_in_any_case(method: str):
    assert (await sent({"method": method})).method == method.upper()


async def test_options_is_read_but_cannot_be_sent():
    failure = await error_of({"method": "options"})

    assert failure.error_type == "InvalidHttpMethodError"
    assert "Invalid http method" in str(failure)


def test_an_unknown_method_is_refused_when_the_file_is_read():
    with pytest.raises(GraphInvalid, match="method"):
        HttpRequestNode.parse("n", {"method": "fetch", "url": URL})


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "url is required"),
        ("  ", "url is required"),
        ("a.example/x", "must begin with http://"),
        ("ftp://a.example", "must begin with http://"),
        ("{{#n.gone#}}", "must begin with http://"),
    ],
)
async def test_an_unusable_url_is_refused(url: str, message: str):
    failure = await error_of({"url": url})

    assert failure.error_type == "InvalidURLError"
    assert message in str(failure)
    assert failure.is_retryable is False


async def test_the_url_is_a_template():
    assert (await sent({"url": " http://{{#n.host#}}/a?b={{#n.x#}} "}, host="h.example", x=1)).url == (
        "http://h.example/a?b=1"
    )


# ---------------------------------------------------------------- headers, parameters, authorization


async def test_headers_are_rendered_as_a_whole_and_split_at_the_first_colon():
    request = await sent({"headers": "A: {{#n.x#}}\nEmpty:\nTime: 10:30\n\n{{#n.more#}}"}, x="1", more="B: 2\nC: 3")

    assert request.headers == (("A", "1"), ("Empty", ""), ("Time", "10:30"), ("B", "2"), ("C", "3"))


async def test_parameters_are_split_before_they_are_rendered_and_keep_repeats():
    request = await sent(
        {"params": "q:{{#n.text#}}\ntag:a\ntag:b\nempty:\n{{#n.key#}}: v"}, text="one\ntwo: 2", key="k"
    )

    assert request.query == (("q", "one\ntwo: 2"), ("tag", "a"), ("tag", "b"), ("empty", ""), ("k", "v"))


@pytest.mark.parametrize(
    ("config", "header"),
    [
        ({"type": "bearer", "api_key": "k"}, ("Authorization", "Bearer k")),
        ({"type": "basic", "api_key": "dXNlcg=="}, ("Authorization", "Basic dXNlcg==")),
        ({"type": "basic", "api_key": "user:pass"}, ("Authorization", "Basic dXNlcjpwYXNz")),
        ({"type": "custom", "api_key": "k", "header": "X-Key"}, ("X-Key", "k")),
        ({"type": "custom", "api_key": "k", "header": ""}, ("Authorization", "k")),
        ({"type": "custom", "api_key": "k"}, ("Authorization", "k")),
        ({"type": "bearer", "api_key": "{{#n.key#}}"}, ("Authorization", "Bearer from-pool")),
    ],
)
async def test_authorization_makes_one_header(config: dict[str, Any], header: tuple[str, str]):
    request = await sent({"authorization": {"type": "api-key", "config": config}}, key="from-pool")

    assert request.headers == (header,)


async def test_authorization_replaces_a_header_of_the_same_name():
    config = {"type": "api-key", "config": {"type": "bearer", "api_key": "k"}}

    request = await sent({"headers": "authorization: mine\nA: b", "authorization": config})

    assert request.headers == (("A", "b"), ("Authorization", "Bearer k"))


@pytest.mark.parametrize("config", [None, {"type": "bearer", "api_key": ""}, {"type": "bearer", "api_key": " "}])
async def test_an_empty_api_key_is_an_error(config: Any):
    failure = await error_of({"authorization": {"type": "api-key", "config": config}})

    assert failure.error_type == "AuthorizationConfigError"


async def test_no_authorization_sends_none_even_when_a_key_is_left_over():
    config = {"type": "no-auth", "config": {"type": "bearer", "api_key": "left over"}}

    assert (await sent({"authorization": config})).headers == ()


async def test_the_trace_hides_the_authorization():
    config = {
        "method": "post",
        "url": URL,
        "params": "a:1",
        "authorization": {"type": "api-key", "config": {"type": "custom", "header": "X-Key", "api_key": "s3cret"}},
        "body": {"type": "json", "data": [{"type": "text", "value": '{"a": 1}'}]},
    }

    _, seen = await inspect_node(HttpRequestNode, config, ports={Http: Peer()})

    assert "s3cret" not in seen.process["request"]
    assert f"POST {URL}" in seen.process["request"]
    assert '{"a": 1}' in seen.process["request"]


# ---------------------------------------------------------------- bodies


def content_type(request: HttpRequest) -> str | None:
    return next((value for name, value in request.headers if name.lower() == "content-type"), None)


async def test_no_body_sets_no_content_type():
    request = await sent({"body": {"type": "none", "data": []}})

    assert (request.body, request.form, request.parts, request.headers) == (None, None, None, ())


async def test_raw_text_is_sent_as_it_is():
    request = await sent(body("raw-text", {"type": "text", "key": "", "value": "Hi {{#n.x#}}"}), x="é")

    assert request.body == "Hi é".encode()
    assert content_type(request) == "text/plain"


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ('{"a": 1}', {"a": 1}),
        ('{"o": {{#n.object#}}, "s": "{{#n.text#}}"}', {"o": {"k": ["v"]}, "s": "line\nbreak"}),
        ("{{#n.object#}}", {"k": ["v"]}),
        ("{{#n.mixed#}}", [1, "a"]),
        ("{a: 1, b: 'two',}", {"a": 1, "b": "two"}),
        ('{"a": 1', {"a": 1}),
        ("[1, 2]", [1, 2]),
    ],
)
async def test_json_is_repaired_and_sent_as_json(text: str, parsed: Any):
    request = await sent(
        body("json", {"type": "text", "value": text}), object={"k": ["v"]}, text="line\nbreak", mixed=[1, "a"]
    )

    assert json.loads(request.body or b"") == parsed
    assert content_type(request) == "application/json"


@pytest.mark.parametrize("text", ["", "not json at all"])
async def test_json_that_cannot_be_repaired_is_an_error(text: str):
    failure = await error_of(body("json", {"type": "text", "value": text}))

    assert failure.error_type == "RequestBodyError"


@pytest.mark.parametrize("kind", ["json", "raw-text", "binary"])
@pytest.mark.parametrize("items", [[], [{"type": "text", "value": "a"}, {"type": "text", "value": "b"}]])
async def test_these_bodies_need_exactly_one_item(kind: str, items: list[dict[str, Any]]):
    failure = await error_of(body(kind, *items))

    assert failure.error_type == "RequestBodyError"
    assert "exactly one item" in str(failure)


async def test_urlencoded_pairs_are_rendered():
    request = await sent(
        body("x-www-form-urlencoded", {"type": "text", "key": "{{#n.k#}}", "value": "a&b"}, {"key": "e", "value": ""}),
        k="name",
    )

    assert request.form == (("name", "a&b"), ("e", ""))
    assert content_type(request) == "application/x-www-form-urlencoded"


FILE = File(type="image", transfer_method="local_file", filename="a.png", mime_type="image/png")
OTHER = File(type="document", transfer_method="local_file", filename="b.pdf")


async def test_form_data_mixes_texts_and_files():
    config = body(
        "form-data",
        {"type": "text", "key": "t", "value": "{{#n.x#}}"},
        {"type": "file", "key": "one", "file": ["n", "file"]},
        {"type": "file", "key": "many", "file": ["n", "files"]},
        {"type": "file", "key": "none", "file": ["n", "gone"]},
    )

    request = await sent(config, x="v", file=FILE, files=[FILE, OTHER], shelf=Shelf(a_png=b"png", b_pdf=b"pdf"))

    parts = [(part.name, part.value, part.data, part.filename, part.mime_type) for part in request.parts or ()]
    assert parts == [
        ("t", "v", b"", "", ""),
        ("one", None, b"png", "a.png", "image/png"),
        ("many", None, b"png", "a.png", "image/png"),
        ("many", None, b"pdf", "b.pdf", "application/octet-stream"),
    ]
    assert content_type(request) is None


async def test_form_data_without_any_part_still_is_multipart():
    request = await sent(body("form-data"))

    assert [part.name for part in request.parts or ()] == ["__multipart_placeholder__"]


async def test_a_multipart_header_without_its_boundary_is_left_to_the_client():
    config = {**body("form-data", {"key": "a", "value": "1"}), "headers": "Content-Type: multipart/form-data"}

    assert content_type(await sent(config)) is None


async def test_a_content_type_of_the_user_stays():
    config = {**body("json", {"value": "{}"}), "headers": "content-type: application/vnd.api+json"}

    assert (await sent(config)).headers == (("content-type", "application/vnd.api+json"),)


async def test_a_binary_body_is_the_file():
    request = await sent(body("binary", {"type": "file", "file": ["n", "f"]}), f=FILE, shelf=Shelf(a_png=b"png"))

    assert request.body == b"png"
    assert content_type(request) == "image/png"


@pytest.mark.parametrize("selector", [["n", "gone"], []])
async def test_a_binary_body_without_its_file_is_an_error(selector: list[str]):
    failure = await error_of(body("binary", {"type": "file", "file": selector}))

    assert failure.error_type == "FileFetchError"


async def test_a_file_that_is_gone_is_an_error():
    with pytest.raises(NodeFailed, match=r"b\.pdf does not exist") as failure:
        await sent(body("binary", {"type": "file", "file": ["n", "f"]}), f=OTHER)

    assert failure.value.error_type == "FileFetchError"


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        ("json", '{"a": 1}', {"body": b'{"a": 1}'}),
        ("raw-text", "hello", {"body": b"hello"}),
        ("x-www-form-urlencoded", "a:1\nb: x:y\n", {"form": (("a", "1"), ("b", "x:y"))}),
        ("none", "", {"body": None}),
    ],
)
async def test_bodies_of_2024_are_one_text(kind: str, data: str, expected: dict[str, Any]):
    request = await sent({"method": "post", "body": {"type": kind, "data": data}})

    assert {name: getattr(request, name) for name in expected} == expected


# ---------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (None, (10, 600, 600)),
        ({"connect": None, "read": 0, "write": None}, (10, 600, 600)),
        ({"connect": 5, "read": 60, "write": 20, "max_read_timeout": 100}, (5, 60, 20)),
        ({"connect": 99, "read": 9999, "write": 9999}, (10, 600, 600)),
    ],
)
async def test_timeouts_have_defaults_and_maxima(limits: Any, expected: tuple[float, ...]):
    request = await sent({"timeout": limits})

    assert (request.connect_timeout_s, request.read_timeout_s, request.write_timeout_s) == expected


@pytest.mark.parametrize(("given", "verified"), [(None, True), (True, True), (False, False)])
async def test_certificates_are_verified_unless_told_otherwise(given: Any, verified: bool):
    assert (await sent({"ssl_verify": given})).verify_tls is verified


async def test_a_text_over_a_megabyte_is_an_error():
    failure = await error_of({}, reply(b"x" * (1024 * 1024 + 1)))

    assert failure.error_type == "ResponseSizeError"
    assert "1048577 bytes" in str(failure)


async def test_a_refused_host_is_an_error_that_says_so():
    failure = await error_of({}, EgressRefused("10.0.0.1 is private. Add it to TIDEMILL_EGRESS_ALLOW to allow it."))

    assert failure.error_type == "EgressRefused"
    assert "10.0.0.1" in str(failure)
    assert "TIDEMILL_EGRESS_ALLOW" in str(failure)
    assert failure.is_retryable is False


async def test_a_network_failure_may_be_retried():
    failure = await error_of({}, HttpFailed("a.example did not answer within 10 seconds."))

    assert failure.error_type == "HttpRequestNodeError"
    assert failure.is_retryable is True


# ---------------------------------------------------------------- responses


@pytest.mark.parametrize("status", [301, 404, 500])
async def test_a_status_outside_2xx_is_a_result(status: int):
    output = await received(reply(b"sorry", status=status))

    assert (output["status_code"], output["body"]) == (status, "sorry")


@pytest.mark.parametrize(
    "config",
    [
        {"retry_config": {"retry_enabled": True, "max_retries": 3}},
        {"error_strategy": "fail-branch"},
        {"error_strategy": "default-value"},
    ],
)
async def test_with_retries_or_a_strategy_it_is_an_error(config: dict[str, Any]):
    failure = await error_of(config, reply(status=503))

    assert failure.error_type == "HTTPResponseCodeError"
    assert str(failure) == "Request failed with status code 503"


@pytest.mark.parametrize("config", [{"retry_config": {"retry_enabled": False}}, {"error_strategy": "none"}])
async def test_without_them_it_is_not(config: dict[str, Any]):
    assert (await received(reply(status=503), **config))["status_code"] == 503


async def test_outputs_of_a_text():
    output = await received(reply(b'{"a": 1}', "application/json", x_id="7"))

    assert output == {
        "status_code": 200,
        "body": '{"a": 1}',
        "headers": {"x-id": "7", "content-type": "application/json"},
        "files": [],
    }


@pytest.mark.parametrize(
    ("response", "filename"),
    [
        (reply(b"\x89PNG", "image/png", url="http://a.example/pics/cat%20one.png?x=1"), "cat one.png"),
        (reply(b"\x89PNG", "image/png", url="http://a.example/"), "response.png"),
        (reply(b"ID3", "audio/mpeg", url="http://a.example/sound"), "sound.mp3"),
        (reply(b"\x00\x01", "application/octet-stream", url="http://a.example/blob"), "blob.bin"),
        (reply(b"%PDF-1.4 <<[", "application/pdf", url="http://a.example/a.pdf"), "a.pdf"),
        (reply(b"a,b", "text/csv", content_disposition='attachment; filename="t.csv"'), "t.csv"),
        (reply(b"a,b", "text/plain", content_disposition='inline; filename="../../t.txt"'), "t.txt"),
        (reply(b"x", "", content_disposition="attachment; filename*=UTF-8''%E4%B8%AD.txt"), "中.txt"),
        (reply(b"plain words", "application/x-thing", url="http://a.example/thing.x"), "thing.x"),
    ],
)
async def test_a_file_response_is_saved_under_its_name(response: HttpResponse, filename: str):
    shelf = Shelf()

    output: dict[str, Any] = await run_node(HttpRequestNode, {"url": URL}, ports={Http: Peer(response), Files: shelf})

    assert [saved[0] for saved in shelf.saved] == [filename]
    assert output["body"] == ""
    assert output["files"][0].filename == filename


@pytest.mark.parametrize(
    "response",
    [
        reply(b"a,b", "text/csv"),
        reply(b"<a/>", "application/xml"),
        reply(b"<a/>", "application/atom+xml"),
        reply(b"a=1", "application/x-www-form-urlencoded"),
        reply(b"a: 1", "application/yaml"),
        reply(b"{ a }", "application/graphql"),
        reply(b"var a", "application/javascript"),
        reply(b'{"a": 1}', "application/x-thing"),
        reply(b"<html>", "application/octet-stream"),
        reply(b"{" + b"a" * 1022 + "é".encode(), "application/x-thing"),
        reply(b"x", ""),
        reply(b"x", "multipart/mixed"),
    ],
)
async def test_everything_else_is_text(response: HttpResponse):
    output = await received(response)

    assert output["files"] == []
    assert output["body"] == response.body.decode()


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("你好".encode("gbk"), "text/plain; charset=gbk"),
        ("你好".encode(), "text/plain"),
        ("你好".encode("utf-8-sig"), "text/plain"),
        ("你好".encode("gb18030"), "text/plain"),
        (b"<meta charset='gb2312'>" + "你好".encode("gb2312"), "text/html"),
        ("你好".encode(), "text/plain; charset=no-such-thing"),
    ],
)
async def test_text_is_decoded_by_its_charset_or_by_its_bytes(raw: bytes, kind: str):
    assert (await received(reply(raw, kind)))["body"].endswith("你好")


async def test_western_text_without_charset_is_read_as_such():
    assert (await received(reply("un café noir".encode("cp1252"))))["body"] == "un café noir"


# ---------------------------------------------------------------- idempotency key


async def test_a_write_carries_a_key_that_is_the_same_for_every_attempt():
    async def key(run_id: str, method: str = "post", **config: Any) -> str | None:
        peer = Peer()
        await run_node(
            HttpRequestNode,
            {"method": method, "url": URL, "idempotency_key": True, **config},
            ports={Http: peer},
            info=RunInfo(run_id=run_id),
        )
        return dict(peer.request.headers).get("Idempotency-Key")

    assert await key("run-1") == await key("run-1")
    assert await key("run-1") != await key("run-2")
    assert await key("run-1", "get") is None
    assert await key("run-1", idempotency_key=False) is None
    assert await key("run-1", headers="Idempotency-Key: mine") == "mine"


def test_it_reads_what_its_texts_refer_to():
    node = HttpRequestNode.parse(
        "n",
        {
            "url": "http://{{#a.b#}}",
            "headers": "A: {{#c.d#}}",
            "params": "q: {{#e.f#}}",
            "authorization": {"type": "api-key", "config": {"type": "bearer", "api_key": "{{#env.k#}}"}},
            "body": {"type": "form-data", "data": [{"key": "k", "value": "{{#g.h#}}", "file": ["i", "j"]}]},
        },
    )

    assert node.reads() == (("a", "b"), ("c", "d"), ("e", "f"), ("env", "k"), ("g", "h"), ("i", "j"))
