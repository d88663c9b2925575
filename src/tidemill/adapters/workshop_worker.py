"""The process that does heavy or risky work of tools: `python -m tidemill.adapters.workshop_worker MEMORY_BYTES`.

Frames on stdin and stdout: four bytes of length, then MessagePack. It ends with its stdin.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any, BinaryIO, Final

import msgspec

from tidemill.adapters.template_worker import HEADER, limit_memory, read_frame
from tidemill.ports import ToolFailed

PACKAGE: Final = "tidemill.tools."


def frame(message: Any) -> bytes:
    """A message with its length in front."""
    body = msgspec.msgpack.encode(message)
    return HEADER.pack(len(body)) + body


def do(module: str, name: str, arguments: list[Any]) -> dict[str, Any]:
    """Call a function of the tools; the answer is its result, or a sentence saying why there is none."""
    if not module.startswith(PACKAGE):
        raise ValueError(f"{module} is not a module of the tools")
    try:
        return {"result": getattr(importlib.import_module(module), name)(*arguments)}
    except ToolFailed as failure:
        return {"refused": str(failure)}
    except (MemoryError, RecursionError):
        return {"error": "it needs too much memory. Use a smaller input."}


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer frames until there are no more."""
    while (body := read_frame(requests)) is not None:
        module, name, arguments = msgspec.msgpack.decode(body)
        replies.write(frame(do(module, name, arguments)))
        replies.flush()


def main() -> None:
    limit_memory(int(sys.argv[1]))
    requests, replies = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # What a library prints must not come between the frames.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(requests, replies)


if __name__ == "__main__":
    main()
