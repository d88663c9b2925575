"""Servers killed at random moments of their runs, and nobody can tell. `bench/kill_runs.py` does it 500 times."""

from __future__ import annotations

from pathlib import Path

import pytest

import kill_runs
from kill_fleet import Fleet

KILLS = 6


@pytest.mark.timeout(600)
async def test_runs_of_killed_servers_end_as_if_nothing_had_happened(database_settings: dict[str, str], tmp_path: Path):
    with Fleet(tmp_path, database_settings) as fleet:
        bench, report = await kill_runs.run(fleet, KILLS, seed=5)

    assert report.problems == []
    assert len(bench.killed) + report.refused == KILLS
    assert report.raw >= report.unique == len(bench.killed) * 8
