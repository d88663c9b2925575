"""Read an app file: text to a checked document. Nothing in the file is executed or fetched."""

from __future__ import annotations

from typing import Any, Final

from tidemill.dsl.app_file import AppFile
from tidemill.dsl.problems import DslInvalid
from tidemill.dsl.structure import graph_problems
from tidemill.dsl.variables import read_variables
from tidemill.dsl.yaml_reader import load

MAX_BYTES: Final = 10 * 1024 * 1024


def read(content: str | bytes) -> AppFile:
    """Read one app file.

    Raises:
        DslInvalid: Not an app file, or one whose graph cannot be: one sentence that names the part of
            the file, the line or the node.
    """
    data: Any = load(_text(content))
    if data is None:
        raise DslInvalid("The file is empty; an app file is a YAML document with an `app` section.")
    if not isinstance(data, dict):
        kind = "a list" if isinstance(data, list) else "plain text"
        raise DslInvalid(f"The file holds {kind}; an app file is a mapping with the keys `app` and `kind`.")
    app = AppFile.from_document(data)
    problems = graph_problems(app)
    if problems:
        raise DslInvalid.of(problems)
    read_variables(app)
    return app


def _text(content: str | bytes) -> str:
    size = (
        len(content)
        if isinstance(content, bytes) or len(content) > MAX_BYTES
        else len(content.encode(errors="replace"))
    )
    if size > MAX_BYTES:
        raise DslInvalid(f"The file has {size / 1024 / 1024:.1f} MB; an app file has at most 10 MB.")
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    try:
        encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise DslInvalid(
            f"The file is not text in UTF-8 (byte {error.start + 1}); save it as UTF-8, or choose the YAML file."
        ) from error
