"""ModelScope: pictures made and changed by open models.

Reference: modelscope.cn, "API-Inference": images are made in the background and asked for until they are there.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import quote

from tidemill.ports import ToolCall, ToolFailed, ToolMessage
from tidemill.tools.provider import Arguments, CredentialField, Provider, asked, json_data, saved, setting, text
from tidemill.tools.web import ask, ask_json, words

API: Final = "https://api-inference.modelscope.cn/v1"
MAX_WAIT_S: Final = 300.0
_SIZE: Final = re.compile(r"\d{2,5}x\d{2,5}")

PROVIDER = Provider(
    "modelscope",
    "ModelScope",
    "Pictures by open models.",
    aliases=("wwwzhouhui/qwen_text2image/modelscope", "qwen_text2image"),
    credentials=[
        CredentialField(
            name="api_key", label="ModelScope token", help="From modelscope.cn", environment="MODELSCOPE_API_KEY"
        )
    ],
)


def _headers(call: ToolCall, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {call.credentials['api_key']}", **more}


async def _made(call: ToolCall, body: dict[str, Any]) -> str:
    """The address of the picture that a request leads to."""
    headers = _headers(call, **{"X-ModelScope-Async-Mode": "true", "Idempotency-Key": call.idempotency_key})
    begun = await ask_json(call, "ModelScope", f"{API}/images/generations", method="POST", headers=headers, data=body)
    task = words(begun, "task_id")
    if not task:
        raise ToolFailed("ModelScope did not begin the picture. Try again.")
    headers = _headers(call, **{"X-ModelScope-Task-Type": "image_generation"})
    loop = asyncio.get_running_loop()
    deadline, pause_s = loop.time() + MAX_WAIT_S, 1.0
    while True:
        state = await ask_json(call, "ModelScope", f"{API}/tasks/{quote(task, safe='')}", headers=headers)
        match words(state, "task_status"):
            case "SUCCEED":
                if url := words(state, "output_images", 0):
                    return url
                raise ToolFailed("ModelScope finished without a picture. Try again.")
            case "FAILED" | "CANCELED":
                said = words(state, "errors", "message") or words(state, "error", "message") or "it gave no reason"
                raise ToolFailed(f"ModelScope could not make the picture: {said}.")
            case _:
                pass
        if loop.time() + pause_s > deadline:
            raise ToolFailed(f"ModelScope did not finish the picture within {MAX_WAIT_S:g} seconds. Try again.")
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 5.0)


async def _picture(call: ToolCall, body: dict[str, Any]) -> AsyncIterator[ToolMessage]:
    url = await _made(call, body)
    response = await ask(call, "ModelScope", url, max_bytes=30 * 1024 * 1024)
    mime_type = response.headers.get("content-type", "").partition(";")[0] or "image/png"
    yield json_data({"url": url, "model": body["model"]})
    yield text("The picture is ready.")
    yield await saved(call, filename=f"picture.{_extension(mime_type)}", mime_type=mime_type, data=response.body)


def _extension(mime_type: str) -> str:
    return {"image/jpeg": "jpg", "image/webp": "webp"}.get(mime_type, "png")


@PROVIDER.tool(
    "text2image",
    "Text to image",
    "Makes a picture of a description.",
    asked("prompt", "Description of the picture."),
    setting("model", "Model.", default="Qwen/Qwen-Image"),
    setting("size", "Width and height, such as 1024x1024.", default="1024x1024"),
    is_read_only=False,
)
async def text2image(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    size = arguments.text("size")
    body = {
        "model": arguments.text("model") or "Qwen/Qwen-Image",
        "prompt": arguments.text("prompt"),
        "n": 1,
        "size": size if _SIZE.fullmatch(size) else "1024x1024",
    }
    async for message in _picture(call, body):
        yield message


@PROVIDER.tool(
    "image2image",
    "Image to image",
    "Changes a picture as it is told.",
    asked("prompt", "What to change."),
    asked("image_url", "Address of the picture; it must be one that ModelScope can reach."),
    setting("model", "Model.", default="Qwen/Qwen-Image-Edit"),
    setting("size", "Width and height, such as 1024x1024; those of the picture when empty."),
    is_read_only=False,
)
async def image2image(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    url = arguments.text("image_url").strip()
    if not url.startswith(("http://", "https://", "data:image/")):
        raise ToolFailed("`image_url` must be an address that begins with http:// or https://.")
    body: dict[str, Any] = {
        "model": arguments.text("model") or "Qwen/Qwen-Image-Edit",
        "prompt": arguments.text("prompt"),
        "image_url": [url],
    }
    if _SIZE.fullmatch(arguments.text("size")):
        body["size"] = arguments.text("size")
    async for message in _picture(call, body):
        yield message
