"""Files that tools make, opened again by readers of others."""

import csv
import io
import json
import zipfile
from xml.etree import ElementTree

import docx
import openpyxl
import pytest
from PIL import Image
from pypdf import PdfReader

from tidemill.ports import ToolFailed
from tools.vendors import Bench, sentence_of

TEXT = """# Report 报告

First *paragraph* with **bold**, `code`, ~~old~~ and a [link](https://a.example/x).

- one
- two
  - inner

3. third
4. fourth

> A quote.

| name | count | code |
|---|---:|---|
| 湖 | 1642 | 007 |
| =1+1 | 2.5 | <b>x</b> |

```python
print("你好")
```

---

The end 结束。
"""


async def made(bench: Bench, kind: str, text: str = TEXT, **arguments: str) -> bytes:
    found = await bench.run("bowenliang123/md_exporter/md_exporter", f"md_to_{kind}", {"md_text": text, **arguments})
    return bench.data(found)


async def test_a_word_document_holds_headings_lists_tables_and_links(bench: Bench):
    document = docx.Document(io.BytesIO(await made(bench, "docx")))

    styles = [(paragraph.style.name, paragraph.text) for paragraph in document.paragraphs if paragraph.style]
    assert ("Heading 1", "Report 报告") in styles
    assert ("List Bullet", "one") in styles
    assert ("List Bullet 2", "inner") in styles
    assert ("List Continue", "3. third") in styles
    assert ("Quote", "A quote.") in styles
    assert any(text == 'print("你好")' for _, text in styles)
    (table,) = document.tables
    assert [cell.text for cell in table.rows[1].cells] == ["湖", "1642", "007"]
    assert "https://a.example/x" in [relation.target_ref for relation in document.part.rels.values()]
    runs = next(paragraph for paragraph in document.paragraphs if paragraph.text.startswith("First")).runs
    assert [run.text for run in runs if run.bold] == ["bold"]


async def test_a_pdf_holds_the_text_in_both_scripts(bench: Bench):
    reader = PdfReader(io.BytesIO(await made(bench, "pdf")))

    text = "".join(page.extract_text() for page in reader.pages)
    for part in ("Report", "报告", "bold", "1642", "结束", "print", "fourth"):
        assert part in text
    assert reader.metadata is not None
    assert reader.metadata.title == "Report 报告"


async def test_a_long_text_fills_several_pages(bench: Bench):
    reader = PdfReader(io.BytesIO(await made(bench, "pdf", "\n\n".join(["A line of the text. " * 20] * 60))))

    assert len(reader.pages) > 3


async def test_a_table_cell_longer_than_a_page_is_split(bench: Bench):
    reader = PdfReader(io.BytesIO(await made(bench, "pdf", f"| a | b |\n|---|---|\n| {'word ' * 3000} | x |")))

    assert len(reader.pages) > 1


async def test_a_spreadsheet_holds_numbers_as_numbers_and_no_formulas(bench: Bench):
    book = openpyxl.load_workbook(io.BytesIO(await made(bench, "xlsx")))

    rows = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]
    assert rows == [["name", "count", "code"], ["湖", 1642, "007"], ["=1+1", 2.5, "<b>x</b>"]]
    assert book.worksheets[0]["A3"].data_type == "s"


async def test_a_spreadsheet_has_a_sheet_for_each_table(bench: Bench):
    book = openpyxl.load_workbook(io.BytesIO(await made(bench, "xlsx", "|a|\n|-|\n|1|\n\ntext\n\n|b|\n|-|\n|2|\n")))

    assert book.sheetnames == ["Sheet1", "Sheet2"]


async def test_an_html_page_escapes_what_the_text_holds_of_html(bench: Bench):
    page = (await made(bench, "html", "# A <i>\n\n<script>alert(1)</script>\n\n[x](javascript:alert)")).decode()

    assert "<title>A &lt;i&gt;</title>" in page
    assert "<script>" not in page
    assert "javascript:" not in page.replace("[x](javascript:alert)", "")


async def test_html_text_is_an_output(bench: Bench):
    found = await bench.run("md_exporter", "md_to_html_text", {"md_text": "**a**"})

    assert found.text.strip() == "<p><strong>a</strong></p>"


async def test_tables_become_csv_and_json(bench: Bench):
    rows = list(csv.reader(io.StringIO((await made(bench, "csv")).decode("utf-8-sig"))))
    records = json.loads(await made(bench, "json"))

    assert rows[1] == ["湖", "1642", "007"]
    assert records[1] == {"name": "=1+1", "count": "2.5", "code": "<b>x</b>"}


async def test_a_markdown_file_is_unwrapped_and_named(bench: Bench):
    found = await bench.run(
        "md_exporter",
        "md_to_md",
        {"md_text": "<think>hm</think>\n```markdown\n# A\n```", "output_filename": "../../my: report.md"},
    )

    assert bench.data(found) == b"# A"
    assert found.files[0].filename == "my_ report.md"


async def test_code_blocks_become_files_or_an_archive(bench: Bench):
    text = "```python\nprint(1)\n```\n\n```sql\nSELECT 1\n```"
    found = await bench.run("md_exporter", "md_to_codeblock", {"md_text": text})
    packed = await made(bench, "codeblock", text, is_compress="true")

    assert [file.filename for file in found.files] == ["export_1.py", "export_2.sql"]
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.namelist() == ["code_1.py", "code_2.sql"]


@pytest.mark.parametrize(
    ("kind", "text", "sentence"),
    [
        ("xlsx", "no table here", "no table"),
        ("codeblock", "no code here", "no code block"),
        ("docx", "  ", "no Markdown text"),
        ("html", "x" * 2_000_001, "1 to 2000000 characters"),
    ],
)
async def test_a_text_without_what_is_exported_is_refused(bench: Bench, kind: str, text: str, sentence: str):
    with pytest.raises(ToolFailed, match=sentence):
        await made(bench, kind, text)


@pytest.mark.parametrize("text", ["*" * 50_000, "[" * 50_000, "> " * 3_000 + "x", "`" * 30_000 + "a\x00\x0b\ud800"])
async def test_hostile_markdown_ends_as_a_file_or_a_sentence(bench: Bench, text: str):
    for kind in ("docx", "pdf"):
        said = await sentence_of(made(bench, kind, text.encode("utf-8", "replace").decode()))

        assert said == "" or said.endswith(".")


@pytest.mark.parametrize(
    ("tool", "labels"), [("bar_chart", "x_axis"), ("line_chart", "x_axis"), ("pie_chart", "categories")]
)
async def test_charts_are_svg_pictures_with_their_labels_and_no_script(bench: Bench, tool: str, labels: str):
    found = await bench.run("chart", tool, {"data": "1;2.5;3", labels: "一月;Feb;<b>"})

    data = bench.data(found)
    tree = ElementTree.fromstring(data)
    words = "".join(tree.itertext())
    assert tree.tag == "{http://www.w3.org/2000/svg}svg"
    assert "一月" in words
    assert "<b>" in words
    assert not tree.findall(".//{http://www.w3.org/2000/svg}script")
    assert b"http://kozea" not in data
    assert found.files[0].mime_type == "image/svg+xml"


@pytest.mark.parametrize(
    ("tool", "data", "sentence"),
    [
        ("bar_chart", "a;b", "numbers separated"),
        ("bar_chart", ";".join(["1"] * 1001), "1 to 1000"),
        ("line_chart", "nan", "ordinary size"),
        ("pie_chart", "0;0", "not 0"),
        ("pie_chart", "-1;2", "not negative"),
    ],
)
async def test_data_that_cannot_be_drawn_is_refused(bench: Bench, tool: str, data: str, sentence: str):
    with pytest.raises(ToolFailed, match=sentence):
        await bench.run("chart", tool, {"data": data})


async def test_a_qr_code_is_a_png_that_grows_with_its_content_and_border(bench: Bench):
    small = bench.data(await bench.run("qrcode", "qrcode_generator", {"content": "https://a.example", "border": 0}))
    large = bench.data(
        await bench.run("qrcode", "qrcode_generator", {"content": "湖" * 300, "border": 4, "error_correction": "H"})
    )

    with Image.open(io.BytesIO(small)) as first, Image.open(io.BytesIO(large)) as second:
        assert (first.format, second.format) == ("PNG", "PNG")
        assert first.size == (25 * 8, 25 * 8)
        assert second.size[0] > first.size[0]


async def test_a_content_too_long_for_a_qr_code_is_refused(bench: Bench):
    with pytest.raises(ToolFailed, match="too long"):
        await bench.run("qrcode", "qrcode_generator", {"content": "x" * 5000})
