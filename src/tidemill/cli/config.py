"""`tidemill config`."""

from __future__ import annotations

import json
import sys

from tidemill.cli.options import AsJson, Data, new_app, read_settings

app = new_app()


@app.command()
def config(data: Data = None, as_json: AsJson = False) -> None:
    """Show every setting with its value and where it was read. Secrets are masked."""
    settings = read_settings(data)
    lines = settings.explain()
    if as_json:
        print(json.dumps([{"name": line.name, "value": line.value, "source": line.source} for line in lines], indent=2))
    else:
        width = max(len(line.name) for line in lines)
        for line in lines:
            print(f"{line.name:<{width}}  {line.value or '-'}  ({line.source})")
    for warning in settings.warnings():
        print(warning, file=sys.stderr)
