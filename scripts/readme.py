"""Cut the commands out of README.md, so that what is run is what people read.

readme.py block start       the block that installs and starts (POSIX)
readme.py block test        the block that passes the tests
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = {"start": 0, "test": 1}


def blocks(language: str, text: str) -> list[str]:
    """The fenced blocks of one language, in the order of the page."""
    return [body for name, body in FENCE.findall(text) if name == language]


def block(name: str, language: str = "bash") -> str:
    return blocks(language, (ROOT / "README.md").read_text())[BLOCKS[name]]


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "block" or sys.argv[2] not in BLOCKS:
        sys.exit(__doc__)
    print(block(sys.argv[2]), end="")
