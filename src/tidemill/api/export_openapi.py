"""Prints the OpenAPI of one surface: `python -m tidemill.api.export_openapi console`."""

from __future__ import annotations

import json
import sys

from tidemill.api.console import create_console_api

SURFACES = {"console": create_console_api}


def main(arguments: list[str]) -> int:
    """Write the document of the named surface to standard output; 2 when there is none of that name."""
    if len(arguments) != 1 or arguments[0] not in SURFACES:
        sys.stderr.write(f"Name one of: {', '.join(SURFACES)}.\n")
        return 2
    document = SURFACES[arguments[0]]().openapi()
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
