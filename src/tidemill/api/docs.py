"""Reference pages of the APIs under `/docs`, drawn from their OpenAPI: no script, nothing from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse

from tidemill.kit.errors import AppError

Document = Callable[[], dict[str, Any]]
METHODS = ("get", "post", "put", "patch", "delete")
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2430;background:#fff}
code,pre{font:13px/1.5 ui-monospace,monospace}pre{overflow:auto;padding:.75rem;background:#f3f5f8;border-radius:6px}
details{border:1px solid #dde2ea;border-radius:6px;margin:.5rem 0;padding:.5rem .75rem}summary{cursor:pointer}
b{display:inline-block;min-width:4.5rem;font:600 12px ui-monospace,monospace}
td,th{text-align:left;padding:.2rem .8rem .2rem 0}
@media(prefers-color-scheme:dark){
body{color:#e4e8ee;background:#12161c}pre{background:#1b212a}details{border-color:#2b3340}a{color:#7db4ff}}
"""


class NoSuchSurface(AppError):
    status, code = 404, "not_found"


def docs_router(surfaces: Mapping[str, tuple[str, Document]]) -> APIRouter:
    """Pages for APIs by name: (where each is mounted, what gives its OpenAPI)."""
    router = APIRouter(prefix="/docs", include_in_schema=False)

    def find(name: str) -> tuple[str, dict[str, Any]]:
        if name not in surfaces:
            raise NoSuchSurface(f"There is no API {name}. Open /docs for the list.")
        mount, document = surfaces[name]
        return mount, document()

    @router.get("")
    async def list_surfaces(request: Request) -> HTMLResponse:
        prefix = escape(request.scope.get("root_path", ""))
        items = "".join(
            f'<li><a href="{prefix}/docs/{name}">{escape(document()["info"]["title"])}</a> <code>{mount}</code></li>'
            for name, (mount, document) in surfaces.items()
        )
        return HTMLResponse(_page("Tidemill APIs", f"<ul>{items}</ul>"))

    @router.get("/{name}/openapi.json")
    async def read_document(name: str) -> JSONResponse:
        return JSONResponse(find(name)[1])

    @router.get("/{name}")
    async def read_page(name: str) -> HTMLResponse:
        mount, document = find(name)
        link = f'<p><a href="{escape(name)}/openapi.json">openapi.json</a></p>'
        return HTMLResponse(_page(document["info"]["title"], link + _operations(mount, document)))

    return router


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style><h1>{escape(title)}</h1>{body}</html>"
    )


def _operations(mount: str, document: Mapping[str, Any]) -> str:
    parts: list[str] = []
    for path, item in document.get("paths", {}).items():
        parts += [_operation(mount + path, method, item[method], document) for method in METHODS if method in item]
    return "".join(parts)


def _operation(path: str, method: str, operation: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(parameter['name'])}</code><td>{escape(parameter['in'])}"
        f"<td>{escape(str(parameter.get('description') or ''))}</tr>"
        for parameter in operation.get("parameters", [])
    )
    table = f"<table>{rows}</table>" if rows else ""
    body = _schemas("Request", operation.get("requestBody", {}).get("content", {}), document)
    answers = "".join(
        _schemas(f"Answer {status}", answer.get("content", {}), document)
        for status, answer in operation.get("responses", {}).items()
    )
    summary = escape(str(operation.get("description") or operation.get("summary") or ""))
    head = f"<summary><b>{method.upper()}</b> <code>{escape(path)}</code></summary>"
    return f"<details>{head}<p>{summary}</p>{table}{body}{answers}</details>"


def _schemas(title: str, content: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    return "".join(
        f"<p>{escape(title)} <code>{escape(kind)}</code></p><pre>{escape(_shown(media['schema'], document))}</pre>"
        for kind, media in content.items()
        if media.get("schema")
    )


def _shown(schema: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """A schema with the first level of references put in."""
    reference = schema.get("$ref")
    if isinstance(reference, str):
        schema = document["components"]["schemas"][reference.rsplit("/", 1)[-1]]
    return json.dumps(schema, indent=2, ensure_ascii=False)
