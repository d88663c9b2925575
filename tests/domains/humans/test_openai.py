"""An app that asks people, through a protocol that knows no pause: the answer so far, properly ended."""

from __future__ import annotations

import openai

from domains.humans.flows import chatflow
from support.served import Served


async def test_a_pause_ends_a_chat_completion_with_the_answer_so_far(served: Served):
    app = await served.publish(chatflow())
    async with openai.AsyncOpenAI(api_key=app.key, base_url=f"{app.base}/openai/v1", max_retries=0) as client:
        whole = await client.chat.completions.create(model="any", messages=[{"role": "user", "content": "tea"}])
        stream = await client.chat.completions.create(
            model="any",
            messages=[{"role": "user", "content": "tea"}],
            stream=True,
        )
        chunks = [chunk async for chunk in stream]

    assert whole.choices[0].message.content == "One moment. "
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "One moment. "
    assert chunks[-1].choices[0].finish_reason == "stop"
