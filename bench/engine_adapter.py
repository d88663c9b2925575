"""Tidemill's engine for `engine_bench.py --engines engine_adapter:adapter` (this folder on the path).

Uses the public API only: read and compile a file once, build a pool per run, execute.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from tidemill import dsl
from tidemill.adapters.templates import SafeTemplates
from tidemill.engine.journal import NullJournal
from tidemill.engine.node import RunInfo
from tidemill.engine.scheduler import Limits, Run
from tidemill.ports import Templates


class Adapter:
    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._ports: dict[type, object] = {Templates: SafeTemplates()}

    def load(self, text: str) -> dsl.CompiledApp:
        return dsl.compile(dsl.read(text))

    def start(self, app: dsl.CompiledApp, inputs: Mapping[str, Any]) -> Run:
        pool = app.pool(app.start_inputs(inputs), system={})
        return Run(
            app.graph,
            pool,
            info=RunInfo(run_id="bench"),
            ports=self._ports,
            journal=NullJournal(),
            root_id=app.start_id,
            limits=Limits(max_steps=100_000),
        )

    def go(self, run: Run) -> dict[str, Any]:
        finished = self._runner.run(run.execute())
        if finished.status != "succeeded":
            raise RuntimeError(f"{finished.status}: {finished.error}")
        return finished.outputs


adapter = Adapter()
