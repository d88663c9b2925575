"""Word documents made of Markdown. Imported in a worker process only."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import Any, Final

from docx import Document
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor

from tidemill.tools.markdown import Code, Heading, List, Paragraph, Quote, Rule, Span, Table, parse, title_of

EAST_ASIAN_FONT: Final = "Microsoft YaHei"
CODE_FONT: Final = "Consolas"
# XML has no place for these, and a model's answer may hold them.
_UNWRITABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def docx(text: str) -> bytes:
    """A .docx file: headings, lists, tables, quotes, code and links keep their styles. Raises `ToolFailed`."""
    blocks = parse(_UNWRITABLE.sub("", text))
    document: Any = Document()
    fonts = document.styles["Normal"].element.get_or_add_rPr().get_or_add_rFonts()
    fonts.set(qn("w:eastAsia"), EAST_ASIAN_FONT)
    document.core_properties.title = title_of(blocks)[:255]
    document.core_properties.author = ""
    _write(document, blocks, depth=0)
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def _write(document: Any, blocks: Iterable[Any], *, depth: int, style: str | None = None) -> None:
    for block in blocks:
        match block:
            case Heading():
                _spans(document.add_heading(level=block.level), block.spans)
            case Paragraph():
                _spans(document.add_paragraph(style=style), block.spans)
            case Code():
                paragraph = document.add_paragraph(style=style)
                run = paragraph.add_run(block.text)
                run.font.name, run.font.size = CODE_FONT, Pt(9)
            case Quote():
                _write(document, block.blocks, depth=depth, style="Quote")
            case List():
                _list(document, block, depth=depth)
            case Table():
                _table(document, block)
            case Rule():
                document.add_paragraph("―" * 30)
            case _:
                continue


def _list(document: Any, block: List, *, depth: int) -> None:
    level = f" {min(depth + 1, 3)}" if depth else ""
    for number, item in enumerate(block.items, block.start):
        first, *rest = item or (Paragraph(spans=()),)
        if block.start:
            # Written out, since Word's own numbering would go on from one list to the next.
            paragraph = document.add_paragraph(style=f"List Continue{level}")
            paragraph.add_run(f"{number}. ")
        else:
            paragraph = document.add_paragraph(style=f"List Bullet{level}")
        if isinstance(first, Paragraph):
            _spans(paragraph, first.spans)
        else:
            rest = [first, *rest]
        _write(document, rest, depth=depth + 1, style=f"List Continue{level}")


def _table(document: Any, block: Table) -> None:
    table = document.add_table(rows=len(block.rows), cols=len(block.rows[0]), style="Table Grid")
    for index, row in enumerate(block.rows):
        # The cells of a row are looked up once: each look-up walks the whole row.
        for cell, spans in zip(table.rows[index].cells, row, strict=True):
            _spans(cell.paragraphs[0], spans, is_header=index == 0)


def _spans(paragraph: Any, spans: Iterable[Span], *, is_header: bool = False) -> None:
    for span in spans:
        run = paragraph.add_run(span.text)
        run.bold = True if span.is_bold or is_header else None
        run.italic = True if span.is_italic else None
        run.font.strike = True if span.is_struck else None
        if span.is_code:
            run.font.name = CODE_FONT
        if span.href.startswith(("http://", "https://", "mailto:")):
            _link(paragraph, run, span.href)


def _link(paragraph: Any, run: Any, href: str) -> None:
    run.font.color.rgb, run.font.underline = RGBColor(0x05, 0x63, 0xC1), True
    link = OxmlElement("w:hyperlink")
    link.set(qn("r:id"), paragraph.part.relate_to(href, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
    link.append(run._r)
    paragraph._p.append(link)
