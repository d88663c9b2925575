"""What the scripted model server answers: behaviour by model name, scripts, embeddings."""

# pyright: basic
from __future__ import annotations

import functools
import json
import math
import re
import zlib

_SENTENCE = (
    "the quick brown fox jumps over a lazy dog while seven bright stars drift above "
    "quiet rivers and every careful reader counts words that carry no meaning at all"
)
WORDS = _SENTENCE.split()
DIM = 384
dumps = functools.partial(json.dumps, ensure_ascii=False, separators=(",", ":"))


class Spec:
    __slots__ = (
        "bad",
        "burst",
        "cut",
        "delay",
        "echo",
        "errat",
        "fail",
        "hang",
        "json",
        "stamp",
        "status",
        "think",
        "tokens",
        "tool",
        "ttft",
        "usage",
    )

    def __init__(self) -> None:
        self.tokens = 20
        self.delay = self.ttft = 0.0
        self.burst = self.json = self.echo = self.stamp = False
        self.tool = self.status = self.fail = self.think = 0
        self.cut = self.bad = self.errat = self.hang = -1
        self.usage = True


_PART = re.compile(r"^([a-z]*)(\d*)([a-z]*)$")


@functools.lru_cache(maxsize=4096)
def spec_of(name: str) -> Spec:  # noqa: C901 - one branch for each word of the grammar
    s = Spec()
    for part in name.lower().replace("_", "-").replace(";", "-").replace(" ", "").split("-"):
        m = _PART.match(part)
        if not m:
            continue
        word, num, unit = m.groups()
        n = int(num) if num else None
        if not word and n is not None:
            if unit in ("tok", "toks", "tokens"):
                s.tokens = n
            elif unit == "ms":
                s.delay = n / 1000
        elif word == "ttft" and n is not None:
            s.ttft = n / 1000
        elif word == "burst":
            s.burst = True
        elif word in ("tool", "tools"):
            s.tool = n or 1
        elif word == "json":
            s.json = True
        elif word == "err":
            s.status = n or 500
        elif word == "fail":
            s.fail = n or 1
        elif word in ("cut", "bad", "errat", "hang"):
            setattr(s, word, 0 if n is None else n)
        elif word == "nousage":
            s.usage = False
        elif word == "think":
            s.think = n or 10
        elif word == "echo":
            s.echo = True
        elif word == "stamp":
            s.stamp = True
    return s


@functools.lru_cache(maxsize=512)
def text_of(tokens: int) -> tuple[str, ...]:
    return tuple((WORDS[i % len(WORDS)] if i == 0 else " " + WORDS[(i * 7) % len(WORDS)]) for i in range(tokens))


def pieces_of(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\s*\S{1,8}|\s+", text)) or ("",)


def instance(schema, depth: int = 0, defs=None):  # noqa: C901 - one branch for each schema keyword
    """A deterministic instance of a JSON schema (the common subset)."""
    if not isinstance(schema, dict) or depth > 8:
        return "mock"
    defs = defs or schema.get("$defs") or schema.get("definitions") or {}
    if "$ref" in schema:
        return instance(defs.get(str(schema["$ref"]).rsplit("/", 1)[-1], {}), depth + 1, defs)
    if schema.get("enum"):
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    for k in ("anyOf", "oneOf", "allOf"):
        if schema.get(k):
            return instance(schema[k][0], depth + 1, defs)
    t = schema.get("type")
    if isinstance(t, list):
        t = next((x for x in t if x != "null"), "null")
    if t == "object" or (t is None and "properties" in schema):
        return {k: instance(v, depth + 1, defs) for k, v in (schema.get("properties") or {}).items()}
    if t == "array":
        return [instance(schema.get("items", {}), depth + 1, defs) for _ in range(max(1, schema.get("minItems", 1)))]
    if t == "integer":
        return int(schema.get("minimum", 7))
    if t == "number":
        return float(schema.get("minimum", 0.5))
    if t == "boolean":
        return True
    if t == "null":
        return None
    return "mock"


def flat(content) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(p.get("text", "") for p in content if isinstance(p, dict) and isinstance(p.get("text"), str))
    return ""


_WORD = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]")


@functools.lru_cache(maxsize=200_000)
def _slot(tok: str) -> tuple[int, float]:
    h = zlib.crc32(tok.encode())
    return h % DIM, 1.0 if (h >> 16) & 1 else -1.0


@functools.lru_cache(maxsize=20_000)
def embed(text: str) -> tuple[float, ...]:
    """Feature hashing of words, word pairs, CJK characters and CJK pairs; unit length."""
    toks = _WORD.findall(text.lower())
    v = [0.0] * DIM
    prev = ""
    for t in toks:
        i, s = _slot(t)
        v[i] += s * (0.3 if len(t) == 1 else 1.0)
        if prev:
            i, s = _slot(prev + "_" + t)
            v[i] += s * 0.7
        prev = t
    n = math.sqrt(sum(x * x for x in v))
    if n == 0.0:
        i, _ = _slot(text or "\0")
        v[i] = n = 1.0
    return tuple(x / n for x in v)


class Script:
    """Rules set through `POST /_mock/script`: the first that fits decides the answer."""

    def __init__(self) -> None:
        self.rules: list[dict] = []

    def rule_for(self, model: str, messages: list[dict]) -> dict | None:
        if not self.rules:
            return None
        last = flat(messages[-1].get("content")) if messages else ""
        everything = "\n".join(flat(message.get("content")) for message in messages)
        for rule in self.rules:
            if rule.get("model", model) != model:
                continue
            text = everything if rule.get("anywhere") else last
            if re.search(rule.get("match", ""), text, re.DOTALL):
                return rule
        return None
