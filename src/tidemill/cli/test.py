"""`tidemill test`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from tidemill.cli.failure import CommandFailed
from tidemill.cli.flow_tests import reports
from tidemill.cli.flow_tests.files import read_tests
from tidemill.cli.flow_tests.reports import Outcome
from tidemill.cli.flow_tests.running import require_app, run_case
from tidemill.cli.options import AsJson, Data, new_app, read_settings

app = new_app()


@app.command()
def run_tests(
    files: Annotated[
        list[Path], typer.Argument(metavar="FLOW_TESTS.yml...", help="Files of test cases.", show_default=False)
    ],
    names: Annotated[
        list[str] | None, typer.Option("--case", metavar="NAME", help="Only the case of this name.")
    ] = None,
    record: Annotated[
        bool, typer.Option("--record", help="Run live and write the cassettes that cases name, new ones or anew.")
    ] = False,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write a JUnit report as well.")] = None,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Run test cases and check what they expect.

    A case that names a cassette is answered from it and reaches nothing outside; every other one runs live, with
    models from the environment as `tidemill run` finds them. A request that the cassette does not hold is a stale
    cassette, which fails the case. Exit 0: all passed, 1: some did not, 2: bad file or arguments.
    """
    settings = read_settings(data)
    cases = [(path, case) for path in files for case in read_tests(path)]
    for path, case in cases:
        require_app(path, case)
    known = [case.name for _, case in cases]
    for name in names or []:
        if name not in known:
            raise CommandFailed(f'There is no case "{name}". Cases: {", ".join(known)}.')
    outcomes: list[Outcome] = []
    for path, case in cases:
        if not names or case.name in names:
            outcomes.append(asyncio.run(run_case(path, case, settings, records=record)))
    if junit is not None:
        _write(junit, reports.junit(outcomes))
    if as_json:
        print(json.dumps(reports.as_json(outcomes), ensure_ascii=False, indent=2))
    else:
        print("\n".join(reports.lines(outcomes)))
    if any(outcome.verdict != "passed" for outcome in outcomes):
        raise typer.Exit(1)


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise CommandFailed(f"The report cannot be written to {path}: {error.strerror}.") from error
