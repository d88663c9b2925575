"""The main text of web pages. Runs in a worker process only: its libraries are heavy, and pages may be hostile."""

from __future__ import annotations

from typing import Any, Final

from tidemill.ports import ToolFailed

MAX_HTML_BYTES: Final = 5 * 1024 * 1024
MAX_TEXT_CHARS: Final = 200_000
# Less text than this is hardly the article: the other reader has a go.
_ENOUGH_CHARS: Final = 200


def readable(html: bytes, url: str) -> dict[str, str]:
    """Title, author, date, image and main text of a page; `text` is Markdown, with headings and tables.

    Raises:
        ToolFailed: The page is too large or holds no text.
    """
    if len(html) > MAX_HTML_BYTES:
        raise ToolFailed(f"The page has {len(html)} bytes; at most {MAX_HTML_BYTES} are read.")
    found = _by_trafilatura(html, url)
    if len(found["text"]) < _ENOUGH_CHARS:
        other = _by_readability(html)
        if len(other["text"]) > len(found["text"]):
            found = {**found, "text": other["text"], "title": found["title"] or other["title"]}
    if not found["text"]:
        raise ToolFailed(f"The page {url} holds no text that could be read. It may need a browser to be seen.")
    return {**found, "text": found["text"][:MAX_TEXT_CHARS]}


def _by_trafilatura(html: bytes, url: str) -> dict[str, str]:
    import trafilatura
    from trafilatura.utils import load_html

    tree: Any = load_html(html)
    if tree is None:
        return dict.fromkeys(("title", "author", "date", "image", "text"), "")
    facts: Any = trafilatura.extract_metadata(tree, default_url=url)
    found = {name: str(getattr(facts, name, None) or "") for name in ("title", "author", "date", "image")}
    text = trafilatura.extract(
        tree, url=url, output_format="markdown", include_comments=False, include_formatting=True, include_tables=True
    )
    return {**found, "text": text or ""}


def _by_readability(html: bytes) -> dict[str, str]:
    from lxml import html as parser
    from lxml.etree import LxmlError
    from readability import Document

    try:
        document = Document(html.decode("utf-8", errors="replace"))
        title, body = document.short_title(), document.summary(html_partial=True)
        tree = parser.fromstring(body) if body.strip() else None
    except (LxmlError, ValueError, TypeError, AttributeError, RecursionError):
        # An empty or broken page: it holds no text for this reader.
        return {"title": "", "text": ""}
    lines = [" ".join(line.split()) for line in tree.itertext()] if tree is not None else []
    return {"title": title, "text": "\n".join(line for line in lines if line)}


def feed_entries(data: bytes, limit: int) -> dict[str, Any]:
    """The title and newest entries of an RSS or Atom feed.

    Raises:
        ToolFailed: It is no feed.
    """
    import feedparser

    found: Any = feedparser.parse(data)
    if not found.entries and (found.bozo or not found.version):
        raise ToolFailed("The address gives no RSS or Atom feed. Check it in a browser.")
    entries: list[dict[str, Any]] = [
        {
            "title": entry.get("title", ""),
            "link": entry.get("link", ""),
            "published": entry.get("published", "") or entry.get("updated", ""),
            "author": entry.get("author", ""),
            "summary": _plain(entry.get("summary", "")),
        }
        for entry in found.entries[:limit]
    ]
    return {"title": found.feed.get("title", ""), "link": found.feed.get("link", ""), "entries": entries}


def _plain(markup: str) -> str:
    """The text of a bit of HTML."""
    from lxml import html as parser
    from lxml.etree import LxmlError

    if "<" not in markup:
        return markup.strip()
    try:
        return " ".join(parser.fromstring(markup).text_content().split())
    except (LxmlError, ValueError):
        return markup.strip()
