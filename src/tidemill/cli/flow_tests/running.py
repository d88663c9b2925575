"""Runs one case: live, live and recorded, or from its cassette with nothing outside."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast

import msgspec

from tidemill.adapters.cassette import Cassette
from tidemill.adapters.cassette_player import STALE, Player
from tidemill.adapters.playback import played
from tidemill.cli.failure import CommandFailed
from tidemill.cli.flow_tests.checks import SUCCEEDED, NoSuchValue, failures_of, over_budget, value_of
from tidemill.cli.flow_tests.files import Case
from tidemill.cli.flow_tests.judge import JudgeSeat, verdict
from tidemill.cli.flow_tests.reports import Outcome
from tidemill.cli.options import read_app_file
from tidemill.cli.running import Job, Trial, execute
from tidemill.cli.show import Screen
from tidemill.cli.tapes import environment_secrets, load_cassette, recording, save_cassette
from tidemill.dsl import AppFile, DslInvalid
from tidemill.dsl.variables import read_variables
from tidemill.engine.errors import NodeFailed
from tidemill.engine.events import Event, RunFinished
from tidemill.engine.values import ValueType
from tidemill.kit.settings import Settings
from tidemill.ports import Models

Mode = Literal["live", "recorded", "cassette"]
EVERY_MODEL = "*"


def require_app(path: Path, case: Case) -> None:
    """End the command when the app of a case cannot be read."""
    try:
        read_app_file(path.parent / case.app)
    except CommandFailed as error:
        raise CommandFailed(f'{path}, line {case.line}, case "{case.name}": {error}') from error


class _OtherModels(CommandFailed):
    """The cassette answers for other models than the case chooses now."""


class _Verdicts(msgspec.Struct):
    """What was found while the run's ports were open."""

    problems: list[str] = []
    events: list[Event] = []


async def run_case(path: Path, case: Case, settings: Settings, *, records: bool) -> Outcome:
    """Run a case and check what came. What keeps it from running is an outcome too."""
    began = time.perf_counter()
    mode: Mode = "live" if not case.cassette else "recorded" if records else "cassette"
    try:
        return await _Trial(path, case, settings, mode).run()
    except CommandFailed as error:
        return Outcome(
            file=str(path),
            name=case.name,
            verdict="stale" if isinstance(error, _OtherModels) else "error",
            mode=mode,
            problems=[str(error)],
            elapsed_s=round(time.perf_counter() - began, 6),
        )


class _Trial:
    def __init__(self, path: Path, case: Case, settings: Settings, mode: Mode) -> None:
        self._path = path
        self._case = case
        self._settings = settings
        self._mode: Mode = mode
        self._folder = path.parent
        self._app = read_app_file(self._folder / case.app)
        self._screen = Screen(shows_events=False, shows_text=False, keeps=True)
        self._verdicts = _Verdicts()
        self._secrets = environment_secrets(os.environ)
        self._cassette: Cassette | None = self._load() if mode == "cassette" else None
        self._player = Player(self._cassette, secrets=tuple(self._secrets)) if self._cassette is not None else None

    async def run(self) -> Outcome:
        case = self._case
        finished = await execute(self._job(), self._screen)
        if self._screen.paused is not None:
            problem = "The run waits for a form. Answer it with `answers: [NODE=ACTION,FIELD=VALUE]`."
            return self._outcome(finished, [problem], finished.elapsed_s)
        elapsed_s = finished.elapsed_s
        if self._cassette is not None:
            elapsed_s = float(self._cassette.result.get("elapsed_s", elapsed_s))
        problems = failures_of(case, finished, self._screen.events)
        problems += self._verdicts.problems
        problems += over_budget(case.budgets, finished, elapsed_s)
        if self._mode == "recorded":
            events = [*self._screen.events, *self._verdicts.events]
            save_cassette(self._folder / case.cassette, events, self._app, models=self._models())
        return self._outcome(finished, problems, finished.elapsed_s)

    def _outcome(self, finished: RunFinished, problems: list[str], elapsed_s: float) -> Outcome:
        stale = self._player.stale if self._player is not None else []
        if stale:
            problems = [f"{sentence} {self._again()}" for sentence in stale]
        return Outcome(
            file=str(self._path),
            name=self._case.name,
            verdict="stale" if stale else "failed" if problems else "passed",
            mode=self._mode,
            problems=problems,
            elapsed_s=round(elapsed_s, 6),
            total_tokens=finished.total_tokens,
            cost=finished.usage.total_price,
            currency=finished.usage.currency,
        )

    # ------------------------------------------------------------ the run

    def _job(self) -> Job:
        case = self._case
        recorded_system = self._cassette.system if self._cassette is not None else {}
        return Job(
            app=self._app,
            inputs=[],
            query=case.query,
            files=[self._beside(word) for word in case.files],
            conversation="",
            model=case.models.get(EVERY_MODEL, ""),
            maps=[f"{source}={target}" for source, target in case.models.items() if source != EVERY_MODEL],
            window=case.window,
            environment=self._environment(),
            settings=self._settings,
            answers=case.answers,
            around=self._around,
            trial=Trial(
                values={name: self._placed(name, value) for name, value in case.inputs.items()},
                system=recorded_system,
                conversation=case.conversation,
                after=self._judge,
            ),
        )

    def _around(self, ports: dict[type, object]) -> dict[type, object]:
        if self._player is not None:
            return played(ports, self._player)
        if self._mode == "recorded":
            return recording(ports)
        return ports

    def _environment(self) -> Mapping[str, str]:
        """The variables of the case. Played, a secret that it does not give gets a stand-in: no value is needed."""
        given = dict(self._case.environment)
        if self._mode == "cassette":
            for name in _blank_secrets(self._app):
                given.setdefault(name, f"stand-in for {name}")
        return given

    def _beside(self, word: str) -> Path:
        return self._folder / Path(word).expanduser()

    def _placed(self, name: str, value: Any) -> Any:
        """Paths of files, written as `@path`, are relative to the test file."""
        del name
        if isinstance(value, str) and value.startswith("@"):
            return f"@{self._beside(value[1:])}"
        if isinstance(value, list):
            return [self._placed("", item) for item in value]
        return value

    # ------------------------------------------------------------ judges

    async def _judge(self, finished: RunFinished, models: Models) -> None:
        """Ask the judges, in the order of the expectations. A run that came to nothing is not judged."""
        if finished.status not in SUCCEEDED or (self._player is not None and self._player.stale):
            return
        for number, item in enumerate(item for item in self._case.expect if item.llm_judge is not None):
            assert item.llm_judge is not None  # noqa: S101 - chosen so
            seat = JudgeSeat(number)
            judges = cast(Models, self._around({Models: models})[Models])
            bind = getattr(judges, "at", None)
            try:
                value = value_of(item.of, finished, self._screen.events)
                fault = await verdict(judges if bind is None else bind(seat), item.llm_judge, value)
            except NoSuchValue as error:
                fault = str(error)
            except NodeFailed as error:
                # The player has told it.
                if error.error_type != STALE:
                    raise
                fault = None
            if fault is not None:
                self._verdicts.problems.append(f"{item.of} {fault}")
            self._verdicts.events += seat.events

    # ------------------------------------------------------------ cassettes

    def _models(self) -> dict[str, Any]:
        return {"models": dict(self._case.models), "window": self._case.window}

    def _load(self) -> Cassette:
        path = self._folder / self._case.cassette
        if not path.exists():
            raise CommandFailed(f"The cassette {path} is not there. {self._again()}")
        cassette = load_cassette(path)
        if cassette.models is not None and cassette.models != self._models():
            told = "Stale cassette: the case chooses other models than it was recorded with."
            raise _OtherModels(f"{told} {self._again()}")
        return cassette

    def _again(self) -> str:
        name = self._case.name.replace('"', '\\"')
        return f'Record it with: tidemill test {self._path} --record --case "{name}"'


def _blank_secrets(app: AppFile) -> list[str]:
    """The secret variables of an app to which its file gives no value."""
    try:
        variables = read_variables(app).environment
    except DslInvalid as error:
        raise CommandFailed(str(error)) from error
    return [item.name for item in variables if item.type is ValueType.SECRET and not item.value]
