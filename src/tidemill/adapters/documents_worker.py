"""The process that reads one document: `python -m tidemill.adapters.documents_worker KIND MEMORY_BYTES MAX_CHARS`.

The document's bytes come on stdin; stdout gets one JSON object, `{"text": ...}` or `{"error": ...}`.
"""

from __future__ import annotations

import json
import os
import sys

from tidemill.adapters.document_kinds import MAIL, OFFICE
from tidemill.adapters.document_text import DocumentBroken, decode, shaped
from tidemill.adapters.template_worker import limit_memory


def text_of(kind: str, data: bytes) -> str:
    """The text of a document of a known kind. Raises `DocumentBroken`."""
    if kind not in OFFICE and kind not in MAIL:
        return shaped(kind, decode(data))
    try:
        # 80 MB of library, which plain texts do without.
        from tidemill.adapters import document_office
    except ImportError as error:
        raise DocumentBroken(
            f"Files of type .{kind} need the package kreuzberg, which has no release for this system ({error}). "
            "Convert the file to text."
        ) from error
    return document_office.mail_text(data) if kind in MAIL else document_office.office_text(kind, data)


def answer(kind: str, data: bytes, max_chars: int) -> dict[str, str]:
    """What the process says: the text, or why there is none."""
    try:
        text = text_of(kind, data)
    except DocumentBroken as error:
        return {"error": str(error)}
    except (MemoryError, RecursionError):
        return {"error": "The document needs too much memory to be read. Use a smaller one."}
    if len(text) > max_chars:
        return {"error": f"The document's text has {len(text)} characters; at most {max_chars} are read."}
    return {"text": text.replace("\x00", "")}


def main() -> None:
    kind, memory_bytes, max_chars = sys.argv[1:]
    data = sys.stdin.buffer.read()
    limit_memory(int(memory_bytes))
    sys.stdout.write(json.dumps(answer(kind, data, int(max_chars))))
    sys.stdout.flush()
    # Without the library's clean-up, which has nothing to save.
    os._exit(0)


if __name__ == "__main__":
    main()
