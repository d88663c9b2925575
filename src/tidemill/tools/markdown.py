"""Markdown as a list of blocks, for those who write it as something else, and as HTML.

Runs in a worker process only: the parser's cost on hostile text has no small bound. HTML inside the text is text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

import msgspec

from tidemill.ports import ToolFailed

MAX_CHARS: Final = 2_000_000
_WRAPPER: Final = re.compile(r"\s*```(?:markdown|md)?[ \t]*\n(.*)\n```\s*", re.DOTALL)
_THINKING: Final = re.compile(r"\s*<think>.*?</think>", re.DOTALL)


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A run of text in one style."""

    text: str
    is_bold: bool = False
    is_italic: bool = False
    is_code: bool = False
    is_struck: bool = False
    href: str = ""


Spans: TypeAlias = tuple[Span, ...]


class Heading(msgspec.Struct, frozen=True, kw_only=True):
    level: int
    spans: Spans


class Paragraph(msgspec.Struct, frozen=True, kw_only=True):
    spans: Spans


class Code(msgspec.Struct, frozen=True, kw_only=True):
    text: str
    language: str = ""


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    blocks: tuple[Any, ...]


class List(msgspec.Struct, frozen=True, kw_only=True):
    """`items` are the blocks of each; `start` is 0 for a list without numbers."""

    items: tuple[tuple[Any, ...], ...]
    start: int = 0


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """The first row is the header; every row has as many cells as it."""

    rows: tuple[tuple[Spans, ...], ...]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    pass


Block: TypeAlias = Heading | Paragraph | Code | Quote | List | Table | Rule


def unwrapped(text: str) -> str:
    """The text without what models put around it: their thinking, and a fence about the whole."""
    text = _THINKING.sub("", text, count=1) if text.lstrip().startswith("<think>") else text
    found = _WRAPPER.fullmatch(text)
    return found.group(1) if found and "\n```" not in found.group(1) else text


def _parser() -> Any:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def _checked(text: str) -> str:
    if not text.strip() or len(text) > MAX_CHARS:
        raise ToolFailed(f"A Markdown text has 1 to {MAX_CHARS} characters, this one {len(text)}.")
    return unwrapped(text)


def to_html(text: str) -> str:
    """The HTML of a Markdown text, with no script in it. Raises `ToolFailed`."""
    return _parser().render(_checked(text))


def parse(text: str) -> list[Block]:
    """The blocks of a Markdown text, in order. Raises `ToolFailed`."""
    from markdown_it.tree import SyntaxTreeNode

    return _blocks(SyntaxTreeNode(_parser().parse(_checked(text))).children)


def _blocks(nodes: Iterable[Any]) -> list[Block]:
    found: list[Block] = []
    for node in nodes:
        match node.type:
            case "heading":
                found.append(Heading(level=int(node.tag[1]), spans=_inline(node)))
            case "paragraph":
                found.append(Paragraph(spans=_inline(node)))
            case "fence" | "code_block":
                found.append(
                    Code(text=node.content.rstrip("\n"), language=node.info.split(" ")[0] if node.info else "")
                )
            case "blockquote":
                found.append(Quote(blocks=tuple(_blocks(node.children))))
            case "bullet_list" | "ordered_list":
                items = tuple(tuple(_blocks(item.children)) for item in node.children)
                start = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else 0
                found.append(List(items=items, start=start))
            case "table":
                found.append(_table(node))
            case "hr":
                found.append(Rule())
            case _:
                continue
    return found


def _table(node: Any) -> Table:
    rows = [tuple(_inline(cell) for cell in row.children) for part in node.children for row in part.children]
    width = len(rows[0])
    empty: Spans = ()
    return Table(rows=tuple((*row, *([empty] * (width - len(row))))[:width] for row in rows))


def _inline(node: Any) -> Spans:
    spans: list[Span] = []
    for child in node.children:
        _collect(child.children if child.type == "inline" else [child], Span(text=""), spans)
    return tuple(spans)


def _collect(nodes: Iterable[Any], style: Span, spans: list[Span]) -> None:
    for node in nodes:
        match node.type:
            case "text":
                spans.append(msgspec.structs.replace(style, text=node.content))
            case "code_inline":
                spans.append(msgspec.structs.replace(style, text=node.content, is_code=True))
            case "softbreak":
                spans.append(msgspec.structs.replace(style, text=" "))
            case "hardbreak":
                spans.append(msgspec.structs.replace(style, text="\n"))
            case "image":
                spans.append(msgspec.structs.replace(style, text=node.content, href=str(node.attrs.get("src", ""))))
            case "strong":
                _collect(node.children, msgspec.structs.replace(style, is_bold=True), spans)
            case "em":
                _collect(node.children, msgspec.structs.replace(style, is_italic=True), spans)
            case "s":
                _collect(node.children, msgspec.structs.replace(style, is_struck=True), spans)
            case "link":
                _collect(node.children, msgspec.structs.replace(style, href=str(node.attrs.get("href", ""))), spans)
            case _:
                _collect(node.children or [], style, spans)


def plain(spans: Spans) -> str:
    """The text of spans without their styles."""
    return "".join(span.text for span in spans)


def tables(text: str) -> list[list[list[str]]]:
    """The cells of all tables, the header first. Raises `ToolFailed` when there is none."""
    found = [[[plain(cell) for cell in row] for row in table.rows] for table in _all_tables(parse(text))]
    if not found:
        raise ToolFailed("There is no table in the Markdown text. Write one with | between the cells.")
    return found


def _all_tables(blocks: Iterable[Any]) -> list[Table]:
    found: list[Table] = []
    for block in blocks:
        if isinstance(block, Table):
            found.append(block)
        elif isinstance(block, Quote):
            found += _all_tables(block.blocks)
        elif isinstance(block, List):
            found += [table for item in block.items for table in _all_tables(item)]
    return found


def title_of(blocks: Iterable[Block]) -> str:
    """The first heading, or nothing."""
    return next((plain(block.spans) for block in blocks if isinstance(block, Heading)), "")


def page(text: str) -> str:
    """A whole HTML page of a Markdown text. Raises `ToolFailed`."""
    title = html.escape(title_of(parse(text)) or "Document")
    style = (
        "body{max-width:50rem;margin:2rem auto;padding:0 1rem;font:16px/1.6 system-ui,sans-serif}"
        "table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.3em .6em}"
        "pre{background:#f5f5f5;padding:1em;overflow:auto}blockquote{border-left:3px solid #ccc;margin:0;padding:0 1em}"
    )
    return (
        f'<!doctype html>\n<html>\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n<style>{style}</style>\n'
        f"</head>\n<body>\n{to_html(text)}</body>\n</html>\n"
    )
