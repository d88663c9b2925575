"""OpenAPI documents as tools: what is read, what is refused, and what goes over the wire."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

import pytest

from tidemill.engine.node import RunInfo
from tidemill.engine.values import File
from tidemill.ports import Files, Http, HttpFailed, HttpRequest, HttpResponse, ToolCall, ToolFailed, ToolMessage
from tidemill.tools.call import cast_arguments, json_schema
from tidemill.tools.openapi import OpenApiTool
from tidemill.tools.openapi_document import ApiDocument, read_document
from tidemill.tools.openapi_text import DocumentRefused


class Wire:
    """Takes the place of the network: keeps requests and gives one answer."""

    def __init__(self, status: int = 200, body: bytes = b"{}", content_type: str = "application/json") -> None:
        self.requests: list[HttpRequest] = []
        self._response = HttpResponse(
            status=status, headers={"content-type": content_type}, body=body, url="https://api.example.com/report"
        )

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        return self._response


class Unreachable:
    async def send(self, request: HttpRequest) -> HttpResponse:
        raise HttpFailed("api.example.com cannot be reached on port 443.")


class Shelf:
    """Files of a run: one that can be read, and those that were kept."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, str, bytes]] = []

    async def read(self, file: File) -> bytes:
        return f"bytes of {file.filename}".encode()

    async def save(self, *, filename: str, mime_type: str, data: bytes) -> File:
        self.kept.append((filename, mime_type, data))
        return File(type="document", transfer_method="tool_file", filename=filename, mime_type=mime_type)


def document(paths: Mapping[str, Any], **more: Any) -> ApiDocument:
    servers = [{"url": "https://api.example.com/v1"}]
    return read_document(json.dumps({"openapi": "3.1.0", "info": {}, "servers": servers, "paths": paths, **more}))


def old_document(paths: Mapping[str, Any], **more: Any) -> ApiDocument:
    facts = {"swagger": "2.0", "host": "api.example.com", "basePath": "/v1", "schemes": ["http", "https"]}
    return read_document(json.dumps({**facts, "info": {}, "paths": paths, **more}))


async def called(
    read: ApiDocument,
    arguments: Mapping[str, Any],
    *,
    wire: Any = None,
    credentials: Mapping[str, str] | None = None,
    shelf: Shelf | None = None,
) -> tuple[HttpRequest, list[ToolMessage]]:
    """The request and messages of a call of the document's only operation."""
    [operation] = read.operations.values()
    wire = wire or Wire()
    call = ToolCall(
        info=RunInfo(run_id="r"),
        ports={Http: wire, Files: shelf or Shelf()},
        idempotency_key="once",
        credentials=credentials or {},
    )
    tool = OpenApiTool(operation)
    messages = [message async for message in tool.call(cast_arguments(tool.spec, arguments), call)]
    return wire.requests[-1], messages


def parameter(place: str, name: str = "p", schema: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"/x/{p}" if place == "path" else "/x": {"get": {"parameters": [
        {"name": name, "in": place, "schema": schema or {"type": "string"}, **more}]}}}  # fmt: skip


# ---------------------------------------------------------------- documents


def test_an_operation_without_an_id_is_named_by_path_and_method():
    read = document({"/pets/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "schema": {}}]}}})

    assert list(read.operations) == ["petsid_get"]


def test_two_operations_of_one_id_are_both_there():
    read = document({"/a": {"get": {"operationId": "same"}}, "/b": {"get": {"operationId": "same"}}})

    assert list(read.operations) == ["same", "same_2"]


def test_what_an_operation_says_replaces_what_its_path_says():
    own = {"name": "p", "in": "query", "schema": {"type": "integer"}, "description": "mine"}
    read = document({"/x": {"parameters": [{"name": "p", "in": "query", "schema": {}}], "get": {"parameters": [own]}}})

    [found] = read.operations["x_get"].spec.parameters
    assert (found.type, found.description) == ("number", "mine")


def test_types_choices_and_defaults_become_the_tools():
    properties = {
        "kind": {"type": "string", "enum": ["a", "b"], "default": "a"},
        "when": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
        "many": {"type": ["array", "null"], "items": {"type": "string"}},
        "deep": {"allOf": [{"type": "object", "properties": {"x": {}}}, {"required": ["x"]}]},
        "made": {"type": "string", "readOnly": True},
    }
    body = {"content": {"application/json": {"schema": {"type": "object", "properties": properties}}}}
    read = document({"/x": {"post": {"requestBody": body}}})

    found = {item.name: item for item in read.operations["x_post"].spec.parameters}
    assert {name: item.type for name, item in found.items()} == {
        "kind": "select",
        "when": "boolean",
        "many": "array",
        "deep": "object",
    }
    assert (found["kind"].options, found["kind"].default) == (("a", "b"), "a")


def test_local_references_are_followed_and_their_cycles_end():
    pet = {"type": "object", "properties": {"name": {"type": "string"}, "parent": {"$ref": "#/components/schemas/Pet"}}}
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}}
    read = document({"/x": {"post": {"requestBody": body}}}, components={"schemas": {"Pet": pet}})

    assert {item.name: item.type for item in read.operations["x_post"].spec.parameters} == {
        "name": "string",
        "parent": "object",
    }


@pytest.mark.parametrize(
    "reference", ["https://evil.example/s.json", "http://127.0.0.1/s", "file:///etc/passwd", "other.yaml#/x", "//h/s"]
)
def test_a_reference_out_of_the_document_is_refused_with_a_sentence(reference: str):
    with pytest.raises(DocumentRefused, match="leads out of the document") as refused:
        document(parameter("query", schema={"$ref": reference}))

    assert reference in str(refused.value)


def test_what_looks_like_a_reference_in_an_example_is_data():
    read = document(parameter("query", schema={"type": "string", "example": {"$ref": "https://example.com/s"}}))

    assert list(read.operations) == ["x_get"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello", "no OpenAPI document"),
        ("{", "neither JSON nor YAML"),
        ("[" * 100_000, "neither JSON nor YAML"),
        ('{"openapi": "4.0.0", "paths": {}}', "of version 4.0.0"),
        ('{"openapi": "3.0.0", "info": {}, "paths": {}}', "describes no operation"),
        ('{"openapi": "3.0.0", "paths": {"/x": {"get": {}}}}', "no whole address"),
        ('{"openapi": "3.0.0", "servers": [{"url": "ftp://h"}], "paths": {"/x": {"get": {}}}}', "no whole address"),
        ('{"openapi": "3.0.0", "paths": {"/x": {"$ref": "#/paths/~1x"}}}', "without end"),
        ('{"openapi": "3.0.0", "paths": {"/x": {"$ref": "#/nowhere"}}}', "names nothing"),
        ("x" * 3_000_001, "longer than"),
    ],
)
def test_a_text_that_is_no_usable_document_is_refused_in_a_sentence(text: str, said: str):
    with pytest.raises(DocumentRefused, match=said):
        read_document(text)


def test_too_many_operations_are_refused():
    with pytest.raises(DocumentRefused, match="more than 1000 operations"):
        document({f"/{number}": {"get": {}} for number in range(1001)})


@pytest.mark.parametrize("place", ["schema: *l39", "schema: {type: object, default: *l39, properties: {a: {}, b: {}}}"])
def test_aliases_that_stand_for_a_huge_tree_are_read_in_bounded_time(place: str):
    both = "{{type: object, properties: {{a: *l{0}, b: *l{0}}}}}"
    levels = "\n".join(f"  l{number}: &l{number} {both.format(number - 1)}" for number in range(1, 40))
    text = f"""
openapi: 3.0.0
servers: [{{url: 'https://h'}}]
x-levels:
  l0: &l0 {{type: string}}
{levels}
paths:
  /x: {{post: {{requestBody: {{content: {{application/json: {{{place}}}}}}}}}}}
"""
    began = time.process_time()

    spec = read_document(text).operations["x_post"].spec
    told = json.dumps(json_schema(spec))

    assert [item.name for item in spec.parameters] == ["a", "b"]
    assert len(told) < 1_000_000
    assert time.process_time() - began < 5


def test_a_default_that_holds_itself_is_left_out():
    text = """
openapi: 3.0.0
servers: [{url: 'https://h'}]
paths: {/x: {get: {parameters: [{name: p, in: query, schema: {type: array, default: &a [*a]}}]}}}
"""

    [found] = read_document(text).operations["x_get"].spec.parameters

    assert (found.type, found.default) == ("array", None)


def test_a_server_is_taken_from_variables_the_documents_address_or_the_given_one():
    def server_of(url: str, **options: str) -> str:
        servers = [{"url": url, "variables": {"region": {"default": "eu"}}}]
        text = json.dumps({"openapi": "3.0.0", "servers": servers, "paths": {"/x": {"get": {}}}})
        return read_document(text, **options).operations["x_get"].server

    assert server_of("https://{region}.example.com/v1/") == "https://eu.example.com/v1"
    assert server_of("/v2", source_url="https://docs.example.com/api/openapi.json") == "https://docs.example.com/v2"
    assert server_of("https://ignored.example", base_url="http://mine:8080/") == "http://mine:8080"


def test_an_old_document_has_its_server_from_host_and_path():
    assert old_document({"/x": {"get": {}}}).operations["x_get"].server == "https://api.example.com/v1"


# ---------------------------------------------------------------- parameters on the wire


@pytest.mark.parametrize(
    ("more", "value", "query"),
    [
        ({}, "a b&c", [("p", "a b&c")]),
        ({"schema": {"type": "integer"}}, "7", [("p", "7")]),
        ({"schema": {"type": "boolean"}}, True, [("p", "true")]),
        ({"schema": {"type": "array"}}, ["a", "b"], [("p", "a"), ("p", "b")]),
        ({"schema": {"type": "array"}, "explode": False}, ["a", "b"], [("p", "a,b")]),
        ({"schema": {"type": "array"}, "style": "pipeDelimited", "explode": False}, ["a", "b"], [("p", "a|b")]),
        ({"schema": {"type": "array"}, "style": "spaceDelimited", "explode": False}, ["a", "b"], [("p", "a b")]),
        ({"schema": {"type": "object"}}, {"x": 1, "y": "z"}, [("x", "1"), ("y", "z")]),
        ({"schema": {"type": "object"}, "explode": False}, {"x": 1}, [("p", "x,1")]),
        ({"schema": {"type": "object"}, "style": "deepObject"}, {"x": 1}, [("p[x]", "1")]),
        ({"schema": {"type": "string", "default": "d"}}, None, [("p", "d")]),
        ({}, None, []),
    ],
)
async def test_a_query_parameter_is_written_in_its_style(more: dict[str, Any], value: Any, query: list[Any]):
    request, _ = await called(document(parameter("query", **more)), {"p": value})

    assert list(request.query) == query


async def test_a_parameter_with_content_is_json():
    paths = {"/x": {"get": {"parameters": [
        {"name": "p", "in": "query", "content": {"application/json": {"schema": {"type": "object"}}}}]}}}  # fmt: skip

    request, _ = await called(document(paths), {"p": {"a": 1}})

    assert request.query == (("p", '{"a": 1}'),)


@pytest.mark.parametrize(
    ("form", "query"),
    [
        ("csv", [("p", "a,b")]),
        ("ssv", [("p", "a b")]),
        ("pipes", [("p", "a|b")]),
        ("tsv", [("p", "a\tb")]),
        ("multi", [("p", "a"), ("p", "b")]),
    ],
)
async def test_an_old_collection_format_is_kept(form: str, query: list[Any]):
    told = {"name": "p", "in": "query", "type": "array", "items": {"type": "string"}, "collectionFormat": form}

    request, _ = await called(old_document({"/x": {"get": {"parameters": [told]}}}), {"p": ["a", "b"]})

    assert list(request.query) == query


@pytest.mark.parametrize(
    ("more", "value", "path"),
    [
        ({}, "a/b ü", "/x/a%2Fb%20%C3%BC"),
        ({"schema": {"type": "array"}}, ["a", "b"], "/x/a,b"),
        ({"schema": {"type": "object"}, "explode": True}, {"a": 1, "b": 2}, "/x/a=1,b=2"),
        ({"style": "label"}, "a", "/x/.a"),
        ({"style": "matrix"}, "a", "/x/;p=a"),
    ],
)
async def test_a_path_parameter_stays_in_its_segment(more: dict[str, Any], value: Any, path: str):
    request, _ = await called(document(parameter("path", **more)), {"p": value})

    assert request.url == f"https://api.example.com/v1{path}"


@pytest.mark.parametrize("value", ["..", ".", ""])
async def test_a_path_parameter_cannot_climb(value: str):
    with pytest.raises(ToolFailed, match="part of the address"):
        await called(document(parameter("path")), {"p": value})


async def test_headers_and_cookies_are_sent_where_they_belong():
    told = [{"name": name, "in": place, "schema": {}} for place, name in (("header", "X-A"), ("cookie", "c"))]

    request, _ = await called(document({"/x": {"get": {"parameters": told}}}), {"X-A": "1", "c": "a;b"})

    assert request.headers == (("X-A", "1"), ("Cookie", "c=a%3Bb"))


async def test_a_header_cannot_hold_a_line_break():
    with pytest.raises(ToolFailed, match="line breaks"):
        await called(document(parameter("header", "X-A")), {"X-A": "a\r\nX-Admin: 1"})


# ---------------------------------------------------------------- bodies


def with_body(media_type: str, schema: Mapping[str, Any]) -> ApiDocument:
    return document({"/x": {"post": {"requestBody": {"content": {media_type: {"schema": schema}}}}}})


FORM = {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}, "l": {"type": "array"}}}


async def test_a_json_body_holds_the_given_fields_with_whole_numbers():
    request, _ = await called(with_body("application/json", FORM), {"a": "ä", "n": 3.0, "unknown": 1})

    assert request.body == '{"a": "ä", "n": 3}'.encode()
    assert ("Content-Type", "application/json") in request.headers


async def test_a_body_that_is_no_object_of_fields_is_one_argument():
    request, _ = await called(with_body("application/json", {"type": "array"}), {"body": '[1, "x"]'})

    assert request.body == b'[1, "x"]'


async def test_a_form_body_repeats_lists():
    request, _ = await called(with_body("application/x-www-form-urlencoded", FORM), {"a": "x", "l": ["p", "q"]})

    assert request.form == (("a", "x"), ("l", "p"), ("l", "q"))


async def test_a_multipart_body_carries_files():
    schema = {"type": "object", "properties": {"f": {"type": "string", "format": "binary"}, "a": {"type": "string"}}}
    file = File(type="document", transfer_method="local_file", filename="a.txt", mime_type="text/plain")

    request, _ = await called(with_body("multipart/form-data", schema), {"f": file, "a": "x"})

    assert request.parts is not None
    assert [(part.name, part.value, part.data, part.filename) for part in request.parts] == [
        ("f", None, b"bytes of a.txt", "a.txt"),
        ("a", "x", b"", ""),
    ]


async def test_a_plain_text_body_is_the_text():
    request, _ = await called(with_body("text/plain", {"type": "string"}), {"body": "hello"})

    assert request.body == b"hello"


async def test_an_old_form_with_a_file_is_multipart():
    told = [{"name": "f", "in": "formData", "type": "file"}, {"name": "a", "in": "formData", "type": "string"}]
    file = File(type="document", transfer_method="local_file", filename="a.txt")

    request, _ = await called(old_document({"/x": {"post": {"parameters": told}}}), {"f": file, "a": "x"})

    assert request.parts is not None
    assert len(request.parts) == 2


async def test_an_argument_named_in_path_and_body_goes_to_both():
    body = {"content": {"application/json": {"schema": {"type": "object", "properties": {"p": {"type": "string"}}}}}}
    told = [{"name": "p", "in": "path", "schema": {"type": "string"}}]

    request, _ = await called(document({"/x/{p}": {"put": {"parameters": told, "requestBody": body}}}), {"p": "7"})

    assert (request.url.rpartition("/")[2], request.body) == ("7", b'{"p": "7"}')


async def test_a_call_that_changes_something_carries_its_key():
    request, _ = await called(with_body("application/json", FORM), {"a": "x"})
    read, _ = await called(document(parameter("query")), {})

    assert ("Idempotency-Key", "once") in request.headers
    assert all(name != "Idempotency-Key" for name, _ in read.headers)


# ---------------------------------------------------------------- credentials


@pytest.mark.parametrize(
    ("credentials", "header"),
    [
        ({"auth_type": "header", "name": "X-Key", "value": "k"}, ("X-Key", "k")),
        ({"auth_type": "bearer", "value": "t"}, ("Authorization", "Bearer t")),
        (
            {"auth_type": "basic", "username": "ada", "password": "ü"},
            ("Authorization", f"Basic {base64.b64encode('ada:ü'.encode()).decode()}"),
        ),
    ],
)
async def test_credentials_are_headers_that_no_redirect_carries_away(
    credentials: dict[str, str], header: tuple[str, str]
):
    request, _ = await called(document(parameter("query")), {}, credentials=credentials)

    assert request.headers == (header,)
    assert request.private_headers == (header[0],)


async def test_a_key_can_be_a_query_parameter_and_an_argument_cannot_replace_it():
    key = {"auth_type": "query", "name": "p", "value": "secret"}

    request, _ = await called(document(parameter("query")), {"p": "forged"}, credentials=key)

    assert request.query == (("p", "secret"),)


async def test_an_argument_cannot_replace_a_header_that_authorizes():
    key = {"auth_type": "header", "name": "x-key", "value": "secret"}

    request, _ = await called(document(parameter("header", "X-Key")), {"X-Key": "forged"}, credentials=key)

    assert request.headers == (("x-key", "secret"),)


# ---------------------------------------------------------------- answers


async def test_a_json_answer_is_json_and_text():
    _, messages = await called(document(parameter("query")), {}, wire=Wire(body='{"a": "ä"}'.encode()))

    assert [(message.kind, message.data, message.text) for message in messages] == [
        ("json", {"a": "ä"}, ""),
        ("text", None, '{"a": "ä"}'),
    ]


async def test_a_text_answer_is_read_in_its_charset():
    wire = Wire(body="日本".encode("gbk"), content_type="text/plain; charset=gbk")

    _, messages = await called(document(parameter("query")), {}, wire=wire)

    assert [(message.kind, message.text) for message in messages] == [("text", "日本")]


async def test_a_file_answer_becomes_a_file():
    shelf = Shelf()

    _, messages = await called(
        document(parameter("query")), {}, wire=Wire(body=b"%PDF", content_type="application/pdf"), shelf=shelf
    )

    assert shelf.kept == [("report.pdf", "application/pdf", b"%PDF")]
    assert [message.kind for message in messages] == ["file"]


async def test_an_answer_of_400_and_above_fails_with_status_and_a_short_body():
    with pytest.raises(ToolFailed) as failed:
        await called(document(parameter("query")), {}, wire=Wire(status=422, body=b"no such port" + b"!" * 5000))

    assert str(failed.value).startswith("The tool x_get was answered 422: no such port!")
    assert len(str(failed.value)) < 600


async def test_no_answer_fails_with_the_reason():
    with pytest.raises(ToolFailed, match=r"got no answer: api\.example\.com cannot be reached"):
        await called(document(parameter("query")), {}, wire=Unreachable())
