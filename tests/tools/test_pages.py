"""Web pages and feeds, read in the real worker process."""

import pytest

from tidemill.ports import Documents, ToolFailed
from tools.vendors import Bench

ARTICLE = f"""<html><head><title>Lakes | Site</title><meta name="author" content="Ada Lovelace">
<meta property="og:image" content="https://a.example/top.png"></head>
<body><nav><a href="/">Home</a><a href="/about">About us</a></nav>
<article><h1>About lakes</h1><p>{"A lake is a body of water, surrounded by land. " * 12}</p>
<h2>Depths</h2><table><tr><th>lake</th><th>metres</th></tr><tr><td>Baikal</td><td>1642</td></tr></table>
<p>{"湖泊是被陆地围着的水体。" * 20}</p></article>
<footer>Imprint and cookies</footer><script>alert(1)</script></body></html>"""


async def test_the_main_text_of_a_page_is_given_with_its_headings_and_tables(bench: Bench):
    bench.vendors.on("GET a.example/lakes", ARTICLE, kind="text/html; charset=utf-8")

    found = await bench.run("webscraper", "webscraper", {"url": "https://a.example/lakes", "generate_summary": None})

    head, text = found.text.split("TEXT:\n\n")
    assert "TITLE: About lakes" in head or "TITLE: Lakes" in head
    assert "AUTHORS: Ada Lovelace" in head
    assert "A lake is a body of water" in text
    assert "湖泊是被陆地围着的水体" in text
    assert "Baikal" in text
    assert "alert(1)" not in text
    assert "Imprint" not in text


async def test_the_page_is_asked_for_as_the_browser_that_is_set(bench: Bench):
    bench.vendors.on("GET a.example/lakes", ARTICLE, kind="text/html")

    await bench.run("webscraper", "webscraper", {"url": "a.example/lakes", "user_agent": "Robot/1"})

    assert bench.vendors.request.headers["User-Agent"] == "Robot/1"


async def test_plain_text_and_json_are_given_as_they_are(bench: Bench):
    bench.vendors.on("GET a.example/x.json", '{"a": 1}')

    assert (await bench.run("webscraper", "webscraper", {"url": "https://a.example/x.json"})).text == '{"a": 1}'


async def test_a_document_is_read_by_the_run_s_reader(bench: Bench):
    class Reader:
        async def text(self, *, filename: str, mime_type: str, data: bytes) -> str:
            return f"{filename} {mime_type} {len(data)}"

    bench.ports[Documents] = Reader()
    bench.vendors.on("GET a.example/report.pdf", b"%PDF-1.7", kind="application/pdf")

    found = await bench.run("webscraper", "webscraper", {"url": "https://a.example/report.pdf"})

    assert found.text == "report.pdf application/pdf 8"


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        ("", "no text"),
        ("<html><body><div id='root'></div></body></html>", "no text"),
        ("<div>" * 5000, "no text"),
        ("x" * (6 * 1024 * 1024), "at most"),
    ],
)
async def test_pages_without_text_or_too_large_are_refused_with_a_sentence(bench: Bench, page: str, sentence: str):
    bench.vendors.on("GET a.example/", page, kind="text/html")

    with pytest.raises(ToolFailed, match=sentence):
        await bench.run("webscraper", "webscraper", {"url": "https://a.example/"})


async def test_a_page_that_is_not_there_is_said_with_its_status(bench: Bench):
    with pytest.raises(ToolFailed, match=r"https://a\.example/gone answered 404"):
        await bench.run("webscraper", "webscraper", {"url": "https://a.example/gone"})


FEED = """<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>News of lakes</title>
<link>https://a.example</link>
<item><title>First &amp; best</title><link>https://a.example/1</link><pubDate>Mon, 01 Jan 2024 00:00:00 GMT</pubDate>
<description>&lt;p&gt;Some &lt;b&gt;bold&lt;/b&gt; text&lt;/p&gt;</description></item>
<item><title>Second</title><link>https://a.example/2</link><description>Plain</description></item></channel></rss>"""

ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>湖</title>
<entry><title>一</title><link href="https://a.example/1"/><updated>2024-01-01T00:00:00Z</updated>
<author><name>Ada</name></author><summary>Text</summary></entry></feed>"""


async def test_the_newest_entries_of_a_feed_are_given(bench: Bench):
    bench.vendors.on("GET a.example/feed", FEED, kind="application/rss+xml")

    found = await bench.run("rss", "rss_reader", {"url": "https://a.example/feed", "limit": 1})

    assert found.json == [
        {
            "title": "First & best",
            "link": "https://a.example/1",
            "published": "Mon, 01 Jan 2024 00:00:00 GMT",
            "author": "",
            "summary": "Some bold text",
        }
    ]
    assert found.text.startswith("# News of lakes\n\n## First & best\n")


async def test_atom_feeds_are_read(bench: Bench):
    bench.vendors.on("GET a.example/feed", ATOM, kind="application/atom+xml")

    found = await bench.run("rss", "rss_reader", {"url": "https://a.example/feed"})

    assert (found.json[0]["title"], found.json[0]["author"]) == ("一", "Ada")


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
    + '<!ENTITY x SYSTEM "file:///etc/passwd">]><rss version="2.0"><channel><title>&x;&j;</title>'
    "<item><title>t</title></item></channel></rss>"
)


async def test_a_feed_of_nested_entities_reads_no_file_and_does_not_blow_up(bench: Bench):
    bench.vendors.on("GET a.example/feed", BOMB, kind="application/xml")

    try:
        found = (await bench.run("rss", "rss_reader", {"url": "https://a.example/feed"})).text
    except ToolFailed as error:
        found = str(error)

    assert "root:" not in found
    assert len(found) < 10_000


async def test_what_is_no_feed_is_said(bench: Bench):
    bench.vendors.on("GET a.example/feed", ARTICLE, kind="text/html")

    with pytest.raises(ToolFailed, match="no RSS or Atom feed"):
        await bench.run("rss", "rss_reader", {"url": "https://a.example/feed"})
