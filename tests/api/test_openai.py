"""Any published app through the official `openai` client, and through a published Dify client."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import dify_client
import openai
import pytest
from dify_client import models

from support.served import Api, Served, chatflow, model_app, model_workflow, workflow


def client_of(app: Api) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(api_key=app.key, base_url=f"{app.base}/openai/v1", max_retries=0)


@pytest.mark.parametrize("mode", ["chat", "completion", "advanced-chat", "workflow"])
async def test_every_mode_answers_a_chat_completion(served: Served, mode: str):
    documents = {"advanced-chat": chatflow(), "workflow": model_workflow("mock-5tok-0ms")}
    app = await served.publish(documents.get(mode) or model_app(mode))

    async with client_of(app) as client:
        answer = await client.chat.completions.create(model="any", messages=[{"role": "user", "content": "hello"}])
        stream = await client.chat.completions.create(
            model="any",
            messages=[{"role": "user", "content": "hello"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]

    text = answer.choices[0].message.content
    assert text
    assert len(text.split()) == 5
    assert (answer.model, answer.choices[0].finish_reason) == ("any", "stop")
    assert answer.usage is not None
    assert answer.usage.total_tokens > 5
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == text
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 5


async def test_earlier_messages_are_the_apps_history(served: Served):
    app = await served.publish(model_app("chat"))

    async with client_of(app) as client:
        await client.chat.completions.create(
            model="any",
            messages=[
                {"role": "system", "content": "Speak Latin."},
                {"role": "user", "content": "one"},
                {"role": "assistant", "content": "uno"},
                {"role": "user", "content": "two"},
            ],
        )

    sent = [(m["role"], m["content"]) for m in served.models.requests()[-1].body["messages"]]
    assert sent[-3:] == [("user", "Speak Latin.\n\none"), ("assistant", "uno"), ("user", "two")]
    assert sent[0] == ("system", "Be brief.")


async def test_a_workflow_without_text_answers_its_outputs(served: Served):
    app = await served.publish(workflow())

    async with client_of(app) as client:
        answer = await client.chat.completions.create(model="any", messages=[{"role": "user", "content": "tide"}])

    assert answer.choices[0].message.content == "tide"


async def test_the_one_model_is_the_app(served: Served):
    app = await served.publish(chatflow())

    async with client_of(app) as client:
        listed = await client.models.list()

    assert [model.id for model in listed.data] == ["A advanced-chat app"]


async def test_errors_have_openais_shape(served: Served):
    app, broken = await served.publish(chatflow()), await served.publish(model_app("chat", "mock-err401"))
    question: Any = [{"role": "user", "content": "hello"}]

    async with client_of(app) as client, client_of(broken) as failing:
        with pytest.raises(openai.AuthenticationError) as refused:
            await client.with_options(api_key="app-nothing").chat.completions.create(model="m", messages=question)
        with pytest.raises(openai.BadRequestError) as empty:
            await client.chat.completions.create(model="m", messages=[])
        with pytest.raises(openai.BadRequestError) as failed:
            await failing.chat.completions.create(model="m", messages=question)
        stream = await failing.chat.completions.create(model="m", messages=question, stream=True)
        with pytest.raises(openai.APIError) as cut:
            async for _ in stream:
                pass

    assert refused.value.code == "invalid_api_key"
    assert empty.value.param == "messages"
    assert failed.value.code == "provider_not_initialize"
    assert cut.value.code == "provider_not_initialize"


async def test_a_picture_inside_a_message_reaches_the_model(served: Served):
    app = await served.publish(
        model_app(
            "chat", file_upload={"image": {"enabled": True, "number_limits": 3, "transfer_methods": ["local_file"]}}
        )
    )
    png = base64.b64encode(bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")).decode()

    async with client_of(app) as client:
        answer = await client.chat.completions.create(
            model="any",
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is this?"},
                        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{png}"}},
                    ],
                }
            ],
        )

    assert answer.choices[0].message.content


async def test_a_published_dify_client_talks_to_us(served: Served):
    chat, flow = await served.publish(chatflow()), await served.publish(workflow())

    said, events, ran, stopped, uploaded = await asyncio.to_thread(_use_dify_client, chat, flow)

    assert len(said.answer.split()) == 5
    assert said.metadata.usage.completion_tokens == 5
    names = [str(event.event.value) for event in events]
    assert names[0] == "workflow_started"
    assert names[-2:] == ["message_end", "workflow_finished"]
    assert "".join(event.answer for event in events if event.event.value == "message") == said.answer
    assert ran.data.outputs == {"out": "tide"}
    assert stopped.result == "success"
    assert uploaded.name == "notes.txt"


def _use_dify_client(chat: Api, flow: Api) -> tuple[Any, list[Any], Any, Any, Any]:
    client = dify_client.Client(api_key=chat.key, api_base=f"{chat.base}/v1")
    blocking, streaming = models.ResponseMode.BLOCKING, models.ResponseMode.STREAMING
    said = client.chat_messages(models.ChatRequest(response_mode=blocking, query="hello", user="ada"))
    events = list(client.chat_messages(models.ChatRequest(response_mode=streaming, query="hello", user="ada")))
    uploaded = client.upload_files(("notes.txt", b"tides", "text/plain"), models.UploadFileRequest(user="ada"))
    stopped = client.stop_chat_messages("nothing", models.StopRequest(user="ada"))
    runner = dify_client.Client(api_key=flow.key, api_base=f"{flow.base}/v1")
    ran = runner.run_workflows(models.WorkflowsRunRequest(inputs={"x": "tide"}, response_mode=blocking, user="ada"))
    return said, events, ran, stopped, uploaded
