"""Documents become text in processes that cannot do harm (reference `workflow-dsl.md`, 5.19)."""

import asyncio
import json
import zipfile
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import psutil
import pytest

from adapters import documents_made as made
from tidemill.adapters.document_text import decode
from tidemill.adapters.documents import DocumentLimits, SafeDocuments
from tidemill.ports import DocumentFailed, DocumentUnsupported

FIXTURES = Path(__file__).parents[1] / "fixtures" / "documents"


@pytest.fixture
async def documents() -> AsyncIterator[SafeDocuments]:
    documents = SafeDocuments()
    yield documents
    assert documents.processes == []
    await documents.close()


async def text_of(documents: SafeDocuments, name: str, data: bytes, mime_type: str = "") -> str:
    return await documents.text(filename=name, mime_type=mime_type, data=data)


# ---------------------------------------------------------------- encodings


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "潮汐 – déjà vu"),
        ("utf-8-sig", "潮汐"),
        ("gbk", "你好世界"),
        ("gbk", "潮汐每天两次。"),
        ("gb18030", "姓名,年龄\n张三,20\n"),
        ("gbk", "合同编号：2024-001\n甲方：青岛港务有限公司\n" * 50),
        ("big5", "潮汐每天兩次。"),
        ("big5", "你好，世界"),
        ("shift_jis", "潮は一日に二回来ます。"),
        ("euc_kr", "안녕하세요 세계"),
        ("euc_kr", "조수는 하루에 두 번 옵니다."),
        ("cp1252", "Grüße aus Köln"),
        ("cp1251", "Прилив бывает дважды в день."),
        ("utf-16", "潮汐 and tides"),
        ("utf-16-le", "潮汐 and tides"),
        ("utf-16-be", "tides and 潮汐"),
        ("utf-32", "潮汐"),
    ],
)
def test_bytes_are_decoded_by_what_they_look_like(encoding: str, text: str):
    assert decode(text.encode(encoding)) == text


async def test_a_chinese_text_file_is_read(documents: SafeDocuments):
    assert await text_of(documents, "a.txt", "你好世界".encode("gbk")) == "你好世界"


@pytest.mark.parametrize("name", ["a.txt", "a.MD", "a.mdx", "page.html", "a.xml", "a.py", "a.ini", "a.log", "a.sql"])
async def test_text_is_read_as_it_is(documents: SafeDocuments, name: str):
    text = "<p>One &amp; two</p>\n# three"

    assert await text_of(documents, name, text.encode()) == text


# ---------------------------------------------------------------- shaped text


async def test_json_and_yaml_are_printed_over_several_lines(documents: SafeDocuments):
    assert await text_of(documents, "a.json", '{"b":[1,2],"a":"潮"}'.encode()) == (
        '{\n  "b": [\n    1,\n    2\n  ],\n  "a": "潮"\n}'
    )
    assert await text_of(documents, "a.yml", "{b: [1, 2], a: 潮}".encode()) == "b:\n- 1\n- 2\na: 潮\n"


async def test_csv_becomes_a_table_without_its_empty_rows(documents: SafeDocuments):
    csv = 'Port,"Depth | m"\n,\nQingdao,"17\n18"\nRotterdam\n'

    assert await text_of(documents, "a.csv", csv.encode()) == (
        "| Port | Depth \\| m |\n| --- | --- |\n| Qingdao | 17 18 |\n| Rotterdam |  |"
    )


async def test_csv_with_semicolons_and_tsv_are_told_apart(documents: SafeDocuments):
    table = "| a | b |\n| --- | --- |\n| 1,5 | 2 |"

    assert await text_of(documents, "a.csv", b"a;b\n1,5;2\n") == table
    assert await text_of(documents, "a.tsv", b"a\tb\n1,5\t2\n") == table


async def test_consecutive_lines_of_a_speaker_are_joined(documents: SafeDocuments):
    vtt = (
        "WEBVTT\n\nNOTE not said\n\n1\n00:01.000 --> 00:02.000\n<v Ada>High</v>\n\n"
        "00:02.000 --> 00:03.000 align:start\n<v Ada>tide &amp; wind\n\n00:03.000 --> 00:04.000\n<v Bo>Low\n\n"
        "00:04.000 --> 00:05.000\nnobody"
    )

    assert await text_of(documents, "a.vtt", vtt.encode()) == 'Ada "High tide & wind"\nBo "Low"\nnobody'


async def test_properties_are_told_by_key(documents: SafeDocuments):
    text = "# tides\nport.name=\\u9752\\u5c9b\nlong = one \\\n    two\nurl: http://a.example\n"

    assert await text_of(documents, "a.properties", text.encode()) == (
        "# tides\nport.name: 青岛\nlong: one two\nurl: http://a.example"
    )


@pytest.mark.parametrize(("name", "data"), [("a.json", b'{"a":'), ("a.yaml", b"a: [1"), ("a.json", b"[" * 100_000)])
async def test_text_that_is_not_its_format_is_an_error(documents: SafeDocuments, name: str, data: bytes):
    with pytest.raises(DocumentFailed, match=rf'^The document "{name}": The (file is not|JSON is nested)'):
        await text_of(documents, name, data)


# ---------------------------------------------------------------- office files


async def test_a_word_file_gives_paragraphs_and_tables_in_order(documents: SafeDocuments):
    data = made.docx(
        made.paragraph("AT&amp;T said &lt;b&gt; &#8220;now&#8221;"),
        made.word_table(("Port", "Depth | m"), ("青岛", "")),
        made.paragraph("After_the *table*."),
    )

    assert await text_of(documents, "a.docx", data) == (
        "AT&T said <b> “now”\n\n| Port | Depth \\| m |\n| --- | --- |\n| 青岛 |  |\n\nAfter_the *table*."
    )


async def test_a_workbook_gives_a_table_for_each_sheet(documents: SafeDocuments):
    sheets = {"Ports": (("Port", "Depth"), (None, None), ("青岛 &amp; co", 17)), "Empty": (), "Ships": (("Ada",),)}

    assert await text_of(documents, "a.xlsx", made.xlsx(sheets)) == (
        "## Ports\n\n| Port | Depth |\n| --- | --- |\n| 青岛 & co | 17 |\n\n## Ships\n\n| Ada |\n| --- |"
    )


async def test_an_old_workbook_is_read(documents: SafeDocuments):
    data = (FIXTURES / "harbour.xls").read_bytes()

    assert await text_of(documents, "harbour.xls", data) == "| Port | Depth |\n| --- | --- |\n| Qingdao | 17 |"


MAIL = (
    b"Subject: =?utf-8?b?5r2u5rGQ?= report\r\nFrom: ada@example.com\r\nTo: bo@example.com\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=gb2312\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
) + "潮汐每天两次。\r\n".encode("gb2312")
HTML_MAIL = b"Subject: Hi\nContent-Type: text/html; charset=utf-8\n\n<p>One &amp; two</p>"
RTF = rb"{\rtf1\ansi{\fonttbl\f0 Arial;}\f0 The tide comes {\b twice}.\par \u28526?\u27728?\par}"


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("a.pdf", made.pdf("The tide comes twice.", "Second page."), "The tide comes twice.\n\nSecond page."),
        ("a.pptx", made.pptx(("Tides", "High &amp; low"), ("Two",)), "Tides\n\nHigh & low\n\nTwo"),
        ("a.odt", made.odt("One &amp; two", "潮汐"), "One & two\n\n潮汐"),
        ("a.epub", made.epub("Book", "<h1>One</h1><p>潮汐</p>"), "One\n\n潮汐"),
        ("a.msg", made.msg("Tide", "The tide comes twice."), "Subject: Tide\n\nThe tide comes twice."),
        ("a.rtf", RTF, "The tide comes twice.\n\n潮汐"),
        ("a.eml", MAIL, "Subject: 潮汐 report\nFrom: ada@example.com\nTo: bo@example.com\n\n潮汐每天两次。"),
        ("html.eml", HTML_MAIL, "Subject: Hi\n\nOne & two"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value[:9] else "",
)
async def test_office_files_give_their_text(documents: SafeDocuments, name: str, data: bytes, text: str):
    assert await text_of(documents, name, data) == text


async def test_the_type_decides_where_the_name_does_not(documents: SafeDocuments):
    assert await text_of(documents, "download", made.pdf("Tide"), "application/pdf") == "Tide"
    assert await text_of(documents, "", b"a,b", "text/csv; charset=utf-8") == "| a | b |\n| --- | --- |"
    assert await text_of(documents, "x", b"plain", "text/x-unheard-of") == "plain"


# ---------------------------------------------------------------- what cannot be read


@pytest.mark.parametrize(
    ("name", "mime_type", "sentence"),
    [
        ("a.zip", "application/zip", "Unsupported Extension Type: .zip."),
        ("film.MP4", "video/mp4", "Unsupported Extension Type: .mp4."),
        ("nameless", "application/octet-stream", "Unsupported MIME Type: application/octet-stream."),
        ("", "", "Unsupported MIME Type: none."),
    ],
)
async def test_other_files_are_refused_by_name(documents: SafeDocuments, name: str, mime_type: str, sentence: str):
    with pytest.raises(DocumentUnsupported) as failure:
        await text_of(documents, name, b"x", mime_type)

    assert str(failure.value).startswith(sentence)


@pytest.mark.parametrize("kind", ["pdf", "docx", "doc", "xlsx", "xls", "pptx", "ppt", "odt", "epub", "msg"])
@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 cut", b"\xd0\xcf\x11\xe0 cut"], ids=["empty", "zip", "ole"])
async def test_broken_files_are_errors_that_name_the_file(documents: SafeDocuments, kind: str, data: bytes):
    with pytest.raises(DocumentFailed, match=rf'^The document "broken.{kind}": The file cannot be read: .+\.$'):
        await text_of(documents, f"broken.{kind}", data)


def bomb(name: str, megabytes: int) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as entry:
        for _ in range(megabytes):
            entry.write(b" " * 1_000_000)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "inside"), [("a.docx", "word/document.xml"), ("a.xlsx", "xl/workbook.xml"), ("a.odt", "content.xml")]
)
async def test_an_archive_that_unpacks_to_much_is_refused(documents: SafeDocuments, name: str, inside: str):
    with pytest.raises(DocumentFailed, match=f'^The document "{name}"'):
        await text_of(documents, name, bomb(inside, 110))


async def test_an_entity_bomb_stays_small(documents: SafeDocuments):
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    body = f'<!DOCTYPE x [<!ENTITY e0 "aaaaaaaaaa">{entities}]>'
    document = made.docx(made.paragraph("&e9;"))
    with zipfile.ZipFile(BytesIO(document)) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    parts["word/document.xml"] = parts["word/document.xml"].replace(b"<w:document", f"{body}<w:document".encode(), 1)

    try:
        text = await text_of(documents, "a.docx", made.zipped(parts))
    except DocumentFailed:
        text = ""

    assert len(text) < 1000


async def test_a_document_that_takes_too_long_is_given_up():
    documents = SafeDocuments(DocumentLimits(time_s=0.5))
    slow = b"- {a: [1, 2, 3], b: {c: d}}\n" * 100_000

    with pytest.raises(DocumentFailed, match=r"takes longer than 0\.5 seconds to read"):
        await text_of(documents, "slow.yaml", slow)

    assert documents.processes == []
    assert await text_of(documents, "a.csv", b"still,here") == "| still | here |\n| --- | --- |"


@pytest.mark.parametrize("watches_memory", [False, True], ids=["by the system", "from outside"])
async def test_a_document_that_needs_too_much_memory_is_given_up(watches_memory: bool):
    limits = DocumentLimits(memory_bytes=150 * 1024 * 1024)
    documents = SafeDocuments(limits, watches_memory=watches_memory)
    hungry = b"[" + b"[[]]," * 3_000_000 + b"0]"

    with pytest.raises(DocumentFailed, match=r'^The document "hungry.json"'):
        await text_of(documents, "hungry.json", hungry)

    assert documents.processes == []
    assert await text_of(documents, "a.csv", b"still,here") == "| still | here |\n| --- | --- |"


async def test_a_document_with_too_much_text_is_refused():
    documents = SafeDocuments(DocumentLimits(max_chars=1000))

    with pytest.raises(DocumentFailed, match="2000 characters; at most 1000 are read"):
        await text_of(documents, "a.txt", b"x" * 2000)


async def test_a_file_over_the_size_limit_is_not_read():
    documents = SafeDocuments(DocumentLimits(input_bytes=1_000_000))

    with pytest.raises(DocumentFailed, match="larger than 1 MB"):
        await text_of(documents, "a.txt", b"x" * 1_000_001)


async def test_a_cancelled_reading_leaves_no_process():
    documents = SafeDocuments()
    reading = asyncio.create_task(text_of(documents, "slow.yaml", b"- {a: [1, 2, 3]}\n" * 200_000))
    while not documents.processes:
        await asyncio.sleep(0)

    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert documents.processes == []


async def test_the_process_sees_no_secret_of_ours(monkeypatch: pytest.MonkeyPatch, documents: SafeDocuments):
    monkeypatch.setenv("SECRET_KEY", "not for parsers")
    reading = asyncio.create_task(text_of(documents, "slow.yaml", b"- {a: [1, 2, 3]}\n" * 2_000))
    while not documents.processes:
        await asyncio.sleep(0)

    (process,) = documents.processes
    assert "SECRET_KEY" not in psutil.Process(process).environ()
    assert (await reading).startswith("- a:")


async def test_many_documents_are_read_two_at_a_time(documents: SafeDocuments):
    names = [f"{number}.json" for number in range(6)]

    texts = await asyncio.gather(*(text_of(documents, name, json.dumps([name]).encode()) for name in names))

    assert texts == [json.dumps([name], indent=2) for name in names]
