"""Agents that reason and act in text, for models that cannot call tools (reference `workflow-dsl.md`, section 7.6)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tidemill.agent import react_prompts
from tidemill.agent.function_calling import without_media
from tidemill.agent.react_parser import FinalAnswerStream, read_action
from tidemill.agent.task import AgentTask, AgentTool, Answer, Call, PastTurn, Round
from tidemill.llm.prompt import MAX_STOPS
from tidemill.llm.reasoning import ReasoningSplitter
from tidemill.llm.types import ChatDelta, ChatRequest, Message

STOP: Final = "Observation"


class ReAct:
    """Implements `agent.strategy.Strategy`, as a chat or, for text models, as one text."""

    def __init__(self, task: AgentTask) -> None:
        self._task = task
        self._later_query = without_media(task.query)
        stops = tuple(stop for stop in task.parameters.stop if stop != STOP)
        self._stops = (*stops[: MAX_STOPS - 1], STOP)

    def request(self, turns: Sequence[PastTurn], rounds: Sequence[Round], *, is_last: bool) -> ChatRequest:
        build = self._text if self._task.is_text_model else self._chat
        parameters = self._task.parameters
        return ChatRequest(
            messages=tuple(build(turns, rounds, is_last)),
            max_tokens=parameters.max_tokens,
            stop=self._stops,
            params=parameters.params,
        )

    def reader(self, number: int) -> ActionReader:
        return ActionReader(number)

    def _chat(self, turns: Sequence[PastTurn], rounds: Sequence[Round], is_last: bool) -> Iterator[Message]:
        template = self._template(is_last)
        special = {"historic_messages": "", "query": self._task.query.text, "agent_scratchpad": ""}
        yield Message(role="system", content=self._filled(template, special, is_last))
        for turn in turns:
            yield turn.query
            yield Message(role="assistant", content=_scratchpad(turn.rounds, turn.answer))
        yield self._later_query if rounds else self._task.query
        if rounds:
            yield Message(role="assistant", content=_scratchpad(rounds))
            yield Message(role="user", content=react_prompts.GO_ON)

    def _text(self, turns: Sequence[PastTurn], rounds: Sequence[Round], is_last: bool) -> Iterator[Message]:
        template = self._template(is_last)
        if "{{query}}" not in template:
            template += react_prompts.TEXT_END
        past = [f"Question: {turn.query.text}\n{_scratchpad(turn.rounds, turn.answer)}" for turn in turns]
        special = {
            "historic_messages": "\n\n".join(past),
            "query": self._task.query.text,
            "agent_scratchpad": _scratchpad(rounds),
        }
        yield Message(role="user", content=self._filled(template, special, is_last))

    def _template(self, is_last: bool) -> str:
        if self._task.template.strip():
            return self._task.template
        return react_prompts.WITHOUT_TOOLS if is_last else react_prompts.CHAT

    def _filled(self, template: str, special: Mapping[str, str], is_last: bool) -> str:
        tools: Sequence[AgentTool] = () if is_last else self._task.tools
        values = {
            "instruction": self._task.instruction,
            "tools": json.dumps([_described(tool) for tool in tools], ensure_ascii=False),
            "tool_names": ", ".join(f'"{tool.name}"' for tool in tools),
            **special,
        }
        return _replaced(template, values).strip()


class ActionReader:
    """Holds reasoning back and shows the final answer as soon as it is written."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._splitter = ReasoningSplitter()
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._stream = FinalAnswerStream()

    def feed(self, delta: ChatDelta) -> str:
        if delta.reasoning:
            self._reasoning.append(delta.reasoning)
        return self._take(*self._splitter.feed(delta.text)) if delta.text else ""

    def finish(self) -> tuple[str, Answer]:
        shown = self._take(*self._splitter.finish())
        action = read_action("".join(self._text))
        reasoning = "".join(self._reasoning)
        if not action.is_final:
            arguments = action.text
            call = Call(id=f"call_{self._number}_1", name=action.name, arguments=arguments)
            return shown, Answer(thought=action.thought, calls=(call,), reasoning=reasoning)
        # What was shown stays shown: where the finished object reads otherwise, its text so far is the answer.
        said, final = self._stream.shown, action.text
        rest = final[len(said) :] if final.startswith(said) else ""
        return shown + rest, Answer(thought=said + rest, reasoning="\n".join(filter(None, (reasoning, action.thought))))

    def _take(self, text: str, reasoning: str) -> str:
        if reasoning:
            self._reasoning.append(reasoning)
        if not text:
            return ""
        self._text.append(text)
        return self._stream.feed(text)


def _described(tool: AgentTool) -> dict[str, object]:
    spec = tool.model_spec
    return {"name": spec.name, "description": spec.description, "parameters": spec.parameters}


def _scratchpad(rounds: Sequence[Round], answer: str = "") -> str:
    """Rounds as the model would have written them, with the observations between."""
    lines: list[str] = []
    for done in rounds:
        if done.answer.thought:
            lines.append(f"Thought: {done.answer.thought}")
        for call, text in zip(done.answer.calls, done.observations, strict=True):
            blob = json.dumps({"action": call.name, "action_input": _input(call.arguments)}, ensure_ascii=False)
            lines.append(f"Action: {blob}\nObservation: {text}")
    if answer:
        final = json.dumps({"action": "Final Answer", "action_input": answer}, ensure_ascii=False)
        lines.append(f"Action: {final}" if rounds else answer)
    return "\n".join(lines)


def _input(arguments: str) -> object:
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments


def _replaced(template: str, values: Mapping[str, str]) -> str:
    """Fill in `{{name}}`; what was filled in is not looked at again."""
    for name, value in values.items():
        head, found, tail = template.partition(f"{{{{{name}}}}}")
        if found:
            return _replaced(head, values) + value + _replaced(tail, values)
    return template
