"""Loop: runs its children again and again until a condition holds or the count is reached."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from tidemill.engine.errors import NodeFailed, ValueMismatch
from tidemill.engine.node import Context, Node
from tidemill.engine.templates import selectors
from tidemill.engine.values import Selector, Value, ValueType, coerce, plain, zero_of
from tidemill.nodes._conditions import Condition, Logic, evaluate
from tidemill.nodes._rounds import Account, failure_of
from tidemill.nodes._shapes import Settings, Shape, first_repeated, present

MAX_ROUNDS = 100


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class LoopVariable(Shape):
    """A variable that keeps its value from round to round."""

    id: str = ""
    label: str = Field(min_length=1)
    var_type: Annotated[ValueType, BeforeValidator(_lower)] = ValueType.STRING
    value_type: Literal["constant", "variable"] = "constant"
    value: Any = None

    @property
    def source(self) -> Selector:
        """The selector it starts from; empty for a constant."""
        if self.value_type == "variable" and isinstance(self.value, list):
            return tuple(str(part) for part in self.value)
        return ()


class Config(Settings):
    start_node_id: str = ""
    loop_count: int = Field(default=10, ge=1, le=MAX_ROUNDS, title="Most rounds")
    break_conditions: tuple[Condition, ...] = Field(default=(), title="Stop when")
    logical_operator: Logic = "and"
    loop_variables: tuple[LoopVariable, ...] = Field(default=(), title="Loop variables")

    @field_validator("loop_variables")
    @classmethod
    def _labels_differ(cls, variables: tuple[LoopVariable, ...]) -> tuple[LoopVariable, ...]:
        repeated = first_repeated(variable.label for variable in variables)
        if repeated is not None:
            raise ValueError(f'two loop variables are named "{repeated}"; give each a name of its own')
        return variables


class Loop(Node[Config, dict[str, Value]]):
    type = "loop"
    title = "Loop"
    is_container = True

    async def run(self, ctx: Context) -> dict[str, Value]:
        count = self.config.loop_count
        account = Account(ctx, "loop", self.label, {"loop_count": count}, count)
        rounds = 0
        history: dict[str, Any] = {}
        try:
            self._begin(ctx)
            reason = "loop_break" if self._holds_already(ctx) else "loop_completed"
            while reason == "loop_completed" and rounds < count:
                if rounds:
                    account.advance(rounds, self._values(ctx))
                result = await account.round(rounds, ctx.pool)
                rounds += 1
                history[str(rounds - 1)] = plain(self._values(ctx))
                if result.error is not None:
                    raise failure_of(result)
                if result.has_ended or self._holds(ctx):
                    reason = "loop_break"
        except (NodeFailed, asyncio.CancelledError) as ending:
            is_failure = isinstance(ending, NodeFailed)
            account.finish(
                "failed" if is_failure else "stopped",
                self._outputs(ctx, rounds),
                error=str(ending) if is_failure else "Stopped.",
                loop_variable_map=history,
                completed_reason="error",
            )
            raise
        outputs = self._outputs(ctx, rounds)
        account.finish("succeeded", outputs, loop_variable_map=history, completed_reason=reason)
        return outputs

    def _begin(self, ctx: Context) -> None:
        """Give the loop variables their first values; none sees another."""
        values = [_first_value(variable, ctx) for variable in self.config.loop_variables]
        ctx.pool.put(self.id, {})
        for variable, value in zip(self.config.loop_variables, values, strict=True):
            ctx.pool.declare((self.id, variable.label), variable.var_type, value)

    def _holds_already(self, ctx: Context) -> bool:
        """Whether to stop before the first round; what cannot be told yet does not hold."""
        try:
            return self._holds(ctx)
        except NodeFailed:
            return False

    def _holds(self, ctx: Context) -> bool:
        if not self.config.break_conditions:
            return False
        return evaluate(self.config.break_conditions, self.config.logical_operator, ctx)[0]

    def _values(self, ctx: Context) -> dict[str, Value]:
        held = ctx.pool.outputs_of(self.id)
        return {item.label: held.get(item.label) for item in self.config.loop_variables}

    def _outputs(self, ctx: Context, rounds: int) -> dict[str, Value]:
        return {**self._values(ctx), "loop_round": rounds}

    def reads(self) -> tuple[Selector, ...]:
        texts = [item.value for item in self.config.break_conditions if isinstance(item.value, str)]
        return present(
            *(variable.source for variable in self.config.loop_variables),
            *(item.variable_selector for item in self.config.break_conditions),
            *(selector for text in texts for selector in selectors(text)),
        )

    def child_start(self) -> str | None:
        return self.config.start_node_id or None


def _first_value(variable: LoopVariable, ctx: Context) -> Value:
    name, kind = variable.label, variable.var_type
    value = ctx.value(variable.source) if variable.value_type == "variable" else _constant(variable)
    try:
        return coerce(value, kind)
    except ValueMismatch as error:
        raise _refused(f'The loop variable "{name}" cannot begin: {error}') from error


def _constant(variable: LoopVariable) -> Value:
    """A literal as the variable's type has it: forms hold numbers, lists and objects as text."""
    value, kind = variable.value, variable.var_type
    if value is None:
        return zero_of(kind)
    if not isinstance(value, str) or kind in (ValueType.STRING, ValueType.SECRET, ValueType.ANY):
        return value
    text = value.strip()
    if not text:
        return zero_of(kind)
    try:
        found: Value = json.loads(text.lower() if kind is ValueType.BOOLEAN else text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _refused(
            f'The loop variable "{variable.label}" is declared as {kind.value}, but "{text[:100]}" is none.'
        ) from error
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _refused(sentence: str) -> NodeFailed:
    return NodeFailed(sentence, error_type="LoopNodeError", is_retryable=False)


class LoopStart(Node[Settings, dict[str, Any]]):
    """Where a round begins. It does nothing itself."""

    type = "loop-start"
    title = "Loop start"
    is_inline = True
    is_silent = True

    async def run(self, ctx: Context) -> dict[str, Any]:
        del ctx
        return {}


class LoopEnd(Node[Settings, dict[str, Any]]):
    """Ends the loop after the current round."""

    type = "loop-end"
    title = "Exit loop"
    is_inline = True

    async def run(self, ctx: Context) -> dict[str, Any]:
        ctx.end_container()
        return {}

    def handles(self) -> tuple[str, ...]:
        return ()
