"""Web scraper: the text of a web page."""

from __future__ import annotations

from collections.abc import AsyncIterator

from tidemill.ports import DocumentFailed, Documents, ToolCall, ToolFailed, ToolMessage, WorkFailed, Workshop
from tidemill.tools.pages import readable
from tidemill.tools.provider import Arguments, Provider, asked, log, setting, text
from tidemill.tools.web import BROWSER, ask, read_text

PROVIDER = Provider("webscraper", "Web Scraper", "Reads web pages.", aliases=("web_scraper",))

_FORM = "TITLE: {title}\nAUTHORS: {author}\nPUBLISH DATE: {date}\nTOP_IMAGE_URL: {image}\nTEXT:\n\n{text}"


@PROVIDER.tool(
    "webscraper",
    "Web Scraper",
    "Gets the text of a web page.",
    asked("url", "Address of the page."),
    setting("user_agent", "What to present as the browser."),
    setting("generate_summary", "Kept for old files; the whole text is given.", type="boolean", default=False),
)
async def webscraper(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    url = arguments.text("url").strip()
    if "://" not in url:
        url = f"https://{url}"
    headers = {"User-Agent": arguments.text("user_agent") or BROWSER, "Accept-Language": "en;q=0.8,*;q=0.5"}
    page = await ask(call, f"The page {url[:200]}", url, headers=headers)
    kind = page.headers.get("content-type", "").partition(";")[0].strip().lower()
    if arguments.flag("generate_summary"):
        yield log("summary", "The text is given whole; add an LLM node to summarise it.")
    if kind in ("", "text/html", "application/xhtml+xml"):
        try:
            found = await call.port(Workshop).run(readable, page.body, page.url)
        except WorkFailed as error:
            raise ToolFailed(f"The page {url[:200]} cannot be read: {error}") from error
        yield text(_FORM.format(**found))
    elif kind.startswith("text/") or kind.endswith(("json", "xml", "yaml")):
        yield text(read_text(page))
    else:
        try:
            name = page.url.rpartition("/")[2] or "page"
            yield text(await call.port(Documents).text(filename=name, mime_type=kind, data=page.body))
        except DocumentFailed as error:
            raise ToolFailed(str(error)) from error
