"""QR code: a text as a picture that phones read."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

from tidemill.ports import ToolCall, ToolFailed, ToolMessage
from tidemill.tools.provider import Arguments, Provider, asked, saved, setting, text

PROVIDER = Provider("qrcode", "QR Code", "Makes QR codes.", aliases=("qr_code",))


@PROVIDER.tool(
    "qrcode_generator",
    "Generate QR Code",
    "Makes a QR code of a text or an address.",
    asked("content", "The text or address."),
    setting(
        "error_correction",
        "How much of the picture may be spoilt: L 7%, M 15%, Q 25%, H 30%.",
        type="select",
        options=("L", "M", "Q", "H"),
        default="M",
    ),
    setting("border", "Width of the white border, in squares.", type="number", default=2),
    is_read_only=True,
)
async def qrcode_generator(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    import segno

    content = arguments.text("content")
    if not content:
        raise ToolFailed("There is no content for the QR code. Give it a text.")
    try:
        code = segno.make_qr(content, error=arguments.text("error_correction", "M"))
    except segno.DataOverflowError as error:
        raise ToolFailed("The content is too long for a QR code. Shorten it, or lower the error correction.") from error
    picture = io.BytesIO()
    code.save(picture, kind="png", scale=8, border=arguments.whole("border", 2, least=0, most=100))
    yield text("The QR code is saved as an image.")
    yield await saved(call, filename="qrcode.png", mime_type="image/png", data=picture.getvalue())
