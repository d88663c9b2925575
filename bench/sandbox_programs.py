"""Programs as code nodes have them, made up from a seed: text, lists, dicts, JSON, patterns, numbers, exceptions.

Every program is whole (`def main(...)`), ends by itself, and returns a dict of everything it computed.
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

WORDS = (
    "alpha",
    "Beta",
    "gamma delta",
    "3.5",
    "42",
    "-7",
    "",
    "  padded ",
    "a,b,,c",
    "你好，世界",
    "x=1; y=22",
    "été",
    "Line one\nline two\n\nline four",
    '{"a": [1, 2.5, null], "b": {"c": "d"}}',
    "[1, 2, 3]",
    "not json",
    "%d",
    "{x}",
    "2024-05-06",
    "https://example.com/a?b=1&c=2",
    "mixed Case-Text_here",
    "tab\tseparated\tcells",
    "😀 ok",
    "```json\n{}\n```",
)
PATTERNS = (
    r"\d+",
    r"[a-z]+",
    r"(\d+)-(\d+)",
    r"\s+",
    r"[,;]\s*",
    r"[A-Za-z]+",
    r"=(\d+)",
    r"[一-鿿]+",
    r"a|b",
    r"https?://[^\s?]+",
    r"\{.*\}",
    r"```json\s*(.*?)```",
    r"[^a-z ]",
    r"\w+",
    r"x*",
    r"^\w",
    r"b$",
    r"(a)|(b)",
)
SPECS = ("", ":>8", ":<6", ":^7", ":.2f", ":,", ":05d", ":.1%", ":3d", ":,.2f", "!r")
_JOINERS = ("', '", "''", r"'\n'")
_REPLACEMENTS = ("'_'", "''", r"r'<\1>'")
ERRORS = (
    "ValueError",
    "KeyError",
    "IndexError",
    "TypeError",
    "ZeroDivisionError",
    "Exception",
    "(KeyError, TypeError)",
)


class Program(NamedTuple):
    code: str
    inputs: dict[str, Any]


class _Writer:
    """Writes one program; `names` are the variables known so far, by kind."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.names: dict[str, list[str]] = {kind: [] for kind in ("text", "number", "texts", "numbers", "record")}
        self.lines: list[str] = []
        self.count = 0

    def pick(self, *options: str) -> str:
        return self.random.choice(options)

    def value(self, kind: str, depth: int = 2) -> str:
        known = self.names[kind]
        if known and self.random.random() < 0.45:
            return self.random.choice(known)
        if depth <= 0:
            return self._literal(kind)
        return {
            "text": self._text,
            "number": self._number,
            "texts": self._texts,
            "numbers": self._numbers,
            "record": self._record,
        }[kind](depth - 1)

    def _literal(self, kind: str) -> str:
        numbers = self.random.sample((0, 1, 2, 3, -4, 10, 7.5, -0.25, 100, 12345678901), 3)
        words = self.random.sample(WORDS, 3)
        match kind:
            case "text":
                return repr(words[0])
            case "number":
                return repr(numbers[0])
            case "texts":
                return repr(words)
            case "numbers":
                return repr(numbers)
            case _:
                return repr({"name": words[0], "n": numbers[0], "tags": words[1:], "inner": {"k": numbers[1]}})

    def _text(self, depth: int) -> str:
        text, number, texts = self.value("text", depth), self.value("number", depth), self.value("texts", depth)
        record = self.value("record", depth)
        start, stop = self.random.randint(-4, 4), self.random.randint(-4, 8)
        return self.pick(
            f"{text}.{self.pick('upper', 'lower', 'strip', 'lstrip', 'rstrip', 'title', 'capitalize')}()",
            f"{text}.replace({self._literal('text')}, {self.pick('repr(1)', repr('-'), repr(''))})",
            f"({text} + {self.value('text', depth)})",
            f"{text}[{start}:{stop}]",
            f"{text}[::-1]",
            f"({text} * {self.random.randint(0, 3)})",
            f"{self.pick(*_JOINERS)}.join({texts})",
            f"str({self.pick(number, text, texts, record)})",
            f"repr({self.pick(text, number)})",
            f"f{self._quoted(text, number)}",
            f"json.dumps({self.pick(record, texts, number, text)})",
            f"json.dumps({record}, ensure_ascii=False, indent={self.pick('2', '4', 'None')})",
            f"json.dumps({record}, sort_keys=True)",
            f"{text}.zfill({self.random.randint(0, 9)})",
            f"{text}.{self.pick('ljust', 'rjust', 'center')}({self.random.randint(0, 14)}, '*')",
            f"{text}.partition({self.pick(repr(','), repr(' '), repr('='))})[{self.random.randint(0, 2)}]",
            f"re.sub({self._pattern()}, {self.pick(*_REPLACEMENTS)}, {text})",
            f"{record}.get({self.pick(repr('name'), repr('nope'))}, {'none'!r})",
            f"({text} if {self._truth(depth)} else {self.value('text', depth)})",
            f"{'{} and {:>5}'!r}.format({text}, {number})",
            f"({'%s: %s'!r} % ({text}, {number}))",
            f"base64.b64encode({text}.encode('utf-8')).decode('utf-8')",
        )

    def _quoted(self, text: str, number: str) -> str:
        inside = [name for name in (*self.names["text"], *self.names["number"])] or ["1"]
        parts = [f"{{{self.random.choice(inside)}{self.pick(*SPECS)}}}" for _ in range(self.random.randint(1, 3))]
        del text, number
        return '"' + self.pick(" ", "-", ": ", "，").join(parts) + '"'

    def _number(self, depth: int) -> str:
        number, text, numbers = self.value("number", depth), self.value("text", depth), self.value("numbers", depth)
        texts, record = self.value("texts", depth), self.value("record", depth)
        return self.pick(
            f"({number} {self.pick('+', '-', '*')} {self.value('number', depth)})",
            f"({number} {self.pick('//', '%', '/')} {self.value('number', depth)})",
            f"len({self.pick(text, texts, numbers, record)})",
            f"int({self.pick(number, text)})",
            f"float({number})",
            f"round({number})",
            f"round({number}, {self.random.randint(0, 3)})",
            f"abs({number})",
            f"-{number}",
            f"{self.pick('max', 'min')}({numbers})",
            f"max({number}, {self.value('number', depth)})",
            f"sum(len(x) for x in {texts})",
            f"sum(1 for x in {numbers} if x > {self.random.randint(-2, 9)})",
            f"{text}.{self.pick('count', 'find', 'rfind')}({self.pick(repr('a'), repr(' '), repr(','))})",
            f"{numbers}[{self.random.randint(-4, 4)}]",
            f"math.floor({number})",
            f"math.ceil({number})",
            f"int({self._truth(depth)})",
            f"{record}[{self.pick(repr('n'), repr('missing'))}]",
            f"({number} if {self._truth(depth)} else {self.value('number', depth)})",
            f"ord({text}[0])",
            f"({self.random.randint(2, 9)} ** {self.random.randint(0, 5)})",
            f"({self.random.randint(0, 99)} {self.pick('&', '|', '^', '>>')} {self.random.randint(0, 9)})",
        )

    def _truth(self, depth: int) -> str:
        text, number, texts = self.value("text", depth), self.value("number", depth), self.value("texts", depth)
        return self.pick(
            f"{number} {self.pick('<', '>', '<=', '==', '!=')} {self.value('number', depth)}",
            f"{text} in {self.pick(texts, self.value('text', depth))}",
            f"not {text}",
            f"bool({texts})",
            f"{text}.{self.pick('isdigit', 'isalpha', 'isalnum', 'isspace', 'isupper', 'islower')}()",
            f"{text}.{self.pick('startswith', 'endswith')}({self.pick(repr('a'), repr(''), repr(('x', '{')))})",
            f"isinstance({self.pick(text, number)}, {self.pick('str', 'int', '(int, float)', 'list')})",
            f"{text} {self.pick('<', '>=', '==')} {self.value('text', depth)}",
            f"any(x for x in {texts})",
            f"all(len(x) < 9 for x in {texts})",
            f"{texts} == {self.value('texts', depth)}",
            f"re.search({self._pattern()}, {text}) is not None",
            f"{number} is None",
        )

    def _pattern(self) -> str:
        return "r" + repr(self.random.choice(PATTERNS)).replace("\\\\", "\\")

    def _texts(self, depth: int) -> str:
        text, texts, numbers = self.value("text", depth), self.value("texts", depth), self.value("numbers", depth)
        return self.pick(
            f"{text}.split()",
            f"{text}.split({self.pick(repr(','), repr(' '), repr('='))})",
            f"{text}.splitlines()",
            f"{text}.split(',', 1)",
            f"{text}.rsplit(' ', 1)",
            f"sorted({texts})",
            f"sorted({texts}, key=lambda s: (len(s), s), reverse={self.pick('True', 'False')})",
            f"[s.strip() for s in {texts} if s]",
            f"[str(x) for x in {numbers}]",
            f"({texts} + {self.value('texts', depth)})",
            f"{texts}[{self.random.randint(-2, 2)}:{self.random.randint(-1, 4)}]",
            f"list({text})",
            f"{texts}[::-1]",
            f"re.findall(r'[a-z]+', {text})",
            f"re.split(r'[,;] *', {text})",
            f"list(map(str, {numbers}))",
            f"list(dict.fromkeys({texts}))",
            f"[f'{{i}}:{{s}}' for i, s in enumerate({texts}, 1)]",
            f"sorted(set({texts}))",
            f"[a + b for a, b in zip({texts}, {self.value('texts', depth)})]",
            f"list({self.value('record', depth)}.keys())",
            f"[s for s in {texts} if {self.pick('len(s) > 2', 's.isdigit()', repr('a') + ' in s')}]",
        )

    def _numbers(self, depth: int) -> str:
        numbers, texts, number = self.value("numbers", depth), self.value("texts", depth), self.value("number", depth)
        return self.pick(
            f"sorted({numbers})",
            f"sorted({numbers}, reverse=True)",
            f"[x * 2 for x in {numbers}]",
            f"{numbers}[::-1]",
            f"[x for x in {numbers} if x {self.pick('>', '<', '!=')} {self.random.randint(-1, 9)}]",
            f"[len(s) for s in {texts}]",
            f"list(range({self.random.randint(-2, 3)}, {self.random.randint(0, 9)}, {self.random.randint(1, 3)}))",
            f"({numbers} + [{number}])",
            f"[x / 4 for x in {numbers}]",
            f"list(filter(None, {numbers}))",
            f"[max(a, b) for a, b in zip({numbers}, {self.value('numbers', depth)})]",
            f"{numbers}[1:]",
            f"[x for row in [{numbers}, [1, 2]] for x in row]",
            f"list(reversed({numbers}))",
            f"[divmod(x, 3)[0] for x in {numbers}]",
        )

    def _record(self, depth: int) -> str:
        text, number, texts, record = (self.value(kind, depth) for kind in ("text", "number", "texts", "record"))
        return self.pick(
            f"{{'name': {text}, 'n': {number}, 'tags': {texts}}}",
            f"{{**{record}, 'n': {number}}}",
            f"dict({record})",
            f"{{s: len(s) for s in {texts}}}",
            f"dict(zip({texts}, {self.value('numbers', depth)}))",
            f"{record}.copy()",
            f"{{k: v for k, v in {record}.items() if v}}",
            f"json.loads(json.dumps({record}))",
            f"json.loads({text})",
            f"({record} | {{'n': {number}}})",
        )

    # ------------------------------------------------------------ statements

    def assign(self, indent: str = "    ") -> None:
        kind = self.random.choice(list(self.names))
        expression = self.value(kind, 3)
        self.count += 1
        name = f"v{self.count}"
        self.lines.append(f"{indent}{name} = {expression}")
        self.names[kind].append(name)

    def statement(self) -> None:
        self.random.choice((self._guarded, self._loop, self._branch, self._counting, self._helper, self._growing))()

    def _guarded(self) -> None:
        kind = self.random.choice(("text", "number", "record"))
        self.count += 1
        name = f"v{self.count}"
        caught = self.pick(*ERRORS)
        self.lines += [
            "    try:",
            f"        {name} = {self.value(kind, 2)}",
            f"    except {caught}{self.pick('', '', ' as error')}:",
            f"        {name} = {self._literal(kind)}",
        ]
        self.names[kind].append(name)

    def _loop(self) -> None:
        self.count += 1
        name = f"v{self.count}"
        self.lines += [
            f"    {name} = []",
            f"    for index, item in enumerate({self.value('texts', 2)}):",
            f"        if {self.pick('not item', 'len(item) > 12', 'index == 3', repr('z') + ' in item')}:",
            f"            {self.pick('continue', 'break')}",
            f"        {name}.append({self.pick('item.upper()', 'item + str(index)', 'item[:3]', 'item.strip()')})",
        ]
        self.names["texts"].append(name)

    def _branch(self) -> None:
        self.count += 1
        name = f"v{self.count}"
        self.lines += [
            f"    if {self._truth(1)}:",
            f"        {name} = {self.value('number', 2)}",
            f"    elif {self._truth(1)}:",
            f"        {name} = {self.value('number', 1)}",
            "    else:",
            f"        {name} = {self._literal('number')}",
        ]
        self.names["number"].append(name)

    def _counting(self) -> None:
        self.count += 1
        name = f"v{self.count}"
        self.lines += [
            f"    {name} = {{}}",
            f"    for item in {self.pick(self.value('texts', 2), self.value('text', 2))}:",
            "        "
            + self.pick(f"{name}[item] = {name}.get(item, 0) + 1", f"{name}.setdefault(item[:1], []).append(item)"),
        ]
        self.names["record"].append(name)

    def _helper(self) -> None:
        self.count += 1
        name = f"v{self.count}"
        self.lines += [
            f"    def walk{self.count}(data, depth=0, seen=[]):",
            "        if isinstance(data, dict):",
            f"            return sum(len(x) for x in [[walk{self.count}(v, depth + 1)] for v in data.values()])",
            "        if isinstance(data, list):",
            f"            return len([walk{self.count}(x, depth + 1) for x in data])",
            "        seen.append(depth)",
            "        return len(seen)",
            f"    {name} = walk{self.count}({self.value('record', 2)})",
        ]
        self.names["number"].append(name)

    def _growing(self) -> None:
        self.count += 1
        name = f"v{self.count}"
        self.lines += [
            f"    {name} = {self.value('numbers', 1)}[:4]",
            f"    while len({name}) < {self.random.randint(3, 8)}:",
            f"        {name}."
            + self.pick(f"append(len({name}))", f"insert(0, {self.random.randint(0, 9)})", f"extend([1, len({name})])"),
            f"    {name}.{self.pick('sort()', 'reverse()', 'pop()', 'pop(0)')}",
        ]
        self.names["numbers"].append(name)


def program(seed: int) -> Program:
    """The program of a seed; the same one everywhere and always."""
    writer = _Writer(seed)
    inputs: dict[str, Any] = {
        "query": writer.random.choice(WORDS),
        "items": writer.random.sample(WORDS, 4),
        "data": {"name": writer.random.choice(WORDS), "n": writer.random.randint(-3, 30), "tags": ["a", "b"]},
        "count": writer.random.choice((0, 3, 2.5, -1)),
    }
    for name, kind in (("query", "text"), ("items", "texts"), ("data", "record"), ("count", "number")):
        writer.names[kind].append(name)
    for _ in range(writer.random.randint(1, 3)):
        writer.assign()
    for _ in range(writer.random.randint(0, 2)):
        writer.statement()
    names = sorted({name for known in writer.names.values() for name in known})
    body = "\n".join(writer.lines)
    result = ", ".join(f"{name!r}: {name}" for name in names)
    head = "import base64\nimport json\nimport math\nimport re\n\n\n"
    head += "def main(query: str, items: list, data: dict, count) -> dict:"
    return Program(f"{head}\n{body}\n    return {{{result}}}\n", inputs)
