"""Runs an agent inside a node: reaches model and tools, shows each step, and takes steps of before a crash as done.

Rules: reference `workflow-dsl.md`, sections 5.12, 6.3 (`agent_log`, `agent_thought`) and 7.6.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec

from tidemill.agent.calling import call_tool
from tidemill.agent.loop import OnDelta, Outcome, run_agent
from tidemill.agent.task import AgentFailed, AgentTask, Answer, Call, Observation
from tidemill.agent.window import Fitting
from tidemill.engine.errors import NodeFailed
from tidemill.engine.events import (
    AgentLogged,
    AgentThought,
    FileProduced,
    ModelCalled,
    ResourcesRetrieved,
    Usage,
    add_usage,
    usage_json,
)
from tidemill.engine.node import Context
from tidemill.engine.values import File, plain
from tidemill.llm.errors import ModelError
from tidemill.llm.prompt import describe
from tidemill.llm.types import ChatDelta, ChatModel
from tidemill.nodes._agent_records import Heard, KeptAnswer, Records, each_text
from tidemill.nodes._chat import ask, failed
from tidemill.tools.call import call_from

# Names the ids of steps: the same run, place and number give the same id in every attempt.
STEPS: Final = UUID("6f1c3b52-7d0e-5c8e-9a55-6f2d8f0b7a41")
MAX_SHOWN_CHARS: Final = 50_000


class AgentHost:
    """Implements `agent.loop.Host` for one execution of a node. `is_app` also tells thoughts and files."""

    def __init__(self, ctx: Context, model: ChatModel, task: AgentTask, *, is_app: bool, attempt: int = 0) -> None:
        self._ctx = ctx
        self._model = model
        self._task = task
        self._is_app = is_app
        self._prefix = f"{attempt}/" if attempt else ""
        self._logs: dict[str, dict[str, Any]] = {}
        self._began: dict[str, float] = {}
        self._thoughts: dict[int, dict[str, Any]] = {}
        self._labels = {tool.name: tool.label or tool.tool.spec.label or tool.name for tool in task.tools}
        self._records = Records(ctx, task, self._prefix)
        self.usage = Usage()
        self.is_silent = False

    async def run(self) -> Outcome:
        """Work on the task. Raises `NodeFailed`."""
        try:
            return await run_agent(self._task, self._model, self)
        except AgentFailed as error:
            self._close_open_logs(str(error))
            raise NodeFailed(str(error), error_type=error.error_type, is_retryable=False) from error
        except ModelError as error:
            self._close_open_logs(str(error))
            raise failed(error) from error
        except NodeFailed as error:
            self._close_open_logs(str(error))
            raise

    @property
    def logs(self) -> list[dict[str, Any]]:
        """The steps so far, as the node's `json` output carries them."""
        return list(self._logs.values())

    # ------------------------------------------------------------ agent.loop.Host

    def begin(self, number: int, fitting: Fitting) -> None:
        self._log(f"{number}", f"ROUND {number}", "start", {})
        data: dict[str, Any] = {}
        if fitting.cuts or fitting.left_out_rounds:
            data["shortened"] = msgspec.to_builtins(fitting.cuts)
            data["left_out_rounds"] = fitting.left_out_rounds
        self._log(f"{number}/model", f"{self._model.facts.name} Thought", "start", data, parent=f"{number}")
        self._ctx.record(process={"prompts": describe(fitting.request.request.messages)})
        self._think(number, position=number)

    async def ask(self, number: int, fitting: Fitting, on_delta: OnDelta) -> None:
        step = f"{number}/model"
        if (kept := self._records.answer(step)) is not None:
            await self._again(kept, on_delta)
            return
        heard = Heard()

        async def take(delta: ChatDelta) -> None:
            heard.take(delta)
            await on_delta(delta)

        reply = await ask(self._ctx, self._model, fitting.request, take, trimmed=fitting.trimmed)
        self.usage = add_usage(self.usage, reply.usage)
        self._records.keep_answer(step, heard.kept(reply))

    async def say(self, text: str) -> None:
        if not self.is_silent:
            await self._ctx.stream("text", text)

    def answered(self, number: int, answer: Answer) -> None:
        data: dict[str, Any] = {"output": answer.thought}
        if answer.reasoning:
            data["reasoning"] = answer.reasoning
        if answer.calls:
            data["tool_name"] = ";".join(call.name for call in answer.calls)
            data["tool_input"] = [{"name": call.name, "args": _json(call.arguments)} for call in answer.calls]
        self._log(f"{number}/model", "", "success", data)
        names = [call.name for call in answer.calls]
        self._think(
            number,
            thought=answer.thought,
            tool=";".join(names),
            tool_labels={name: _label(self._labels.get(name, name)) for name in names},
            tool_input=by_name([(call.name, _json(call.arguments)) for call in answer.calls]),
        )
        for place, call in enumerate(answer.calls, 1):
            shown = {"tool_name": call.name, "tool_call_args": _json(call.arguments)}
            self._log(f"{number}/{place}", f"CALL {call.name}", "start", shown, parent=f"{number}")
        if not answer.calls:
            self._log(f"{number}", "", "success", {"output": answer.thought})

    async def call(self, number: int, place: int, call: Call) -> Observation:
        step = f"{number}/{place}"
        if (kept := self._records.observation(step)) is not None:
            return kept
        circumstances = call_from(self._ctx, step=f"{self._prefix}{step}")
        seen = await call_tool(self._task.tools, call, circumstances)
        self._records.keep_observation(step, {"tool": call.name, "arguments": call.arguments}, seen)
        # The next round may take seconds: what the tool did must not be done again after a crash.
        await self._ctx.settle()
        return seen

    def observed(self, number: int, answer: Answer, observations: Sequence[Observation]) -> None:
        files: list[str] = []
        for place, (call, seen) in enumerate(zip(answer.calls, observations, strict=True), 1):
            if seen.usage is not None:
                self._ctx.spend(seen.usage)
                self.usage = add_usage(self.usage, seen.usage)
            named = [self._named(file, f"{number}/{place}/{index}") for index, file in enumerate(seen.files, 1)]
            data = {"output": _shown(seen.text), "tool_name": call.name, "tool_call_args": plain(seen.arguments)}
            if named:
                data["files"] = [file.to_wire() for file in named]
            status = "success" if seen.error is None else "error"
            self._log(f"{number}/{place}", "", status, data, error=seen.error)
            files += [file.id or "" for file in named]
            if seen.resources:
                self._ctx.emit(ResourcesRetrieved, resources=list(seen.resources))
            if self._is_app:
                for file in named:
                    self._ctx.emit(FileProduced, file=file.to_wire())
        told = by_name([(call.name, seen.text) for call, seen in zip(answer.calls, observations, strict=True)])
        self._think(number, observation=told, file_ids=files)
        self._log(f"{number}", "", "success", {"output": answer.thought})

    # ------------------------------------------------------------ what is shown

    def _think(self, number: int, **fields: Any) -> None:
        if not self._is_app:
            return
        thought = self._thoughts.setdefault(number, {"thought_id": self._id(f"thought/{number}")})
        thought.update(_masked(self._ctx, fields))
        self._ctx.emit(AgentThought, **thought)

    def _log(
        self, step: str, label: str, status: str, data: Mapping[str, Any], *, parent: str = "", error: str | None = None
    ) -> None:
        log_id, moment = self._id(step), time.time()
        began = self._began.setdefault(step, moment)
        known = self._logs.get(step)
        metadata: dict[str, Any] = {"started_at": began, "provider": self._model.facts.provider}
        if status != "start":
            metadata |= {"finished_at": moment, "elapsed_time": round(moment - began, 3)}
        entry = {
            "id": log_id,
            "label": label or (known["label"] if known else ""),
            "parent_id": (self._id(parent) if parent else None) if known is None else known["parent_id"],
            "status": status,
            "data": _masked(self._ctx, {**(known["data"] if known else {}), **data}),
            "error": error,
            "metadata": metadata,
            "node_id": self._ctx.node_id,
        }
        self._logs[step] = entry
        self._ctx.emit(
            AgentLogged,
            log_id=log_id,
            label=entry["label"],
            status=status,
            data=entry["data"],
            parent_id=entry["parent_id"],
            error=error,
            metadata=metadata,
        )

    def _close_open_logs(self, error: str) -> None:
        for step, entry in list(self._logs.items())[::-1]:
            if entry["status"] == "start":
                self._log(step, "", "error", {}, error=error)

    def _id(self, step: str) -> str:
        return str(uuid5(STEPS, f"{self._ctx.info.run_id}/{self._ctx.place}/{self._prefix}{step}"))

    def _named(self, file: File, step: str) -> File:
        """The file with an id; files that lie elsewhere have none of their own."""
        return msgspec.structs.replace(file, id=file.id or file.related_id or self._id(f"file/{step}"))

    async def _again(self, kept: KeptAnswer, on_delta: OnDelta) -> None:
        """Give a recorded answer once more, with its cost."""
        await on_delta(kept.delta())
        self._ctx.spend(kept.usage)
        self.usage = add_usage(self.usage, kept.usage)
        facts, budget = self._model.facts, kept.budget
        self._ctx.emit(
            ModelCalled,
            provider=facts.provider,
            model=facts.name,
            usage=kept.usage,
            **{name: getattr(budget, name) for name in budget.__struct_fields__},
        )


def outputs_of(host: AgentHost, outcome: Outcome) -> dict[str, Any]:
    """The outputs of an agent node: `json` is its steps, then what its tools gave as JSON."""
    return {
        "text": outcome.text,
        "files": list(outcome.files),
        "json": [*host.logs, *(_as_object(item) for item in outcome.json)],
        "usage": usage_json(host.usage),
    }


def by_name(pairs: Sequence[tuple[str, Any]]) -> str:
    """JSON text of values by tool name; a list where a tool was called more than once in one answer."""
    found: dict[str, list[Any]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    told = {name: values[0] if len(values) == 1 else values for name, values in found.items()}
    return json.dumps(told, ensure_ascii=False) if told else ""


def _as_object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {"data": value}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _label(text: str) -> dict[str, str]:
    return {"en_US": text, "zh_Hans": text}


def _shown(text: str) -> str:
    if len(text) <= MAX_SHOWN_CHARS:
        return text
    return f"{text[:MAX_SHOWN_CHARS]}\n[{len(text) - MAX_SHOWN_CHARS} more characters]"


def _masked(ctx: Context, value: Any) -> Any:
    return each_text(value, ctx.pool.masked) if ctx.pool.secrets else value
