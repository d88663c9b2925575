#!/usr/bin/env python3
"""Kills servers with -9 at random moments of their runs, and looks whether anybody can tell afterwards.

    .venv/bin/python bench/kill_runs.py [-n 500] [--postgres] [--seed 1] [--json FILE]

Two `tidemill serve` processes share one database. A chatflow of 30 nodes (`kill_flow.py`: eight HTTP requests with a
counted side effect, two streamed model answers) is started on one of them, which is killed after a time drawn uniformly
over the length of an undisturbed run, and started again. The client attaches to whichever server answers, with the
number of the last event it has seen. Every run must end as succeeded; the client's events, over all its connections,
must be byte for byte those that a new client is told afterwards; the journal must be that of an undisturbed run but for
moments and drawn names, and its text the same in the end; every request that was sent again must carry the
`Idempotency-Key` of the first time. Linux; exits with 1 when anything of this does not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import aiohttp

import engine_graphs
import kill_flow
from console_client import Console
from kill_fleet import Client, Fleet, Seen
from tidemill.domains.runs import journals
from tidemill.engine.events import Event
from tidemill.kit.db import Database, url_of
from tidemill.kit.settings import load

BINS = 10


@dataclass
class Killed:
    """One run whose server was killed, `at` its share of the length of an undisturbed run."""

    run_id: str
    at: float
    moment: float
    frames: list[tuple[int, bytes]]
    follow_s: float


@dataclass
class Report:
    """What came of all kills. `problems` is empty when everything held."""

    kills: int = 0
    refused: int = 0
    while_running: int = 0
    withdrawn: int = 0
    raw: int = 0
    unique: int = 0
    histogram: Counter[int] = field(default_factory=Counter[int])
    follow_s: list[float] = field(default_factory=list[float])
    problems: list[str] = field(default_factory=list[str])


class Bench:
    """`kill` once and again, then `check` them all."""

    def __init__(self, fleet: Fleet, http: aiohttp.ClientSession, seed: int) -> None:
        self.fleet = fleet
        self.http = http
        self.random = random.Random(seed)
        self.length_s = 0.0
        self.baseline: list[Event] = []
        self.client = Client(http, "")
        self.killed: list[Killed] = []
        self.report = Report()

    async def prepare(self) -> None:
        """Start the servers, publish the flow, and see how an undisturbed run looks."""
        first, *others = self.fleet.processes
        first.start()
        await first.ready()
        for process in others:
            process.start()
        self.client = Client(self.http, await asyncio.to_thread(self._publish, first.url))
        for process in others:
            await process.ready()
        lengths: list[float] = []
        for _ in range(4):
            seen = Seen()
            started = asyncio.create_task(self.client.start(first.url, seen))
            await seen.began.wait()
            began = time.monotonic()
            await started
            lengths.append(time.monotonic() - began)
            self.baseline = await self.events(seen.run_id)
        # The first one pays for what is loaded when it is first needed.
        self.length_s = statistics.median(lengths[1:])

    def _publish(self, url: str) -> str:
        console = Console(url)
        console.sign_in()
        console.add_models(f"{self.fleet.model_url}/v1", kill_flow.MODEL)
        return console.publish(engine_graphs.dumps(kill_flow.flow(self.fleet.effects_url)))[1]

    async def kill(self, number: int) -> None:
        """One run on one of the servers, which dies in the middle of it."""
        victim = self.fleet.processes[number % len(self.fleet.processes)]
        others = [process for process in self.fleet.processes if process is not victim]
        await victim.ready()
        at = self.random.random()
        seen = Seen()
        started = asyncio.create_task(self.client.start(victim.url, seen))
        # From when the run is known to exist, which is at once: before that the client is told of a failed request.
        first = asyncio.create_task(seen.began.wait())
        await asyncio.wait([first, started], return_when=asyncio.FIRST_COMPLETED)
        first.cancel()
        await asyncio.sleep(at * self.length_s)
        moment = await asyncio.to_thread(victim.kill)
        await started
        victim.start()
        self.report.kills += 1
        if not seen.run_id:
            # The client never heard of a run: it was told that its request failed.
            self.report.refused += 1
            return
        urls = [*(process.url for process in others), victim.url]
        begun = time.monotonic()
        try:
            await self.client.follow(urls, seen)
        except TimeoutError as error:
            self.report.problems.append(f"stuck: {error}")
        self.killed.append(Killed(seen.run_id, at, moment, seen.frames, time.monotonic() - begun))

    async def check(self) -> Report:
        """Compare every run with an undisturbed one."""
        report, usual = self.report, kill_flow.shape(self.baseline)
        counts = await asyncio.to_thread(self.fleet.counts)
        url = await self._answering()
        for killed in self.killed:
            events = await self.events(killed.run_id)
            report.histogram[min(BINS - 1, int(killed.at * BINS))] += 1
            effects = counts.get(killed.run_id, [])
            # The start of a node may have been lost with the process; then the other side knows of its request.
            is_asking = any(began <= killed.moment < end for effect in effects for began, end in effect.times)
            report.while_running += is_asking or kill_flow.was_running(events, killed.moment)
            report.withdrawn += kill_flow.replacements(events)
            report.follow_s.append(killed.follow_s)
            self._compare(killed, events, usual)
            told = await self.client.whole(url, killed.run_id)
            if told != killed.frames:
                report.problems.append(f"{killed.run_id}: the client saw {_differing(killed.frames, told)}")
            report.raw += sum(effect.raw for effect in effects)
            report.unique += sum(len(effect.keys) for effect in effects)
            if len(effects) != kill_flow.EFFECTS or any(len(effect.keys) != 1 for effect in effects):
                report.problems.append(f"{killed.run_id}: side effects {effects}")
        return report

    def _compare(self, killed: Killed, events: Sequence[Event], usual: list[object]) -> None:
        problems, end = self.report.problems, kill_flow.ending(events)
        if [event.seq for event in events] != list(range(1, len(events) + 1)):
            problems.append(f"{killed.run_id}: numbers with gaps")
        if end is None or end.status != "succeeded":
            problems.append(f"{killed.run_id}: ended as {end.status if end else 'nothing'}: {end.error if end else ''}")
            return
        found = kill_flow.shape(events)
        if found != usual:
            place = next((n for n, pair in enumerate(zip(found, usual, strict=False)) if pair[0] != pair[1]), -1)
            what = f"{found[place]} instead of {usual[place]}" if place >= 0 else f"{len(found)} of {len(usual)} events"
            problems.append(f"{killed.run_id}: another log: {what}"[:1500])
        if kill_flow.text_of(events) != end.answer or end.answer != kill_flow.text_of(self.baseline):
            problems.append(f"{killed.run_id}: another text")

    async def events(self, run_id: str) -> list[Event]:
        """The journal, straight from the database."""
        settings = load(home=self.fleet.folder / "data", environ=dict(self.fleet.database), cwd=self.fleet.folder)
        database = Database(url_of(settings))
        try:
            async with database.session() as db:
                return await journals.read(db, UUID(run_id))
        finally:
            await database.close()

    async def _answering(self) -> str:
        for process in self.fleet.processes:
            await process.ready()
        return self.fleet.processes[0].url


def _differing(seen: list[tuple[int, bytes]], told: list[tuple[int, bytes]]) -> str:
    for left, right in zip(seen, told, strict=False):
        if left != right:
            return f"{left!r} instead of {right!r}"[:800]
    return f"{len(seen)} frames instead of {len(told)}"


async def run(fleet: Fleet, kills: int, seed: int, *, is_told: bool = False) -> tuple[Bench, Report]:
    """The whole of it."""
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=120)) as http:
        bench = Bench(fleet, http, seed)
        await bench.prepare()
        for number in range(kills):
            await bench.kill(number)
            if is_told and (number + 1) % 10 == 0:
                print(f"{number + 1} kills, {len(bench.report.problems)} problems", file=sys.stderr, flush=True)
        return bench, await bench.check()


def show(bench: Bench, report: Report) -> None:
    print(f"undisturbed run: {bench.length_s:.2f} s, {kill_flow.NODES} nodes, {len(bench.baseline)} events")
    print(f"kills: {report.kills}, of them before the client was told of a run: {report.refused}")
    print(f"runs killed: {len(bench.killed)}, while a node ran: {report.while_running}")
    bars = [f"{number * 100 // BINS:3d}%: {report.histogram[number]}" for number in range(BINS)]
    print("moments, as shares of the run: " + ", ".join(bars))
    print(f"answers withdrawn by a replace event and told again: {report.withdrawn}")
    print(f"side effects: {report.raw} requests under {report.unique} idempotency keys")
    if report.follow_s:
        last = sorted(report.follow_s)
        print(f"from the kill to the end of the run: p50 {statistics.median(last):.2f} s, longest {last[-1]:.2f} s")
    for problem in report.problems[:20]:
        print(f"PROBLEM {problem}")
    print(f"problems: {len(report.problems)}")


def fleet_of(stack: ExitStack, *, is_postgres: bool) -> Fleet:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    database: dict[str, str] = {}
    if is_postgres:
        # The tests know how to start one.
        sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
        from support.postgres import find_programs, new_database, running_server

        programs = find_programs()
        if programs is None:
            raise SystemExit("PostgreSQL is not on this machine.")
        server = stack.enter_context(running_server(programs))
        database = server.settings(stack.enter_context(new_database(server)))
    return stack.enter_context(Fleet(folder, database))


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("-n", type=int, default=500, help="kills")
    options.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own instead of SQLite")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--json", default="", help="write the figures to this file")
    chosen = options.parse_args()
    with ExitStack() as stack:
        fleet = fleet_of(stack, is_postgres=chosen.postgres)
        bench, report = asyncio.run(run(fleet, chosen.n, chosen.seed, is_told=True))
        show(bench, report)
        if chosen.json:
            figures = {name: value for name, value in vars(report).items() if name != "follow_s"}
            Path(chosen.json).write_text(json.dumps(figures, indent=1, default=str))
    raise SystemExit(1 if report.problems else 0)


if __name__ == "__main__":
    main()
