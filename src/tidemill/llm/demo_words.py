"""Reading prompts for the demo model: names, numbers, categories, the text that is meant."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

_WORD = re.compile(r"[a-z0-9]+")
_STOP: Final = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "about",
        "any",
        "as",
        "at",
        "be",
        "by",
        "can",
        "do",
        "does",
        "for",
        "from",
        "have",
        "how",
        "i",
        "if",
        "in",
        "is",
        "it",
        "me",
        "my",
        "of",
        "on",
        "or",
        "our",
        "please",
        "that",
        "the",
        "their",
        "this",
        "to",
        "us",
        "was",
        "we",
        "what",
        "when",
        "where",
        "which",
        "who",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
        "question",
        "questions",
        "anything",
    ]
)
_STOP_CJK: Final = frozenset("的了吗呢我你您是在有和与或请问什么怎么如何一个")
_OTHER = re.compile(r"\b(?:other|others|else|general|misc|unknown|none)\b|其他|其它|通用|闲聊", re.IGNORECASE)
_NAMES: Final = (
    re.compile(r"\b(?i:my name(?:'s| is))\s+(\w[\w'-]*(?:\s+[A-Z][\w'-]*)?)"),
    re.compile(r"\bcall me\s+([\w'-]+)", re.IGNORECASE),
    re.compile(r"\b(?:I am|I'm)\s+([A-Z][a-z]+)\b"),
    re.compile(r"(?:我叫|我的名字(?:是|叫)|叫我)\s*([\u4e00-\u9fff]{1,4}?|[A-Za-z][\w'-]*)(?=[，。！,.!\s、]|$|吧|，)"),
    re.compile(r"(?:我叫|我的名字(?:是|叫)|叫我)\s*([\u4e00-\u9fff]{2,3}|[A-Za-z][\w'-]*)"),
)


class Category(msgspec.Struct, frozen=True):
    """A class a prompt offers: its name, the id it has in JSON, what is said about it."""

    name: str
    id: str = ""
    about: str = ""


def first_number(text: str) -> float | None:
    """The first number in a text."""
    found = re.search(r"-?\d+(?:\.\d+)?", text)
    return float(found.group()) if found else None


def stated_name(texts: Sequence[str]) -> str | None:
    """The name a person gave for themselves, the latest if they gave several."""
    for text in reversed(texts):
        for pattern in _NAMES:
            found = pattern.search(text)
            if found and not found.group(1).lower().startswith("什"):
                return found.group(1)
    return None


def features(text: str) -> set[str]:
    """Words by their stems, Chinese characters and pairs of them; empty words left out."""
    lower = text.lower()
    stems = {_stem(word) for word in _WORD.findall(lower) if word not in _STOP}
    for run in re.findall(r"[\u3400-\u9fff]+", lower):
        stems.update(run[index : index + 2] for index in range(len(run) - 1))
        stems.update(character for character in run if character not in _STOP_CJK)
    return stems


def nearest(text: str, options: Sequence[str], *, default: str) -> str:
    """The option that shares most words with `text`; `default` when none shares any."""
    asked = features(text)
    scores = [_score(asked, option) for option in options]
    best = max(scores, default=0)
    return options[scores.index(best)] if best else default


def _score(asked: set[str], option: str) -> int:
    return sum(2 if len(feature) > 1 else 1 for feature in asked & features(option))


def _stem(word: str) -> str:
    return re.sub(r"(?:ing|ies|es|ed|s|y|e)$", "", word) if len(word) > 4 else word.removesuffix("s")


def categories(text: str) -> list[Category]:
    """The classes a prompt lists: as JSON, as lines of a list, or after "one of"."""
    return _from_json(text) or _from_lines(text) or _from_sentence(text)


def is_other(name: str) -> bool:
    """Whether a class is the one for everything else."""
    return _OTHER.search(name) is not None


def without_list(text: str) -> str:
    """A prompt without the lines that list classes, so that they do not vote for themselves."""
    text = re.sub(r"\[[^\[\]]*\]", "", text)
    tagged = re.search(r"(?:question|query|input_text|text|问题|输入)\W{1,4}(.+)", text, re.IGNORECASE | re.DOTALL)
    kept = tagged.group(1) if tagged else text
    lines = [line for line in kept.splitlines() if not re.match(r"\s*(?:[-*•]|\d+[.)、])\s", line)]
    return "\n".join(lines) or text


def _from_json(text: str) -> list[Category]:
    for found in re.finditer(r"\[[^\[\]]*\]", text):
        try:
            items: Any = json.loads(found.group())
        except ValueError:
            continue
        rows = [_json_category(item) for item in items]
        kept = [row for row in rows if row is not None]
        if len(kept) >= 2:
            return kept
    return []


def _json_category(item: Any) -> Category | None:
    if isinstance(item, str):
        return Category(item)
    if isinstance(item, dict):
        name = item.get("category_name") or item.get("name") or item.get("label")
        if isinstance(name, str):
            return Category(
                name, str(item.get("category_id") or item.get("id") or ""), str(item.get("description", ""))
            )
    return None


def _from_lines(text: str) -> list[Category]:
    rows: list[Category] = []
    for line in text.splitlines():
        found = re.match(
            r"\s*(?:[-*•]|\d+[.)、])\s*[`*\"“]*([^:：`*\"”—–(（]{1,40})[`*\"”]*\s*(?:[:：—–(（-]\s*(.*))?$", line
        )
        if found:
            rows.append(Category(found.group(1).strip(), about=(found.group(2) or "").strip()))
    return rows if len(rows) >= 2 else []


def _from_sentence(text: str) -> list[Category]:
    found = re.search(
        r"(?:one of|categories|classes|labels|类别|分类|之一|以下)[^:：\n]{0,30}[:：]\s*([^\n.。]+)",
        text,
        re.IGNORECASE,
    )
    if not found:
        return []
    parts = re.split(r"\s*(?:,|、|，|;|；|\||/|\bor\b|\band\b|或|和)\s*", found.group(1))
    names = [part.strip(" `\"'“”*") for part in parts]
    return [Category(name) for name in names if 0 < len(name) <= 40]


def source_text(system: str, query: str) -> str:
    """The text a prompt is about: what is in tags or quotes or after the instruction, else the query."""
    tagged = re.findall(
        r"<(?:[\w-]*text|source|input|query|article|document)[^>]*>(.+?)</", query, re.IGNORECASE | re.DOTALL
    )
    if tagged:
        return tagged[-1].strip()
    fenced = re.findall(r"(?:```|\"\"\"|---)\w*\n?(.+?)(?:```|\"\"\"|---)", query, re.DOTALL)
    if fenced:
        return fenced[-1].strip()
    after = re.match(
        r"[^\n]{0,300}?(?:translat|summar|text|content|翻译|译|总结|文本|内容|原文)[^\n:：]{0,60}[:：]\s*(.+)",
        query,
        re.IGNORECASE | re.DOTALL,
    )
    if after:
        return after.group(1).strip()
    return query.strip() or system.strip()
