"""RSS: the newest entries of a feed."""

from __future__ import annotations

from collections.abc import AsyncIterator

from tidemill.ports import ToolCall, ToolFailed, ToolMessage, WorkFailed, Workshop
from tidemill.tools.pages import feed_entries
from tidemill.tools.provider import Arguments, Provider, asked, json_data, setting, text
from tidemill.tools.web import ask

PROVIDER = Provider("rss", "RSS", "Reads RSS and Atom feeds.", aliases=("rss_reader", "feed", "rsshub"))


@PROVIDER.tool(
    "rss_reader",
    "RSS Reader",
    "Gives the newest entries of an RSS or Atom feed.",
    asked("url", "Address of the feed."),
    setting("limit", "How many entries, 1 to 100.", type="number", default=10),
    aliases=("rss", "read_rss", "feed_reader"),
)
async def rss_reader(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    url = arguments.text("url").strip()
    answer = await ask(call, f"The feed {url[:200]}", url)
    limit = arguments.whole("limit", 10, least=1, most=100)
    try:
        feed = await call.port(Workshop).run(feed_entries, answer.body, limit)
    except WorkFailed as error:
        raise ToolFailed(f"The feed {url[:200]} cannot be read: {error}") from error
    for entry in feed["entries"]:
        yield json_data(entry)
    lines = [f"# {feed['title']}"] if feed["title"] else []
    for entry in feed["entries"]:
        lines.append(f"## {entry['title']}\n{entry['published']} {entry['link']}\n{entry['summary']}".strip())
    yield text("\n\n".join(lines))
