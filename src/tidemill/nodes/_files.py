"""Files as inputs name them, and the rules a form has for them."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import msgspec

from tidemill.engine.values import File, FileKind, TransferMethod, as_file

_KINDS: tuple[FileKind, ...] = ("image", "document", "audio", "video", "custom")
_ID_KEYS: Mapping[TransferMethod, str] = {
    "local_file": "upload_file_id",
    "tool_file": "tool_file_id",
    "datasource_file": "datasource_file_id",
}


class FileRefused(Exception):
    """A file input that is malformed or not allowed. One clause."""


class FileRules(msgspec.Struct, frozen=True, kw_only=True):
    """What a form takes; an empty tuple allows everything. Extensions are lower case, without the dot."""

    kinds: tuple[FileKind, ...] = ()
    extensions: tuple[str, ...] = ()
    methods: tuple[TransferMethod, ...] = ()


def read_file(value: Any) -> File:
    """Read a file input: a `File`, its wire form, or the mapping that API callers send.

    A mapping only names a file; whoever owns the storage replaces it by a resolved `File` before.
    """
    file = as_file(value)
    if file is not None:
        return file
    if not isinstance(value, dict):
        raise FileRefused("give an object with type, transfer_method and url or upload_file_id")
    given = cast(dict[str, Any], value)
    named = given.get("transfer_method")
    if named == "remote_url":
        return _remote(given)
    for method, key in _ID_KEYS.items():
        if method == named:
            related = given.get(key) or given.get("related_id")
            if not related:
                raise FileRefused(f"{key} is missing")
            return File(type=_declared(given), transfer_method=method, related_id=str(related))
    raise FileRefused(f'the transfer_method "{named}" is not known')


def _declared(given: Mapping[str, Any]) -> FileKind:
    kind = given.get("type") or "custom"
    for known in _KINDS:
        if kind == known:
            return known
    raise FileRefused(f'the type "{kind}" is not known')


def _remote(given: Mapping[str, Any]) -> File:
    url = given.get("url") or given.get("remote_url")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise FileRefused("url must begin with http:// or https://")
    name = posixpath.basename(unquote(urlsplit(url).path))
    extension = posixpath.splitext(name)[1]
    return File(
        type=_declared(given),
        transfer_method="remote_url",
        remote_url=url,
        filename=name,
        extension=extension,
        url=url,
    )


def check_file(file: File, rules: FileRules) -> None:
    """Raises `FileRefused` when the form's rules do not allow the file."""
    if rules.methods and file.transfer_method not in (*rules.methods, "tool_file", "datasource_file"):
        raise FileRefused(f"files by {file.transfer_method} are not allowed, only by {', '.join(rules.methods)}")
    if not rules.kinds or file.type in rules.kinds:
        # A file that is only named by its id so far has neither name nor extension to judge.
        if file.type != "custom" or not rules.extensions or not (file.filename or file.extension):
            return
    elif "custom" not in rules.kinds:
        raise FileRefused(f"files of type {file.type} are not allowed, only {', '.join(rules.kinds)}")
    if rules.extensions and file.extension.lower().lstrip(".") not in rules.extensions:
        named = f'the extension "{file.extension}" is' if file.extension else "files without an extension are"
        raise FileRefused(f"{named} not allowed, only {', '.join(rules.extensions)}")
