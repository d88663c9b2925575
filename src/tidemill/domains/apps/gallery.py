"""The built-in templates: app files in `templates/`, each in English and Chinese."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from tidemill.domains.apps.errors import TemplateNotFound
from tidemill.domains.apps.schemas import TemplateRead
from tidemill.kit.schema import LocalText

_TEMPLATES = (
    TemplateRead(
        slug="chatbot-with-memory",
        name=LocalText.of("Chatbot with memory", "带记忆的聊天机器人"),
        description=LocalText.of(
            "Talks, remembers the conversation, and counts its turns in a variable.",
            "进行对话，记住上下文，并用会话变量统计轮数。",
        ),
        mode="advanced-chat",
        icon="💬",
    ),
    TemplateRead(
        slug="translation-workflow",
        name=LocalText.of("Translation workflow", "翻译工作流"),
        description=LocalText.of(
            "Translates a text into the language and tone you choose.",
            "把文本翻译成你选择的语言和语气。",
        ),
        mode="workflow",
        icon="🌐",
    ),
    TemplateRead(
        slug="question-router",
        name=LocalText.of("Question router", "问题分流"),
        description=LocalText.of(
            "Sends orders, technical questions and everything else down different paths.",
            "把订单问题、技术问题和其他问题分到不同的处理路径。",
        ),
        mode="advanced-chat",
        icon="🧭",
    ),
)


def templates() -> list[TemplateRead]:
    """The gallery."""
    return list(_TEMPLATES)


@lru_cache
def content(slug: str, language: str) -> str:
    """A template's app file in one language.

    Raises:
        TemplateNotFound: There is no such template.
    """
    if all(template.slug != slug for template in _TEMPLATES):
        raise TemplateNotFound(f"There is no template {slug}.")
    suffix = "zh-Hans" if language == "zh-Hans" else "en"
    return (files("tidemill.domains.apps") / "templates" / f"{slug}.{suffix}.yml").read_text("utf-8")
