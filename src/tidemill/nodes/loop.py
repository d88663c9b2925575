"""Loop: runs its children again and again until a condition holds or the count is reached."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from tidemill.engine.node import Context, Node
from tidemill.engine.templates import selectors
from tidemill.engine.values import Selector, ValueType
from tidemill.nodes._conditions import Condition, Logic
from tidemill.nodes._shapes import Settings, Shape, first_repeated, present
from tidemill.nodes._unavailable import Unavailable

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


class Loop(Unavailable, Node[Config, dict[str, Any]]):
    type = "loop"
    title = "Loop"
    is_container = True

    def reads(self) -> tuple[Selector, ...]:
        texts = [item.value for item in self.config.break_conditions if isinstance(item.value, str)]
        return present(
            *(variable.source for variable in self.config.loop_variables),
            *(item.variable_selector for item in self.config.break_conditions),
            *(selector for text in texts for selector in selectors(text)),
        )

    def child_start(self) -> str | None:
        return self.config.start_node_id or None


class LoopStart(Node[Settings, dict[str, Any]]):
    """Where a round begins. It does nothing itself."""

    type = "loop-start"
    title = "Loop start"
    is_inline = True

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
