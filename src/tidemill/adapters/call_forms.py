"""Outside calls and their answers as JSON data, and back. What recordings, cassettes and digests are made of."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from tidemill.adapters.scrubbing import SECRET, Scrubber, is_secret_name
from tidemill.engine.values import File, Value, plain, revived
from tidemill.llm import errors as model_errors
from tidemill.llm.types import MediaPart
from tidemill.ports import (
    EgressRefused,
    FileUnavailable,
    HttpFailed,
    HttpRequest,
    HttpResponse,
    Passage,
    ToolFailed,
    ToolMessage,
    ToolMissing,
    ToolRef,
    ToolSpec,
    Turn,
)

Data = dict[str, Any]
_ERRORS: Final[dict[str, type[Exception]]] = {
    kind.__name__: kind
    for kind in (
        *(item for item in vars(model_errors).values() if isinstance(item, type) and issubclass(item, Exception)),
        HttpFailed,
        EgressRefused,
        ToolFailed,
        ToolMissing,
        FileUnavailable,
    )
}


def digest_of(port: str, request: Data) -> str:
    """What tells whether two calls ask the same: 32 hexadecimal digits over everything but `about`."""
    asked = {name: value for name, value in request.items() if name != "about"}
    text = json.dumps([port, asked], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _bytes(data: bytes) -> str | Data:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _to_bytes(value: Any) -> bytes:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else str(value).encode()


def fingerprint(data: bytes | str) -> str:
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    return f"sha256:{hashlib.sha256(raw).hexdigest()[:32]}"


# ---------------------------------------------------------------- errors


def error_form(error: Exception, scrubber: Scrubber) -> Data:
    """An error of a port: its class, sentence and facts."""
    facts = {name: value for name, value in vars(error).items() if isinstance(value, str | int | float | bool | None)}
    return {"error": scrubber.data({"type": type(error).__name__, "message": str(error), "facts": facts})}


def error_of(response: Data) -> Exception | None:
    """The error that a response holds, as it was raised; None when it holds none."""
    held = response.get("error")
    if not isinstance(held, dict):
        return None
    kind = _ERRORS.get(held["type"], HttpFailed)
    error = kind.__new__(kind)
    Exception.__init__(error, held["message"])
    vars(error).update(held.get("facts") or {})
    return error


# ---------------------------------------------------------------- HTTP


def http_form(request: HttpRequest, scrubber: Scrubber) -> Data:
    """A request without the headers that only one run sends."""
    form: Data = {
        "method": request.method,
        "url": scrubber.text(request.url),
        "headers": _pairs(((name.lower(), value) for name, value in request.headers), scrubber),
    }
    if request.query:
        form["query"] = _pairs(request.query, scrubber)
    if request.body is not None:
        form["body"] = _body_form(request.body, scrubber)
    if request.form is not None:
        form["form"] = _pairs(request.form, scrubber)
    if request.parts is not None:
        form["parts"] = [
            {"name": part.name, "value": scrubber.text(part.value)}
            if part.value is not None
            else {"name": part.name, "filename": part.filename, "data": fingerprint(part.data)}
            for part in request.parts
        ]
    return form


def _pairs(pairs: Iterable[tuple[str, str]], scrubber: Scrubber) -> list[list[str]]:
    return [[name, SECRET if is_secret_name(name) else scrubber.text(value)] for name, value in pairs]


def _body_form(body: bytes, scrubber: Scrubber) -> Any:
    text = _bytes(body)
    if isinstance(text, dict):
        return fingerprint(body)
    try:
        return {"json": scrubber.data(json.loads(text))}
    except (ValueError, RecursionError):
        pairs = parse_qsl(text, keep_blank_values=True) if "=" in text and " " not in text else []
        return {"pairs": _pairs(pairs, scrubber)} if pairs else scrubber.text(text)


def http_response_form(response: HttpResponse, scrubber: Scrubber) -> Data:
    body = _bytes(response.body)
    return {
        "status": response.status,
        "headers": {
            name: SECRET if is_secret_name(name) else scrubber.text(value) for name, value in response.headers.items()
        },
        "body": body if isinstance(body, dict) else _scrubbed_body(body, scrubber),
        "url": scrubber.text(response.url),
    }


def _scrubbed_body(text: str, scrubber: Scrubber) -> str:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return scrubber.text(text)
    clean = scrubber.data(data)
    # The bytes stay as they were where there is nothing to hide.
    return text if clean == data else json.dumps(clean, ensure_ascii=False)


def http_response_of(form: Data) -> HttpResponse:
    return HttpResponse(
        status=form["status"], headers=dict(form["headers"]), body=_to_bytes(form["body"]), url=form["url"]
    )


# ---------------------------------------------------------------- tools, knowledge, history, files


def messages_form(messages: Iterable[ToolMessage], scrubber: Scrubber) -> list[Data]:
    forms: list[Data] = []
    for message in messages:
        form: Data = {"kind": message.kind}
        if message.text:
            form["text"] = scrubber.text(message.text)
        if message.data is not None:
            form["data"] = scrubber.data(plain(message.data))
        if message.name:
            form["name"] = message.name
        if message.is_piece:
            form["is_piece"] = True
        if message.file is not None:
            form["file"] = scrubber.data(message.file.to_wire())
        forms.append(form)
    return forms


def messages_of(forms: Iterable[Data]) -> list[ToolMessage]:
    return [
        ToolMessage(
            kind=form["kind"],
            text=form.get("text", ""),
            data=revived(form.get("data")),
            name=form.get("name", ""),
            file=File.from_wire(form["file"]) if form.get("file") else None,
            is_piece=form.get("is_piece", False),
        )
        for form in forms
    ]


def tool_form(ref: ToolRef) -> Data:
    """The search for a tool. Which credential is used is this installation's own."""
    return {"operation": "find", "kind": ref.kind, "provider": ref.provider, "name": ref.name}


def tool_call_form(ref: ToolRef, arguments: Mapping[str, Value], scrubber: Scrubber) -> Data:
    return {**tool_form(ref), "operation": "call", "arguments": scrubber.data(plain(dict(arguments)))}


def spec_form(spec: ToolSpec) -> Data:
    return msgspec.to_builtins(spec)


def spec_of(form: Data) -> ToolSpec:
    return msgspec.convert(form, ToolSpec)


def passages_form(passages: Iterable[Passage], scrubber: Scrubber) -> list[Data]:
    return [
        scrubber.data(
            {
                "content": passage.content,
                "title": passage.title,
                "metadata": passage.metadata,
                "files": [file.to_wire() for file in passage.files],
            }
        )
        for passage in passages
    ]


def passages_of(forms: Iterable[Data]) -> list[Passage]:
    return [
        Passage(
            content=form["content"],
            title=form["title"],
            metadata=form["metadata"],
            files=tuple(File.from_wire(file) for file in form["files"]),
        )
        for form in forms
    ]


def turns_form(turns: Iterable[Turn], scrubber: Scrubber) -> list[Data]:
    return [
        scrubber.data({"query": turn.query, "answer": turn.answer, "files": [file.to_wire() for file in turn.files]})
        for turn in turns
    ]


def turns_of(forms: Iterable[Data]) -> list[Turn]:
    return [
        Turn(query=form["query"], answer=form["answer"], files=tuple(File.from_wire(file) for file in form["files"]))
        for form in forms
    ]


def file_form(file: File, **further: str) -> Data:
    """A file as a call names it: what it is, not the signed address of today."""
    address = file.remote_url if file.transfer_method == "remote_url" else None
    return {"filename": file.filename, "method": file.transfer_method, "address": address, **further}


def bytes_form(data: bytes) -> Data:
    return {"content": _bytes(data)}


def bytes_of(form: Data) -> bytes:
    return _to_bytes(form["content"])


def media_form(part: MediaPart) -> Data:
    return {"media": msgspec.to_builtins(part)}


def media_of(form: Data) -> MediaPart:
    return msgspec.convert(form["media"], MediaPart)
