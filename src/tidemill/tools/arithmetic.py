"""Arithmetic written as text, evaluated without `eval`: numbers, operators, a fixed set of functions.

The text is parsed by Python's own parser and the tree is walked; every operation is bounded before it is done,
so that no expression can take long or fill the memory.
"""

from __future__ import annotations

import ast
import math
import operator
import statistics
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, cast

Number: TypeAlias = int | float | complex

MAX_CHARS: Final = 2_000
MAX_DEPTH: Final = 60
MAX_BITS: Final = 20_000  # of an integer result: about 6,000 digits
MAX_ITEMS: Final = 10_000
MAX_FACTORIAL: Final = 1_500


class ExpressionInvalid(Exception):
    """The expression cannot be read, or goes over a limit. One sentence."""


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(base, int) and isinstance(exponent, int) and exponent > 0:
        if base.bit_length() * exponent > MAX_BITS:
            raise ExpressionInvalid("The power is too large to be computed exactly. Write the base as a decimal.")
        return base**exponent
    return base**exponent


def _shift(left: Any, right: Any) -> Any:
    if not 0 <= right <= MAX_BITS:
        raise ExpressionInvalid("The shift is too large.")
    return left << right


def _factorial(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or not 0 <= value <= MAX_FACTORIAL:
        raise ExpressionInvalid(f"factorial takes a whole number from 0 to {MAX_FACTORIAL}.")
    return math.factorial(value)


def _of_two(function: Callable[[int, int], int], limit: int) -> Callable[[Any, Any], int]:
    def call(left: Any, right: Any) -> int:
        if abs(left) > limit or abs(right) > limit:
            raise ExpressionInvalid(f"Numbers here may be at most {limit}.")
        return function(left, right)

    return call


_BINARY: Final[Mapping[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
    ast.LShift: _shift,
    ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}
_UNARY: Final[Mapping[type[ast.unaryop], Callable[[Any], Any]]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Invert: operator.invert,
    ast.Not: operator.not_,
}
_COMPARE: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_CONSTANTS: Final[Mapping[str, Any]] = {
    "pi": math.pi,
    "e": math.e,
    "tau": math.tau,
    "inf": math.inf,
    "nan": math.nan,
    "True": True,
    "False": False,
}
_MATH_TEXT: Final = (
    "acos acosh asin asinh atan atan2 atanh ceil copysign cos cosh degrees erf erfc exp expm1 fabs floor "
    "fmod gamma hypot isfinite isinf isnan lgamma log log10 log1p log2 radians remainder sin sinh sqrt tan "
    "tanh trunc"
)
_MATH_NAMES: Final = tuple(_MATH_TEXT.split())


def _sum(*values: Any) -> Any:
    return math.fsum(values) if any(isinstance(value, float) for value in values) else sum(values)


def _mean(*values: Any) -> Any:
    return statistics.fmean(values)


def _median(*values: Any) -> Any:
    return statistics.median(values)


def _cube_root(value: Any) -> float:
    return math.copysign(abs(value) ** (1 / 3), value)


def _where(condition: Any, yes: Any, no: Any) -> Any:
    return yes if condition else no


_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    **{name: cast("Callable[..., Any]", getattr(math, name)) for name in _MATH_NAMES},
    "abs": abs,
    "round": round,
    "min": min,
    "max": max,
    "sum": _sum,
    "mean": _mean,
    "median": _median,
    "int": int,
    "float": float,
    "pow": _power,
    "factorial": _factorial,
    "gcd": math.gcd,
    "lcm": _of_two(math.lcm, 10**18),
    "comb": _of_two(math.comb, 1_000),
    "perm": _of_two(math.perm, 1_000),
    "cbrt": _cube_root,
    "ln": math.log,
    "arcsin": math.asin,
    "arccos": math.acos,
    "arctan": math.atan,
    "arctan2": math.atan2,
    "where": _where,
}


def evaluate(expression: str) -> Any:
    """The value of an expression: a number, a truth value, or a list of them.

    Raises:
        ExpressionInvalid: It is no arithmetic, divides by zero, or goes over a limit.
    """
    source = expression.strip().replace("×", "*").replace("÷", "/").replace("−", "-").replace("^", "**")
    if not source or len(source) > MAX_CHARS:
        raise ExpressionInvalid(f"An expression has 1 to {MAX_CHARS} characters, this one {len(source)}.")
    try:
        tree = ast.parse(source, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionInvalid(f"{expression[:80]!r} is not an arithmetic expression.") from error
    try:
        return _value(tree.body, 0)
    except ZeroDivisionError as error:
        raise ExpressionInvalid("The expression divides by zero.") from error
    except (ValueError, OverflowError, TypeError, statistics.StatisticsError) as error:
        raise ExpressionInvalid(f"The expression cannot be computed: {error}.") from error


def _value(node: ast.expr, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise ExpressionInvalid(f"The expression is nested deeper than {MAX_DEPTH} levels.")
    match node:
        case ast.Constant(value=value) if isinstance(value, (int, float)):
            return _bounded(value)
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _BINARY:
            return _bounded(_BINARY[type(sign)](_number(left, depth), _number(right, depth)))
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in _UNARY:
            return _UNARY[type(sign)](_number(operand, depth))
        case ast.BoolOp(op=sign, values=values):
            results = [_value(value, depth + 1) for value in values]
            return all(results) if isinstance(sign, ast.And) else any(results)
        case ast.Compare(left=left, ops=signs, comparators=rights):
            return _compare(left, signs, rights, depth)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return _value(body if _value(test, depth + 1) else orelse, depth + 1)
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item, depth + 1) for item in items[:MAX_ITEMS]]
        case ast.Call():
            return _call(node, depth)
        case _:
            raise ExpressionInvalid(f"`{ast.unparse(node)[:60]}` is not allowed in an arithmetic expression.")


def _number(node: ast.expr, depth: int) -> Any:
    value = _value(node, depth + 1)
    if isinstance(value, list):
        raise ExpressionInvalid("A list can only be given to a function such as sum or max.")
    return value


def _bounded(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise ExpressionInvalid("The number has too many digits.")
    return value


def _compare(left: ast.expr, signs: list[ast.cmpop], rights: list[ast.expr], depth: int) -> bool:
    value = _number(left, depth)
    for sign, right in zip(signs, rights, strict=True):
        if type(sign) not in _COMPARE:
            raise ExpressionInvalid("Only ==, !=, <, <=, > and >= compare numbers.")
        other = _number(right, depth)
        if not _COMPARE[type(sign)](value, other):
            return False
        value = other
    return True


def _call(node: ast.Call, depth: int) -> Any:
    function = node.func
    # `math.sqrt(2)` and `np.sqrt(2)` are what models write out of habit.
    name = function.attr if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) else ""
    if isinstance(function, ast.Name):
        name = function.id
    if name not in _FUNCTIONS or node.keywords:
        raise ExpressionInvalid(f"There is no function `{ast.unparse(function)[:40]}` here.")
    values: list[Any] = []
    for argument in node.args:
        value = _value(argument, depth + 1)
        values.extend(cast("list[Any]", value) if isinstance(value, list) else [value])
    return _bounded(_FUNCTIONS[name](*values))
