"""Small office files, made byte by byte as their formats describe them."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
P = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument"


def zipped(entries: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def package(parts: Mapping[str, tuple[str, str]], main: str, **further: Mapping[str, tuple[str, str]]) -> bytes:
    """An Office Open XML package: part name -> (content type, XML); `further` adds relationships of a part."""
    overrides = "".join(f'<Override PartName="/{name}" ContentType="{kind}"/>' for name, (kind, _) in parts.items())
    entries: dict[str, str | bytes] = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f"{overrides}</Types>",
        "_rels/.rels": _relations({"rId1": ("officeDocument", main)}),
    }
    entries |= {name: f'<?xml version="1.0" encoding="UTF-8"?>{xml}' for name, (_, xml) in parts.items()}
    entries |= {name: _relations(targets) for name, targets in further.items()}
    return zipped(entries)


def _relations(targets: Mapping[str, tuple[str, str]]) -> str:
    items = "".join(
        f'<Relationship Id="{key}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for key, (kind, target) in targets.items()
    )
    return (
        f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{items}</Relationships>'
    )


def docx(*body: str) -> bytes:
    document = f"<w:document {W}><w:body>{''.join(body)}</w:body></w:document>"
    kind = f"{_TYPES}.wordprocessingml.document.main+xml"
    return package({"word/document.xml": (kind, document)}, "word/document.xml")


def paragraph(text: str) -> str:
    return f'<w:p><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def word_table(*rows: tuple[str, ...]) -> str:
    cells = ["".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) for row in rows]
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"


def xlsx(sheets: Mapping[str, tuple[tuple[str | int | None, ...], ...]]) -> bytes:
    listed = "".join(
        f'<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>' for number, name in enumerate(sheets, 1)
    )
    workbook = f"<workbook {S} {R}><sheets>{listed}</sheets></workbook>"
    parts = {"xl/workbook.xml": (f"{_TYPES}.spreadsheetml.sheet.main+xml", workbook)}
    targets: dict[str, tuple[str, str]] = {}
    for number, rows in enumerate(sheets.values(), 1):
        body = "".join(f'<row r="{at}">{_cells(at, row)}</row>' for at, row in enumerate(rows, 1))
        xml = f"<worksheet {S}><sheetData>{body}</sheetData></worksheet>"
        parts[f"xl/worksheets/sheet{number}.xml"] = (f"{_TYPES}.spreadsheetml.worksheet+xml", xml)
        targets[f"rId{number}"] = ("worksheet", f"worksheets/sheet{number}.xml")
    return package(parts, "xl/workbook.xml", **{"xl/_rels/workbook.xml.rels": targets})


def _cells(row: int, values: tuple[str | int | None, ...]) -> str:
    cells = ""
    for column, value in enumerate(values):
        place = f"{chr(ord('A') + column)}{row}"
        if isinstance(value, str):
            cells += f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
        elif value is not None:
            cells += f'<c r="{place}"><v>{value}</v></c>'
    return cells


def pptx(*slides: tuple[str, ...]) -> bytes:
    listed = "".join(f'<p:sldId id="{255 + number}" r:id="rId{number}"/>' for number in range(1, len(slides) + 1))
    show = f"<p:presentation {P} {R}><p:sldIdLst>{listed}</p:sldIdLst></p:presentation>"
    parts = {"ppt/presentation.xml": (f"{_TYPES}.presentationml.presentation.main+xml", show)}
    targets: dict[str, tuple[str, str]] = {}
    for number, texts in enumerate(slides, 1):
        shapes = "".join(
            f'<p:sp><p:nvSpPr><p:cNvPr id="{at}" name="t"/><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr/>'
            f"<p:txBody><a:bodyPr/><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
            for at, text in enumerate(texts, 2)
        )
        xml = f"<p:sld {P} {A}><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>"
        parts[f"ppt/slides/slide{number}.xml"] = (f"{_TYPES}.presentationml.slide+xml", xml)
        targets[f"rId{number}"] = ("slide", f"slides/slide{number}.xml")
    return package(parts, "ppt/presentation.xml", **{"ppt/_rels/presentation.xml.rels": targets})


def odt(*paragraphs: str) -> bytes:
    body = "".join(f"<text:p>{text}</text:p>" for text in paragraphs)
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
            'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
            'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">'
            f"<office:body><office:text>{body}</office:text></office:body></office:document-content>",
            "META-INF/manifest.xml": "<manifest:manifest "
            'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            '<manifest:file-entry manifest:full-path="/" '
            'manifest:media-type="application/vnd.oasis.opendocument.text"/></manifest:manifest>',
        }
    )


def epub(title: str, body: str) -> bytes:
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container version="1.0" '
            'xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
            '<rootfiles><rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles>'
            "</container>",
            "book.opf": '<package version="3.0" xmlns="http://www.idpf.org/2007/opf" unique-identifier="id">'
            '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">1</dc:identifier>'
            f"<dc:title>{title}</dc:title><dc:language>en</dc:language></metadata>"
            '<manifest><item id="one" href="one.xhtml" media-type="application/xhtml+xml"/></manifest>'
            '<spine><itemref idref="one"/></spine></package>',
            "one.xhtml": f'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>{title}</title></head><body>{body}</body></html>',
        }
    )


def pdf(*pages: str) -> bytes:
    """A page for each text, in a font every reader has."""
    kids = " ".join(f"{3 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
    ]
    font = 3 + 2 * len(pages)
    for number, text in enumerate(pages):
        stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {4 + 2 * number} 0 R "
            f"/Resources << /Font << /F1 {font} 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    objects.append("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    data, offsets = b"%PDF-1.4\n", list[int]()
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    tail = f"trailer << /Size {size} /Root 1 0 R >>\nstartxref\n{len(data)}\n%%EOF\n"
    return data + f"xref\n0 {size}\n0000000000 65535 f \n{table}{tail}".encode()


# ---------------------------------------------------------------- Outlook messages


def msg(subject: str, body: str) -> bytes:
    """An Outlook message: a compound file with a stream for each property."""
    properties = b"\0" * 32
    texts = {0x0037: subject, 0x1000: body}
    streams: dict[str, bytes] = {}
    for tag, text in texts.items():
        data = text.encode("utf-16-le")
        streams[f"__substg1.0_{tag:04X}001F"] = data
        properties += struct.pack("<HHIII", 0x001F, tag, 6, len(data) + 2, 0)
    streams["__properties_version1.0"] = properties
    return compound(streams)


_FREE, _END, _FAT, _NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF


def compound(streams: Mapping[str, bytes]) -> bytes:
    """A compound file (MS-CFB, version 3) of streams that are all shorter than 4096 bytes."""
    mini, minifat = b"", list[int]()
    entries: list[bytes] = []
    # A directory is a search tree; a chain to the right in the right order is one.
    names = sorted(streams, key=lambda name: (len(name), name.upper()))
    for number, name in enumerate(names, 1):
        data = streams[name]
        first, count = len(minifat), -(-len(data) // 64)
        minifat += [*range(first + 1, first + count), _END]
        mini += data.ljust(64 * count, b"\0")
        entries.append(_entry(name, 2, right=number + 1 if number < len(names) else _NONE, start=first, size=len(data)))
    sectors_of_mini = -(-len(mini) // 512)
    root = _entry("Root Entry", 5, child=1, start=3, size=len(mini))
    directory = b"".join([root, *entries]).ljust(-(-(len(entries) + 1) // 4) * 512, b"\0")
    sectors_of_directory = len(directory) // 512
    # Sector 0: FAT, 1: mini FAT, 2: unused, 3...: mini stream, then the directory.
    at_directory = 3 + sectors_of_mini
    fat = [_FAT, _END, _FREE, *range(4, at_directory), _END]
    fat += [*range(at_directory + 1, at_directory + sectors_of_directory), _END]
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, b"", 0, 1,
        at_directory, 0, 4096, 1, 1, _END, 0, 0,
    )  # fmt: skip
    return b"".join(
        [
            header.ljust(512, b"\xff"),
            _sector(fat),
            _sector(minifat),
            b"\0" * 512,
            mini.ljust(sectors_of_mini * 512, b"\0"),
            directory,
        ]
    )


def _sector(numbers: list[int]) -> bytes:
    assert len(numbers) <= 128
    return struct.pack("<128I", *numbers, *[_FREE] * (128 - len(numbers)))


def _entry(name: str, kind: int, *, right: int = _NONE, child: int = _NONE, start: int, size: int) -> bytes:
    encoded = (name + "\0").encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16sIQQIQ", encoded, len(encoded), kind, 1, _NONE, right, child, b"", 0, 0, 0, start, size
    )
