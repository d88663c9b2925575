"""PDF documents made of Markdown. Imported in a worker process only.

Latin letters use the fonts every reader has; Chinese, Japanese and Korean ones the fonts that the PDF standard names
for them, which readers bring along: nothing has to be embedded, and files stay small.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import (
    Flowable,
    HRFlowable,
    Indenter,
    SimpleDocTemplate,
    Spacer,
    XPreformatted,
)
from reportlab.platypus import Paragraph as TextBlock
from reportlab.platypus import Table as Grid
from reportlab.platypus.doctemplate import LayoutError

from tidemill.ports import ToolFailed
from tidemill.tools.markdown import Code, Heading, List, Paragraph, Quote, Rule, Span, Table, parse, title_of

_UNWRITABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BEYOND_LATIN: Final = re.compile(r"[^\x00-\xff–—‘’“”•…€™]+")
_KANA: Final = re.compile(r"[\u3040-\u30ff]")
_HANGUL: Final = re.compile(r"[\uac00-\ud7a3]")
_LINE: Final = colors.HexColor("#bbbbbb")
_SIZES: Final = {1: 20, 2: 16, 3: 14, 4: 12, 5: 11, 6: 11}


def pdf(text: str) -> bytes:
    """A PDF file: headings, lists, tables, quotes, code and links keep their styles. Raises `ToolFailed`."""
    text = _UNWRITABLE.sub("", text)
    blocks = parse(text)
    writer = _Writer(_font_for(text))
    written = io.BytesIO()
    document = SimpleDocTemplate(
        written,
        pagesize=A4,
        leftMargin=20 * mm,
        rightMargin=20 * mm,
        topMargin=20 * mm,
        bottomMargin=20 * mm,
        title=title_of(blocks),
        author="",
    )
    try:
        document.build(writer.flow(blocks, document.width))
    except (LayoutError, ValueError) as error:
        raise ToolFailed("The text cannot be laid out on pages: a table is too wide or too deep. Split it.") from error
    return written.getvalue()


def _font_for(text: str) -> str:
    """The font for letters beyond Latin: one for the whole document, by the script that is sure to tell."""
    name = "HeiseiMin-W3" if _KANA.search(text) else "HYSMyeongJo-Medium" if _HANGUL.search(text) else "STSong-Light"
    pdfmetrics.registerFont(UnicodeCIDFont(name))
    pdfmetrics.registerFontFamily(name, normal=name, bold=name, italic=name, boldItalic=name)
    return name


class _Writer:
    """Turns blocks into what the layout takes."""

    def __init__(self, wide_font: str) -> None:
        self._wide_font = wide_font
        self._body = ParagraphStyle("body", fontName="Helvetica", fontSize=10.5, leading=16, spaceAfter=6)
        self._quote = ParagraphStyle("quote", parent=self._body, leftIndent=12, textColor=colors.HexColor("#555555"))
        self._code = ParagraphStyle(
            "code",
            parent=self._body,
            fontName="Courier",
            fontSize=8.5,
            leading=11,
            backColor=colors.HexColor("#f5f5f5"),
            borderPadding=4,
            spaceBefore=6,
            spaceAfter=10,
        )

    def flow(self, blocks: Iterable[Any], width: float, style: ParagraphStyle | None = None) -> list[Flowable]:
        found: list[Flowable] = []
        for block in blocks:
            match block:
                case Heading():
                    found.append(self._text(block.spans, self._heading(block.level)))
                case Paragraph():
                    found.append(self._text(block.spans, style or self._body))
                case Code():
                    found.append(XPreformatted(self._wide(_wrapped(block.text)), self._code))
                case Quote():
                    found += self.flow(block.blocks, width, self._quote)
                case List():
                    found += self._list(block, width)
                case Table():
                    found += [self._table(block, width), Spacer(1, 8)]
                case Rule():
                    found.append(HRFlowable(width="100%", color=_LINE, spaceBefore=6, spaceAfter=6))
                case _:
                    continue
        return found or [Spacer(1, 1)]

    def _heading(self, level: int) -> ParagraphStyle:
        size = _SIZES[level]
        return ParagraphStyle(
            f"heading{level}",
            parent=self._body,
            fontName="Helvetica-Bold",
            fontSize=size,
            leading=size * 1.4,
            spaceBefore=size * 0.6,
            keepWithNext=1,
        )

    def _list(self, block: List, width: float) -> list[Flowable]:
        found: list[Flowable] = []
        for number, item in enumerate(block.items, block.start):
            mark = f"{number}. " if block.start else "• "
            first, *rest = item or (Paragraph(spans=()),)
            spans = first.spans if isinstance(first, Paragraph) else ()
            found += [Indenter(left=14), self._text((Span(text=mark), *spans), self._body)]
            rest = rest if isinstance(first, Paragraph) else [first, *rest]
            found += [*(self.flow(rest, width - 14) if rest else []), Indenter(left=-14)]
        return found

    def _table(self, block: Table, width: float) -> Flowable:
        bold = ParagraphStyle(
            "header", parent=self._body, fontName="Helvetica-Bold", fontSize=9, leading=13, spaceAfter=0
        )
        cell = ParagraphStyle("cell", parent=self._body, fontSize=9, leading=13, spaceAfter=0)
        rows = [[self._text(spans, cell if index else bold) for spans in row] for index, row in enumerate(block.rows)]
        return Grid(
            rows,
            colWidths=[width / len(block.rows[0])] * len(block.rows[0]),
            repeatRows=1 if len(rows) > 1 else 0,
            splitInRow=1,
            style=[
                ("GRID", (0, 0), (-1, -1), 0.5, _LINE),
                ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#eeeeee")),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ],
        )

    def _text(self, spans: Iterable[Span], style: ParagraphStyle) -> Flowable:
        markup = "".join(self._span(span) for span in spans)
        if _BEYOND_LATIN.search(markup):
            # Scripts without spaces break anywhere.
            style = ParagraphStyle(f"{style.name}-wide", parent=style, wordWrap="CJK")
        return TextBlock(markup, style)

    def _span(self, span: Span) -> str:
        markup = self._wide(span.text).replace("\n", "<br/>")
        if span.is_code:
            markup = f'<font name="Courier">{markup}</font>'
        for tag, is_on in (("b", span.is_bold), ("i", span.is_italic), ("strike", span.is_struck)):
            if is_on:
                markup = f"<{tag}>{markup}</{tag}>"
        if span.href.startswith(("http://", "https://", "mailto:")):
            return f'<a href={quoteattr(span.href)} color="#0563c1">{markup}</a>'
        return markup

    def _wide(self, text: str) -> str:
        """Escaped text, letters beyond Latin in the font that has them."""
        return _BEYOND_LATIN.sub(lambda found: f'<font name="{self._wide_font}">{found.group()}</font>', escape(text))


def _wrapped(code: str) -> str:
    """Code in lines that fit the page."""
    lines = [line.expandtabs(4) for line in code.split("\n")]
    return "\n".join(line[start : start + 95] for line in lines for start in range(0, max(len(line), 1), 95))
