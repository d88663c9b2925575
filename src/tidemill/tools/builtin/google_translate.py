"""Google Translate, by the address that browsers' add-ons use; it needs no key, and Google promises nothing for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from tidemill.ports import ToolCall, ToolFailed, ToolMessage
from tidemill.tools.provider import Arguments, Provider, asked, setting, text
from tidemill.tools.web import BROWSER, ask_json, part, words

PROVIDER = Provider("google_translate", "Google Translate", "Translates texts.")


@PROVIDER.tool(
    "translate",
    "Translate",
    "Translates a text to another language.",
    asked("content", "The text."),
    setting("dest", "Language to translate to, such as en, zh-CN or ja.", default="en", is_required=True),
)
async def translate(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    content = arguments.text("content")
    if not content.strip():
        raise ToolFailed("There is no text to translate. Give the parameter content a text.")
    query = [("client", "gtx"), ("sl", "auto"), ("tl", arguments.text("dest")), ("dt", "t")]
    # The text goes into the body: an address has a limit that a page of text exceeds.
    found = await ask_json(
        call,
        "Google Translate",
        "https://translate.googleapis.com/translate_a/single",
        method="POST",
        query=query,
        form=[("q", content)],
        headers={"User-Agent": BROWSER},
    )
    sentences = part(found, 0)
    if not isinstance(sentences, list):
        raise ToolFailed("Google Translate answered in a form that is not known. Try again later.")
    yield text("".join(words(sentence, 0) for sentence in sentences))
