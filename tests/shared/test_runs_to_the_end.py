"""Every real file runs to its end against the scripted model, or ends with a named error on the right node."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from shared.case import PNG, Case, in_json
from shared.conftest import FILES
from shared.ends import CASES, CHECKED_ONLY, SERVED
from support.model_server import ModelServer, running_model_server
from tidemill.cli.failure import CommandFailed
from tidemill.cli.options import read_app_file
from tidemill.cli.running import Job, execute
from tidemill.cli.show import Screen
from tidemill.dsl import check
from tidemill.engine.events import NodeFinished, RunFinished
from tidemill.kit.settings import Settings
from tidemill.ports import Http, Knowledge, McpServers, Passage, Tool
from tools.vendors import Rerouted, Vendors

MCP_SERVER = Path(__file__).parents[1] / "support" / "mcp_program.py"
SENT = {"tide.md": b"# Tide\n\nThe tide is high.\n", "tide.csv": b"place,tide\nBrest,high\n", "pixel.png": PNG}
KEYS = {
    "AWS_ACCESS_KEY_ID": "AKID",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "MODELSCOPE_API_KEY": "k",
    "PERPLEXITY_API_KEY": "k",
    "QIANFAN_API_KEY": "k",
    "SEARXNG_BASE_URL": "https://search.example.com",
    "SMALL_PAY_API_KEY": "k",
    "TAVILY_API_KEY": "k",
}


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with running_model_server() as server:
        yield server


@pytest.fixture(scope="module")
def mcp_server() -> Iterator[str]:
    """The origin of a real MCP server."""
    process = subprocess.Popen([sys.executable, str(MCP_SERVER), "http"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().rpartition('=')[2].strip()}"
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()  # pyright: ignore[reportOptionalMemberAccess]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder for all files: what the sandbox prepares at its first start is there for the others."""
    return tmp_path_factory.mktemp("home")


class OneKnowledgeBase:
    """Knowledge that always finds the same."""

    async def retrieve(
        self, *, query: str, dataset_ids: Sequence[str], options: Mapping[str, Any]
    ) -> Sequence[Passage]:
        del query, dataset_ids, options
        return [Passage(content="The tide is high.", title="Tides", metadata={})]


class Moored:
    """`ports.McpServers` whose addresses are all played by one server, through the real client and guard."""

    def __init__(self, servers: McpServers, origin: str) -> None:
        self._servers = servers
        self._origin = origin

    async def tools(self, config: str) -> Sequence[Tool]:
        return await self._servers.tools(re.sub(r"https?://[^/\"]+(/\w+)[^\"]*", rf"{self._origin}\1", config))


@dataclass(frozen=True)
class End:
    """How the last run of a case ended, and the nodes that failed on its way."""

    run: RunFinished
    failures: list[tuple[str, str]]

    @property
    def said(self) -> str:
        return f"{self.run.answer}\n{in_json(self.run.outputs)}"


@dataclass(frozen=True)
class Bench:
    """Runs a file as `tidemill run` does, with its outside hosts played here."""

    model: ModelServer
    vendors: Vendors
    mcp_server: str
    home: Path
    folder: Path
    packages: str = ""

    async def end(self, case: Case, *, has_knowledge: bool = False) -> End:
        self.model.script(*case.replies)
        for what, answer in case.vendors.items():
            kind = "image/png" if isinstance(answer, bytes) else "text/html" if isinstance(answer, str) else ""
            self.vendors.on(what, answer, kind=kind or "application/json")

        def around(ports: dict[type, object]) -> dict[type, object]:
            http, servers = ports[Http], ports[McpServers]
            played = {Http: Rerouted(http, self.vendors), McpServers: Moored(servers, self.mcp_server)}  # type: ignore[arg-type]
            return {**ports, **played, **({Knowledge: OneKnowledgeBase()} if has_knowledge else {})}

        for message in case.says[:-1]:
            earlier = await self._run(case, message, around)
            if earlier.run.status != "succeeded":
                return earlier
        return await self._run(case, case.says[-1], around)

    async def _run(self, case: Case, message: str, around: Any) -> End:
        inputs = [(name, str(self.folder / value) if value in SENT else value) for name, value in case.inputs.items()]
        job = Job(
            app=read_app_file(FILES / f"{case.file}.yml"),
            inputs=inputs,
            query=message,
            files=[self.folder / name for name in case.sends],
            conversation=re.sub(r"\W", "-", str(self.folder.name))[:90],
            model="openai/mock-echo",
            maps=[],
            window=None,
            environment={},
            settings=Settings(
                home=self.home, egress_allow="127.0.0.1", sandbox_worker_timeout=60, sandbox_packages=self.packages
            ),
            answers=case.answers,
            around=around,
        )
        screen = Screen(shows_events=False, shows_text=False, keeps=True)
        finished = await execute(job, screen)
        ends = (event for event in screen.events if isinstance(event, NodeFinished))
        return End(finished, [(end.node_id, end.error or "") for end in ends if end.error])


@pytest_asyncio.fixture
async def bench(
    model: ModelServer, mcp_server: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bench]:
    model.reset()
    for name, content in SENT.items():
        (tmp_path / name).write_bytes(content)
    environment = {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": model.base_url, "OPENAI_MODEL_WINDOW": "128000"}
    for name, value in {**environment, **KEYS}.items():
        monkeypatch.setenv(name, value)
    vendors = Vendors()
    await vendors.start()
    yield Bench(model, vendors, mcp_server, home, tmp_path)
    await vendors.close()


def test_no_file_is_left_out():
    covered = {case.file for case in CASES} | set(CHECKED_ONLY) | set(SERVED)

    assert {path.stem for path in FILES.glob("*.yml")} - covered == set()


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES if case.gives])
async def test_it_runs_to_its_end(bench: Bench, case: Case):
    end = await bench.end(case, has_knowledge=case.has_knowledge)

    assert (end.run.status, end.run.error, end.failures) == ("succeeded", None, [])
    assert case.gives in end.said


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES if case.because])
async def test_it_ends_with_a_named_error_on_the_right_node(bench: Bench, case: Case):
    end = await bench.end(case)

    assert end.run.status == "failed"
    assert [node for node, _ in end.failures][:1] == [case.fails_at]
    assert re.search(case.because, end.run.error or "", re.DOTALL)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES if case.keys])
async def test_without_a_vendor_s_key_it_fails_at_the_tool_naming_the_key(
    bench: Bench, case: Case, monkeypatch: pytest.MonkeyPatch
):
    for name in case.keys:
        monkeypatch.delenv(name)

    end = await bench.end(case)

    assert end.run.status == "failed"
    assert [node for node, _ in end.failures][:1] == [case.fails_at]
    assert all(name in (end.run.error or "") for name in case.keys)


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.id) for case in CASES if case.has_knowledge and case.fails_at]
)
async def test_without_a_knowledge_base_it_fails_at_the_node_that_searches_one(bench: Bench, case: Case):
    end = await bench.end(case)

    assert end.run.status == "failed"
    assert [node for node, _ in end.failures] == [case.fails_at]
    assert re.search("searches the knowledge base .* no knowledge base is connected", end.run.error or "")


@pytest.mark.parametrize("file", CHECKED_ONLY)
async def test_a_knowledge_pipeline_is_checked_and_says_that_it_cannot_be_run(bench: Bench, file: str):
    assert check(read_app_file(FILES / f"{file}.yml")).is_ok

    with pytest.raises(CommandFailed, match="a knowledge pipeline, not an app: it can be checked, but not run"):
        await bench.end(Case(file=file))


async def test_a_package_that_an_administrator_adds_lets_a_file_run(bench: Bench):
    packages = bench.folder / "packages"
    for name in ("requests", "urllib3", "idna", "certifi", "charset_normalizer"):
        (source,) = find_spec(name).submodule_search_locations  # type: ignore[union-attr, misc]
        shutil.copytree(source, packages / name)
    case = Case(file="form-chat-demo", says=('{"username": "svcvit", "password": "x"}',))

    end = await replace(bench, packages=str(packages)).end(case)

    assert (end.run.status, end.run.answer) == ("succeeded", "登录成功，我们聊点什么？")
