"""`tidemill tool` on the data folder, with real servers to call."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cli.conftest import CommandLine
from cli.data_folder.conftest import told_as_json
from support.apps import IF_ELSE_FLOW
from support.mcp_site import STDIO, McpSite, mcp_site

__all__ = ["mcp_site"]

DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "Tides", "version": "1"},
    "paths": {
        "/tide": {
            "get": {
                "operationId": "tide",
                "summary": "The tide",
                "parameters": [{"name": "port", "in": "query", "required": True, "schema": {"type": "string"}}],
            }
        }
    },
}


class _Tides(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        is_known = self.headers.get("X-Key") == "sea-key"
        body = json.dumps({"path": self.path} if is_known else {"error": "who are you"}).encode()
        self.send_response(200 if is_known else 403)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.fixture
def tides() -> Iterator[str]:
    """The address of an HTTP API that wants a key."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Tides)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def open_owned(owned: CommandLine, environment: pytest.MonkeyPatch) -> CommandLine:
    """A command line whose tools may reach this machine."""
    environment.setenv("TIDEMILL_EGRESS_ALLOW", "127.0.0.1")
    return owned


def test_an_openapi_file_is_added_listed_tried_and_removed(open_owned: CommandLine, tides: str) -> None:
    document = open_owned.write("tides.json", json.dumps(DOCUMENT))
    words = ["tool", "add", "openapi", document, "--base-url", tides, "--auth", "header", "--credential"]

    added = open_owned(*words, "X-Key=sea-key")
    listed = open_owned("tool", "list")
    tried = open_owned("tool", "test", "Tides", "tide", "-i", "port=Kiel")
    removed = open_owned("tool", "remove", "Tides")
    gone = open_owned("tool", "test", "Tides", "tide")

    assert added.out.startswith("Tides (api) has 1 tools, id "), added.err
    assert "api       Tides\n          tide\n" in listed.out
    assert (tried.code, json.loads(tried.out)) == (0, {"path": "/tide?port=Kiel"})
    assert removed.out == "Removed Tides.\n"
    assert (gone.code, gone.out) == (2, "")


def test_adding_the_same_tools_again_changes_them(open_owned: CommandLine, tides: str) -> None:
    document = open_owned.write("tides.json", json.dumps(DOCUMENT))
    words = ["tool", "add", "openapi", document, "--base-url", tides, "--auth", "header", "--credential"]
    first = told_as_json(open_owned, *words, "X-Key=wrong")

    refused = open_owned("tool", "test", "Tides", "tide", "-i", "port=Kiel")
    second = told_as_json(open_owned, *words, "X-Key=sea-key")
    tried = open_owned("tool", "test", "Tides", "tide", "-i", "port=Kiel")

    assert (refused.code, refused.out) == (1, "")
    assert "403" in refused.err
    assert second["id"] == first["id"]
    assert tried.code == 0


def test_an_mcp_server_is_added_by_its_address(open_owned: CommandLine, mcp_site: McpSite) -> None:
    added = open_owned("tool", "add", "mcp", mcp_site.url, "--name", "sea")
    tried = open_owned("tool", "test", "sea", "add", "-i", "a=2", "-i", "b=3")

    assert (added.code, added.err) == (0, "")
    assert (tried.code, tried.out) == (0, "5\n")


def test_a_program_is_an_mcp_server_only_when_it_is_allowed(
    open_owned: CommandLine, environment: pytest.MonkeyPatch
) -> None:
    refused = open_owned("tool", "add", "mcp", STDIO, "--name", "sea")
    environment.setenv("TIDEMILL_MCP_STDIO_ALLOWED", STDIO)
    added = open_owned("tool", "add", "mcp", STDIO, "--name", "sea")

    assert (refused.code, "TIDEMILL_MCP_STDIO_ALLOWED" in refused.err) == (2, True)
    assert added.code == 0, added.err


def test_a_published_workflow_is_added_as_a_tool(open_owned: CommandLine) -> None:
    file = open_owned.write("branch.yml", IF_ELSE_FLOW)

    open_owned("app", "import", file)
    draft = open_owned("tool", "add", "workflow", "Branch")
    open_owned("app", "publish", "Branch")
    added = told_as_json(open_owned, "tool", "add", "workflow", "Branch", "--name", "branch")

    assert (draft.code, "has not been published" in draft.err) == (2, True)
    assert [item["name"] for item in added["tools"][0]["parameters"]] == ["word"]


def test_a_built_in_tool_is_tried(open_owned: CommandLine) -> None:
    told = open_owned("tool", "test", "time", "weekday", "-i", "year=2026", "-i", "month=11", "-i", "day=22")

    assert (told.code, "Sunday" in told.out) == (0, True), told.err


def test_a_file_that_is_no_document_is_refused_in_one_sentence(open_owned: CommandLine) -> None:
    file = open_owned.write("notes.txt", "hello")

    told = open_owned("tool", "add", "openapi", file)

    assert (told.code, told.out, told.err.count("\n")) == (2, "", 1)
    assert "OpenAPI" in told.err


def test_credentials_that_do_not_fit_are_told(open_owned: CommandLine) -> None:
    file = open_owned.write("tides.json", json.dumps(DOCUMENT))

    missing = open_owned("tool", "add", "openapi", file, "--auth", "header")
    wrong = open_owned("tool", "add", "openapi", file, "--auth", "bearer", "--credential", "key=x")
    nameless = open_owned("tool", "add", "mcp", "http://127.0.0.1:1/mcp")

    assert [missing.code, wrong.code, nameless.code] == [2, 2, 2]
    assert "one --credential" in missing.err
    assert "takes token" in wrong.err
    assert "--name" in nameless.err
