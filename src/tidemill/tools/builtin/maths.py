"""Maths: a calculator."""

from __future__ import annotations

from collections.abc import AsyncIterator

from tidemill.ports import ToolCall, ToolFailed, ToolMessage
from tidemill.tools.arithmetic import ExpressionInvalid, evaluate
from tidemill.tools.provider import Arguments, Provider, asked, text

PROVIDER = Provider("maths", "Maths", "A calculator.", aliases=("calculator", "math"))


@PROVIDER.tool(
    "eval_expression",
    "Evaluate expression",
    "Computes an arithmetic expression, such as 2*(3+4)/sqrt(2).",
    asked("expression", "The expression: numbers, operators + - * / // % **, functions such as sqrt, sin, log, max."),
    aliases=("calculate", "calculator", "evaluate_expression"),
)
async def eval_expression(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    expression = arguments.text("expression").strip()
    try:
        result = evaluate(expression)
        yield text(f'The result of the expression "{expression}" is {result}')
    except (ExpressionInvalid, ValueError) as error:
        # Showing an integer of more than 4,300 digits raises ValueError.
        raise ToolFailed(f"Invalid expression: {error}") from error
