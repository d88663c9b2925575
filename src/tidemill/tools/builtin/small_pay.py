"""Small Pay: WeChat payments for single developers.

Reference: pay.freecicoda.com, "createOrder" and "queryOrder".
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Final

from tidemill.ports import ToolCall, ToolFailed, ToolMessage
from tidemill.tools.provider import Arguments, CredentialField, Provider, asked, json_data, saved, setting, text
from tidemill.tools.web import ask_json, part, words

API: Final = "https://pay.freecicoda.com/smallPayment/api/v1/order"
MAX_WAIT_S: Final = 120.0
# The flows that use this tool compare these very words.
_STATUS: Final = {"0": "未支付", "1": "支付成功", "2": "支付失败", "3": "已过期", "4": "订单取消", "5": "订单退款"}

PROVIDER = Provider(
    "small_pay",
    "Small Pay",
    "WeChat payments for single developers.",
    credentials=[
        CredentialField(
            name="api_key", label="Small Pay API key", help="From pay.freecicoda.com", environment="SMALL_PAY_API_KEY"
        )
    ],
)


def _checked(answer: Any) -> dict[str, Any]:
    if part(answer, "code") != 200 or not isinstance(part(answer, "data"), dict):
        raise ToolFailed(f"Small Pay refused the request: {words(answer, 'message') or 'it gave no reason'}.")
    return answer


def _cents(value: float) -> int:
    try:
        money = Decimal(str(value))
    except InvalidOperation as error:
        raise ToolFailed(f"{value} is not a sum of money.") from error
    if not Decimal(1) <= money <= Decimal(200) or money != money.quantize(Decimal("0.01"), ROUND_HALF_UP):
        raise ToolFailed("The sum must be from 1.00 to 200.00 yuan, with two digits after the point at most.")
    return int(money * 100)


@PROVIDER.tool(
    "create_order",
    "Create order",
    "Makes an order and gives its number and the QR code to pay it with.",
    asked("money", "The sum in yuan, 1.00 to 200.00.", type="number"),
    setting("title", "Title of the order, 100 characters at most.", default=""),
    setting("desc", "Description of the order, 200 characters at most.", default=""),
    setting("valid_times", "Kept for old files.", type="number", default=1),
    is_read_only=False,
)
async def create_order(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    title, description = arguments.text("title"), arguments.text("desc")
    if len(title) > 100 or len(description) > 200:
        raise ToolFailed("The order's title may have 100 characters, its description 200. Shorten them.")
    body = {
        "apiKey": call.credentials["api_key"],
        "title": title,
        "desc": description,
        "money": _cents(arguments.number("money")),
    }
    headers = {"Idempotency-Key": call.idempotency_key}
    answer = await ask_json(call, "Small Pay", f"{API}/createOrder", method="POST", headers=headers, data=body)
    data = _checked(answer)["data"]
    yield text(words(data, "orderNo"))
    picture = words(data, "qrCodeBase64")
    head, comma, rest = picture.partition(",")
    mime_type = head.removeprefix("data:").partition(";")[0] if comma else "image/png"
    try:
        decoded = base64.b64decode(rest if comma else picture)
    except binascii.Error as error:
        raise ToolFailed("Small Pay gave a QR code that cannot be read.") from error
    if decoded:
        yield await saved(call, filename="qrcode.png", mime_type=mime_type, data=decoded)


@PROVIDER.tool(
    "query_order",
    "Query order",
    "Says whether an order has been paid, waiting two minutes at most for it.",
    asked("order_no", "Number of the order."),
)
async def query_order(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    number = arguments.text("order_no").strip()
    if not number:
        yield text("订单号不存在")
        return
    query = [("apiKey", call.credentials["api_key"]), ("orderNo", number)]
    loop = asyncio.get_running_loop()
    deadline, pause_s = loop.time() + MAX_WAIT_S, 0.5
    while True:
        answer = _checked(await ask_json(call, "Small Pay", f"{API}/queryOrder", query=query))
        # The person has just been shown the code, and the flow goes on when it has been paid.
        if answer["data"].get("status") != 0 or loop.time() + pause_s > deadline:
            break
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 3.0)
    yield text(_STATUS.get(words(answer, "data", "status"), "未知状态"))
    yield json_data(answer)
