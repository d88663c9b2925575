"""The process that renders templates whose cost nobody can know before: `python -m tidemill.adapters.template_worker`.

Frames on stdin and stdout: four bytes of length, then JSON. It ends with its stdin.
"""

from __future__ import annotations

import json
import struct
import sys
from typing import Any, BinaryIO

from tidemill.adapters.template_engine import RenderFailed, environment, render

HEADER = struct.Struct(">I")


def limit_memory(size_bytes: int) -> None:
    """Let allocations over the limit fail, where the system can do that; 0 sets none."""
    if sys.platform == "win32" or not size_bytes:
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        try:
            resource.setrlimit(kind, (size_bytes, size_bytes))
        except (ValueError, OSError):
            # macOS refuses some limits; there the parent watches the process instead.
            continue


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next frame, or None at the end of the stream."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    (length,) = HEADER.unpack(header)
    body = stream.read(length)
    return body if len(body) == length else None


def frame(message: dict[str, Any]) -> bytes:
    """A message with its length in front."""
    body = json.dumps(message).encode()
    return HEADER.pack(len(body)) + body


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer frames until there are no more."""
    sandbox = environment()
    while (body := read_frame(requests)) is not None:
        request = json.loads(body)
        try:
            reply = {"text": render(sandbox, request["source"], request["values"], request["max_chars"])}
        except RenderFailed as error:
            reply = {"error": str(error)}
        except (MemoryError, RecursionError):
            reply = {"error": "The template needs too much memory. Make its loops or its output smaller."}
        replies.write(frame(reply))
        replies.flush()


if __name__ == "__main__":
    limit_memory(int(sys.argv[1]))
    serve(sys.stdin.buffer, sys.stdout.buffer)
