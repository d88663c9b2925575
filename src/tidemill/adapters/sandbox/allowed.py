"""Which Python programs the small interpreter runs exactly as CPython does.

A list of what is allowed, not of what is refused: syntax, builtins, methods, modules and patterns that were compared
with CPython one by one and by generated programs (tests/adapters/sandbox, bench/sandbox_differential.py). Known
differences are why a form is missing: sums of floats, `round` to digits, powers, the order of sets, iterators that
are kept instead of consumed at once, patterns that match nothing or look at a line's end, and error messages.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from tidemill.adapters.sandbox.allowed_patterns import (
    is_plain_pattern,
    is_plain_replacement,
    is_plain_spec,
    is_plain_template,
)

MAX_CHARS: Final = 50_000

# Characters on which both agree about case, class and white space. Any other makes the program a full one.
_TAME: Final = re.compile(
    r"[\t\n\r\x20-\x7e¥°·×àáâäåæçèéêëìíîïñòóôöøùúûüÀÁÂÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÖØÙÚÛÜ–—‘’“”…℃、。〈-】〜ぁ-ゖァ-ヺー一-鿿가-힣！-／：-？"
    r"［-｀｛-～￥✅❌⭐🌀-🙏🚀-🛅🤀-🧿]*"
)
_HALF_PAIR: Final = re.compile(r"\\u[dD][89a-fA-F]")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BUILTINS: Final = _words("""
    len str int float bool list dict tuple range enumerate zip sorted reversed min max abs any all isinstance map filter
    ord chr divmod repr hex bin oct print sum set round
""")
_ERRORS: Final = _words("""
    Exception ValueError TypeError KeyError IndexError LookupError ZeroDivisionError ArithmeticError AttributeError
    NameError
""")
_TYPES: Final = _words("str int float bool list dict tuple object set")
_TYPING: Final = _words("Any Dict List Optional Tuple Union")
_METHODS: Final = _words("""
    strip lstrip rstrip split rsplit splitlines join replace lower upper startswith endswith find rfind index count
    isdigit isalpha isalnum isspace isupper islower zfill ljust rjust center partition rpartition removeprefix
    removesuffix capitalize title append extend insert pop remove sort reverse copy clear get keys values items
    update setdefault group groups start end span encode decode format
""")
_FLAGS: Final = frozenset({"I", "IGNORECASE", "M", "MULTILINE", "S", "DOTALL"})
_PATTERN_CALLS: Final = frozenset({"findall", "search", "match", "fullmatch", "sub", "split"})
_MODULES: Final[Mapping[str, frozenset[str]]] = {
    "json": frozenset({"loads", "dumps", "JSONDecodeError"}),
    "re": _PATTERN_CALLS | _FLAGS,
    "math": frozenset({"floor", "ceil", "sqrt", "trunc", "gcd", "pi"}),
    "base64": frozenset({"b64encode", "b64decode"}),
    "typing": _TYPING,
}
_ALL_BUILTINS: Final = frozenset(dir(builtins))
_LAZY: Final = frozenset({"map", "filter", "zip", "enumerate", "reversed"})
_CONSUMERS: Final = _LAZY | {"list", "tuple", "dict", "sorted", "min", "max", "any", "all", "sum", "set", "len"}


class _Refused(Exception):
    """The program uses something that is not on the list."""


@lru_cache(maxsize=512)
def is_same_everywhere(code: str) -> bool:
    """Whether every construct of the program is on the list. Never raises, never runs anything."""
    if len(code) > MAX_CHARS or "\0" in code:
        return False
    try:
        _Checker().check(ast.parse(code))
    except (_Refused, SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def are_tame(inputs: Any) -> bool:
    """Whether all texts of some JSON data are made of characters on which both agree."""
    if isinstance(inputs, str):
        return is_tame_text(inputs)
    if isinstance(inputs, dict):
        return all(is_tame_text(str(key)) and are_tame(value) for key, value in inputs.items())
    if isinstance(inputs, list):
        return all(map(are_tame, inputs))
    return True


def is_tame_text(text: str) -> bool:
    return _TAME.fullmatch(text) is not None and _HALF_PAIR.search(text) is None


class _Checker:
    def __init__(self) -> None:
        self._modules: set[str] = set()
        self._imported: dict[str, tuple[str, str]] = {}
        self._bound: set[str] = set()
        self._consumed: set[ast.AST] = set()

    def check(self, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self._bind(node.id)
            elif isinstance(node, (ast.FunctionDef, ast.arg)):
                self._bind(node.name if isinstance(node, ast.FunctionDef) else node.arg)
        if "main" not in self._bound:
            raise _Refused
        self._visit_all(tree.body)

    def _bind(self, name: str) -> None:
        # A program that gives a builtin's or a module's name to something else would make the list say nothing.
        if name in _BUILTINS | _ERRORS | set(_MODULES) or name.startswith("__"):
            raise _Refused
        self._bound.add(name)

    def _visit_all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self._visit(node)

    def _visit(self, node: ast.AST) -> None:
        if type(node) in _PLAIN:
            self._visit_all(ast.iter_child_nodes(node))
            return
        special = _SPECIAL.get(type(node))
        if special is None:
            raise _Refused
        special(self, node)

    # ------------------------------------------------------------ statements

    def _function(self, node: ast.FunctionDef) -> None:
        if node.decorator_list:
            raise _Refused
        self._annotation(node.returns)
        self._visit(node.args)
        self._visit_all(node.body)

    def _argument(self, node: ast.arg) -> None:
        self._annotation(node.annotation)

    def _annotation(self, node: ast.expr | None) -> None:
        """Type names only: CPython does not evaluate annotations before they are asked for, others do."""
        if node is None or (isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, str))):
            return
        if isinstance(node, ast.Name) and (node.id in _TYPES or self._is_typing(node.id)):
            return
        if isinstance(node, ast.Subscript):
            inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            for part in (node.value, *inner):
                self._annotation(part)
            return
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            self._annotation(node.left)
            self._annotation(node.right)
            return
        raise _Refused

    def _is_typing(self, name: str) -> bool:
        return self._imported.get(name, ("", ""))[0] == "typing"

    def _annotated(self, node: ast.AnnAssign) -> None:
        if not isinstance(node.target, ast.Name):
            raise _Refused
        self._annotation(node.annotation)
        self._visit_all([node.value])

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name not in _MODULES or alias.asname:
                raise _Refused
            self._modules.add(alias.name)

    def _import_from(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if node.level or alias.asname or alias.name not in _MODULES.get(node.module or "", ()):
                raise _Refused
            if alias.name in self._bound:
                raise _Refused
            self._imported[alias.name] = (node.module or "", alias.name)

    def _for(self, node: ast.For) -> None:
        self._consume(node.iter)
        self._visit_all([node.target, node.iter, *node.body, *node.orelse])

    def _try(self, node: ast.Try) -> None:
        for handler in node.handlers:
            # The text of an error is not the same everywhere: one that is looked at is a full program's.
            if handler.name is not None and handler.name in _loaded(handler):
                raise _Refused
            self._visit_all([handler.type, *handler.body])
        self._visit_all([*node.body, *node.orelse, *node.finalbody])

    def _raise(self, node: ast.Raise) -> None:
        if node.cause is not None or node.exc is None:
            raise _Refused
        self._visit(node.exc)

    # ------------------------------------------------------------ expressions

    def _constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, str):
            if not is_tame_text(value):
                raise _Refused
        elif isinstance(value, (bytes, complex)) or value is ...:
            raise _Refused

    def _name(self, node: ast.Name) -> None:
        name = node.id
        if name in self._bound:
            return
        if name in self._imported:
            module, name = self._imported[name]
            if module in ("typing", "re"):
                raise _Refused
            return
        if name not in _BUILTINS | _ERRORS or name in ("round", "sum", "set", *_LAZY):
            raise _Refused

    def _dict(self, node: ast.Dict) -> None:
        for key in node.keys:
            if isinstance(key, ast.Constant) and isinstance(key.value, (bool, float)):
                raise _Refused  # equal keys of other types: which one stays differs
        self._visit_all([*node.keys, *node.values])

    def _binary(self, node: ast.BinOp) -> None:
        if isinstance(node.op, (ast.Pow, ast.MatMult, ast.LShift)):
            raise _Refused
        if isinstance(node.op, ast.Mod) and isinstance(node.left, (ast.Constant, ast.JoinedStr)):
            template = node.left.value if isinstance(node.left, ast.Constant) else None
            if isinstance(template, str) and re.sub(r"%[sd%]", "", template).count("%"):
                raise _Refused
            if template is None:
                raise _Refused
        self._visit_all([node.left, node.right])

    def _augmented(self, node: ast.AugAssign) -> None:
        if isinstance(node.op, (ast.Pow, ast.MatMult, ast.LShift)):
            raise _Refused
        self._visit_all([node.target, node.value])

    def _compare(self, node: ast.Compare) -> None:
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, (ast.Is, ast.IsNot)) and not _is_singleton(right):
                raise _Refused
            if isinstance(right, ast.Set) and isinstance(operator, (ast.In, ast.NotIn)):
                self._visit_all(right.elts)
            else:
                self._visit(right)
        self._visit(node.left)

    def _comprehension(self, node: ast.comprehension) -> None:
        if node.is_async:
            raise _Refused
        self._consume(node.iter)
        self._visit_all([node.target, node.iter, *node.ifs])

    def _generator(self, node: ast.GeneratorExp) -> None:
        if node not in self._consumed:
            raise _Refused
        self._visit_all([node.elt, *node.generators])

    def _formatted(self, node: ast.FormattedValue) -> None:
        if node.format_spec is not None:
            parts = node.format_spec.values if isinstance(node.format_spec, ast.JoinedStr) else []
            if not all(isinstance(part, ast.Constant) and is_plain_spec(str(part.value)) for part in parts):
                raise _Refused
        if node.conversion not in (-1, ord("s"), ord("r")):
            raise _Refused
        self._visit(node.value)

    def _attribute(self, node: ast.Attribute) -> None:
        """A module's name; methods are only called, see `_call`."""
        if not self._is_module_name(node) or node.attr in _PATTERN_CALLS:
            raise _Refused

    def _is_module_name(self, node: ast.expr) -> bool:
        return (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in self._modules
            and node.attr in _MODULES[node.value.id]
        )

    # ------------------------------------------------------------ calls

    def _call(self, node: ast.Call) -> None:
        function = node.func
        if isinstance(function, ast.Name):
            self._call_name(function, node)
        elif self._is_module_name(function):
            assert isinstance(function, ast.Attribute)  # noqa: S101 - just asked
            self._call_module(function, node)
        elif isinstance(function, ast.Attribute):
            self._call_method(function, node)
        else:
            self._visit(function)
        self._visit_all([*node.args, *(keyword.value for keyword in node.keywords)])

    def _call_name(self, function: ast.Name, node: ast.Call) -> None:
        name = function.id
        if name in self._bound:
            # Bound in one function, it can still be the builtin in another.
            if name in _ALL_BUILTINS:
                raise _Refused
            return
        if name in self._imported:
            self._call_imported(name, node)
            return
        if name not in _BUILTINS | _ERRORS:
            raise _Refused
        if name in _LAZY and node not in self._consumed:
            raise _Refused
        if name == "round" and (len(node.args) != 1 or node.keywords):
            raise _Refused
        if name == "set" and node not in self._consumed:
            raise _Refused
        if name == "sum" and not _counts(node):
            raise _Refused
        if name in _CONSUMERS:
            # What a set is poured into shows its order, unless it is sorted or counted.
            for argument in node.args:
                if not _is_set(argument) or name in ("sorted", "len"):
                    self._consume(argument)

    def _call_imported(self, name: str, node: ast.Call) -> None:
        module, original = self._imported[name]
        call = ast.Attribute(value=ast.Name(id=module, ctx=ast.Load()), attr=original, ctx=ast.Load())
        self._call_module(call, node)

    def _call_module(self, function: ast.Attribute, node: ast.Call) -> None:
        assert isinstance(function.value, ast.Name)  # noqa: S101 - a module's name
        if function.value.id == "re":
            self._call_pattern(function.attr, node)
        elif function.value.id == "json" and function.attr == "loads":
            if len(node.args) != 1 or node.keywords:
                raise _Refused
        elif function.attr == "dumps":
            named = {keyword.arg for keyword in node.keywords}
            if len(node.args) != 1 or not named <= {"ensure_ascii", "indent", "sort_keys"}:
                raise _Refused
        elif node.keywords:
            raise _Refused

    def _call_pattern(self, name: str, node: ast.Call) -> None:
        if name not in _PATTERN_CALLS or not node.args or not isinstance(node.args[0], ast.Constant):
            raise _Refused
        pattern = node.args[0].value
        if not isinstance(pattern, str) or not is_plain_pattern(pattern):
            raise _Refused
        if name == "sub":
            replacement = node.args[1] if len(node.args) > 1 else None
            if not isinstance(replacement, ast.Constant) or not is_plain_replacement(replacement.value, pattern):
                raise _Refused
        # The third is the flags, but for two functions that limit their work by it.
        most = 2 if name == "split" else 3
        if len(node.args) > most or any(keyword.arg != "flags" for keyword in node.keywords):
            raise _Refused

    def _call_method(self, function: ast.Attribute, node: ast.Call) -> None:
        if function.attr not in _METHODS or any(keyword.arg is None for keyword in node.keywords):
            raise _Refused
        if function.attr == "format" and not (
            isinstance(function.value, ast.Constant) and is_plain_template(function.value.value)
        ):
            raise _Refused
        if function.attr in ("encode", "decode") and not _names_utf8(node):
            raise _Refused
        if function.attr in ("join", "extend") and len(node.args) == 1 and not _is_set(node.args[0]):
            self._consume(node.args[0])
        self._visit(function.value)

    def _consume(self, node: ast.expr) -> None:
        """Its elements are taken at once and it is not seen again, so being lazy makes no difference."""
        self._consumed.add(node)


def _is_set(node: ast.expr) -> bool:
    return isinstance(node, (ast.Set, ast.SetComp)) or (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "set"
    )


def _is_singleton(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool))


def _names_utf8(node: ast.Call) -> bool:
    if node.keywords or len(node.args) > 1:
        return False
    return all(isinstance(name, ast.Constant) and name.value in ("utf-8", "utf8", "UTF-8") for name in node.args)


def _loaded(handler: ast.ExceptHandler) -> set[str]:
    return {node.id for statement in handler.body for node in ast.walk(statement) if isinstance(node, ast.Name)}


def _counts(node: ast.Call) -> bool:
    """`sum` over a generator of ones or lengths: integers for certain."""
    if len(node.args) != 1 or node.keywords or not isinstance(node.args[0], (ast.GeneratorExp, ast.ListComp)):
        return False
    element = node.args[0].elt
    if isinstance(element, ast.Call) and isinstance(element.func, ast.Name):
        return element.func.id == "len"
    return isinstance(element, ast.Constant) and type(element.value) is int


# Everything below these is looked at; they themselves are the same everywhere.
_PLAIN: Final = frozenset({
    ast.Module, ast.Return, ast.Assign, ast.While, ast.If, ast.Expr, ast.Pass, ast.Break, ast.Continue, ast.arguments,
    ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd, ast.Invert, ast.Lambda, ast.IfExp, ast.List,
    ast.Tuple, ast.ListComp, ast.DictComp, ast.JoinedStr, ast.Subscript, ast.Slice, ast.Starred, ast.Load, ast.Store,
    ast.Nonlocal, ast.Global,
})  # fmt: skip
_SPECIAL: Final[Mapping[type[ast.AST], Callable[[_Checker, Any], None]]] = {
    ast.FunctionDef: _Checker._function,
    ast.arg: _Checker._argument,
    ast.AnnAssign: _Checker._annotated,
    ast.Import: _Checker._import,
    ast.ImportFrom: _Checker._import_from,
    ast.For: _Checker._for,
    ast.Try: _Checker._try,
    ast.Raise: _Checker._raise,
    ast.Constant: _Checker._constant,
    ast.Name: _Checker._name,
    ast.Dict: _Checker._dict,
    ast.BinOp: _Checker._binary,
    ast.AugAssign: _Checker._augmented,
    ast.Compare: _Checker._compare,
    ast.comprehension: _Checker._comprehension,
    ast.GeneratorExp: _Checker._generator,
    ast.FormattedValue: _Checker._formatted,
    ast.Attribute: _Checker._attribute,
    ast.Call: _Checker._call,
}
