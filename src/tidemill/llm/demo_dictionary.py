"""English and Chinese for the demo model: telling them apart, and a small dictionary."""

from __future__ import annotations

import re
from typing import Final

_CJK = re.compile(r"[\u3400-\u9fff]")

DICTIONARY: Final = {
    "你好": "hello",
    "您好": "hello",
    "世界": "world",
    "早上好": "good morning",
    "谢谢": "thank you",
    "再见": "goodbye",
    "今天": "today",
    "明天": "tomorrow",
    "昨天": "yesterday",
    "天气": "weather",
    "很好": "very good",
    "我们": "we",
    "他们": "they",
    "我": "I",
    "你": "you",
    "您": "you",
    "喜欢": "like",
    "爱": "love",
    "是": "is",
    "不": "not",
    "和": "and",
    "的": "of",
    "中国": "China",
    "北京": "Beijing",
    "语言": "language",
    "模型": "model",
    "人工智能": "artificial intelligence",
    "翻译": "translation",
    "工作": "work",
    "学习": "study",
    "学生": "student",
    "老师": "teacher",
    "朋友": "friend",
    "时间": "time",
    "问题": "question",
    "回答": "answer",
    "数据": "data",
    "文件": "file",
    "水": "water",
    "咖啡": "coffee",
    "茶": "tea",
    "书": "book",
    "城市": "city",
    "海": "sea",
    "风": "wind",
    "磨坊": "mill",
    "猫": "cat",
    "狗": "dog",
    "大": "big",
    "小": "small",
    "新": "new",
    "好": "good",
    "一": "one",
    "二": "two",
    "三": "three",
}
_ENGLISH: Final = {english.lower(): chinese for chinese, english in reversed(DICTIONARY.items())}
_TO_ENGLISH = re.compile("|".join(sorted(map(re.escape, DICTIONARY), key=len, reverse=True)))
_TO_CHINESE = re.compile(
    r"\b(?:" + "|".join(sorted(map(re.escape, _ENGLISH), key=len, reverse=True)) + r")\b", re.IGNORECASE
)
_PUNCTUATION: Final = str.maketrans(
    {"，": ", ", "。": ". ", "！": "! ", "？": "? ", "；": "; ", "：": ": ", "、": ", "}
)


def is_chinese(text: str) -> bool:
    """Whether Chinese characters make up a good part of a text."""
    cjk = len(_CJK.findall(text))
    letters = len(re.findall(r"[A-Za-z]+", text))
    return cjk > 0 and cjk >= letters


def target_language(instruction: str) -> str:
    """The language a prompt wants a translation in: "zh", "en", or "" when it names neither."""
    found = re.search(
        r"(?:in)?to\s+(?:simplified\s+|traditional\s+)?(chinese|english)|[成为到]\s*(中文|汉语|英文|英语)",
        instruction,
        re.I,
    )
    named = (found.group(1) or found.group(2)).lower() if found else ""
    return {"chinese": "zh", "中文": "zh", "汉语": "zh", "english": "en", "英文": "en", "英语": "en"}.get(named, "")


def translated(text: str) -> str:
    """A word-by-word rendering with a small dictionary; unknown words stay as they are."""
    if is_chinese(text):
        english = _TO_ENGLISH.sub(lambda found: f" {DICTIONARY[found.group()]} ", text).translate(_PUNCTUATION)
        english = re.sub(r"\s+([,.!?;:])", r"\1", " ".join(english.split()))
        return english[:1].upper() + english[1:]
    chinese = _TO_CHINESE.sub(lambda found: _ENGLISH[found.group().lower()], text)
    chinese = re.sub(r"(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])", "", chinese)
    return re.sub(r"(?<=[\u4e00-\u9fff]),\s*", "，", chinese)
