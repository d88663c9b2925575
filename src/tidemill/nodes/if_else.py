"""Take the first branch whose conditions hold."""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from tidemill.engine.node import Context, Node
from tidemill.engine.values import Selector, Value
from tidemill.nodes._conditions import Condition, Logic, evaluate, selectors
from tidemill.nodes._shapes import Settings, Shape

ELSE = "false"


class Case(Shape):
    """A branch: its handle and what must hold for it."""

    case_id: str = ""
    logical_operator: Logic = "and"
    conditions: tuple[Condition, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _id_names_the_case(cls, data: object) -> object:
        if not isinstance(data, dict) or data.get("case_id"):
            return data
        return {**data, "case_id": data.get("id") or ""}


class Config(Settings):
    cases: tuple[Case, ...]

    @model_validator(mode="before")
    @classmethod
    def _flat_form(cls, data: object) -> object:
        if not isinstance(data, dict) or data.get("cases") is not None:
            return data
        case = {key: data.get(key) for key in ("logical_operator", "conditions")}
        return {**data, "cases": [{**case, "case_id": "true"}]}


class IfElse(Node[Config, dict[str, Value]]):
    type = "if-else"
    title = "IF/ELSE"
    is_inline = True
    is_branch = True

    async def run(self, ctx: Context) -> dict[str, Value]:
        trace: list[dict[str, Any]] = []
        for case in self.config.cases:
            holds, findings = evaluate(case.conditions, case.logical_operator, ctx)
            trace.append(
                {
                    "case_id": case.case_id,
                    "conditions": [finding.to_wire() for finding in findings],
                    "results": [finding.holds for finding in findings],
                    "final_result": holds,
                }
            )
            if holds:
                return self._take(ctx, case.case_id, trace)
        return self._take(ctx, ELSE, trace)

    def _take(self, ctx: Context, handle: str, trace: list[dict[str, Any]]) -> dict[str, Value]:
        conditions = [condition for case in trace for condition in case["conditions"]]
        ctx.record(inputs={"conditions": conditions}, process={"condition_results": trace})
        ctx.take(handle)
        return {"result": handle != ELSE, "selected_case_id": handle}

    def handles(self) -> tuple[str, ...]:
        return (*(case.case_id for case in self.config.cases), ELSE)

    def reads(self) -> tuple[Selector, ...]:
        return tuple(selector for case in self.config.cases for selector in selectors(case.conditions))
