"""Any published app through the official `openai` client, and through a published Dify client."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import dify_client
import openai
import pytest
from dify_client import models
from openai.types.chat import ChatCompletionChunk

from support.served import Api, Served, chatflow, checked, model_app, model_workflow, workflow


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


async def test_an_error_in_the_middle_of_a_stream_is_raised_after_the_text_before_it(served: Served):
    await served.add_models("mock-50tok-2ms-errat5", "mock-50tok-2ms-cut5")
    question: Any = [{"role": "user", "content": "hello"}]

    for model in ("mock-50tok-2ms-errat5", "mock-50tok-2ms-cut5"):
        app = await served.publish(model_app("chat", model))
        pieces: list[str] = []
        async with client_of(app) as client:
            stream = await client.chat.completions.create(model="m", messages=question, stream=True)
            with pytest.raises(openai.APIError) as cut:
                await _read(stream, pieces)
        # The fifth chunk of the wire is the one that names the role.
        assert len("".join(pieces).split()) == 4
        assert cut.value.code == "completion_request_error"
        assert isinstance(cut.value.body, dict)
        assert set(cut.value.body) == {"message", "type", "param", "code"}


async def _read(stream: openai.AsyncStream[ChatCompletionChunk], pieces: list[str]) -> None:
    async for chunk in stream:
        pieces.append(chunk.choices[0].delta.content or "")


async def test_a_client_that_closes_its_stream_stops_the_run(served: Served):
    app = await served.publish(chatflow("mock-hang3"))
    question: Any = [{"role": "user", "content": "hello"}]

    async with client_of(app) as client:
        stream = await client.chat.completions.create(model="m", messages=question, stream=True)
        async for chunk in stream:
            if chunk.choices[0].delta.content:
                break
        await stream.close()

    assert await asyncio.to_thread(served.models.wait_for_disconnects) < 1.0


async def test_what_is_not_there_is_a_404_in_openais_shape(served: Served):
    app = await served.publish(chatflow())

    async with client_of(app) as client:
        found = await client.models.retrieve("A advanced-chat app")
        with pytest.raises(openai.NotFoundError) as model:
            await client.models.retrieve("gpt-9")
        with pytest.raises(openai.NotFoundError) as route:
            await client.embeddings.create(model="m", input="tide")

    assert found.id == "A advanced-chat app"
    assert (model.value.code, model.value.param) == ("model_not_found", "model")
    assert "A advanced-chat app" in str(model.value)
    assert isinstance(route.value.body, dict)
    assert set(route.value.body) == {"message", "type", "param", "code"}


async def test_an_app_that_is_not_published_says_so(served: Served):
    browser = served.owner.browser
    content = {"content": json.dumps(workflow(), ensure_ascii=False)}
    app_id = (await checked(browser, "POST", "/apps/import", content))["app"]["id"]
    key = (await checked(browser, "POST", f"/apps/{app_id}/keys", {}))["secret"]

    async with openai.AsyncOpenAI(api_key=key, base_url=f"{served.base}/openai/v1", max_retries=0) as client:
        with pytest.raises(openai.BadRequestError, match="has not been published"):
            await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])


async def test_instructions_of_the_client_come_with_the_first_thing_its_user_says(served: Served):
    app = await served.publish(model_app("chat"))

    async with client_of(app) as client:
        await client.chat.completions.create(
            model="any",
            messages=[
                {"role": "system", "content": [{"type": "text", "text": "Speak Latin."}]},
                {"role": "developer", "content": "Rhyme."},
                {"role": "user", "content": "one"},
            ],
        )
        with pytest.raises(openai.BadRequestError) as alone:
            await client.chat.completions.create(model="any", messages=[{"role": "system", "content": "Speak."}])

    sent = [(m["role"], m["content"]) for m in served.models.requests()[-1].body["messages"]]
    assert sent == [("system", "Be brief."), ("user", "Speak Latin.\n\nRhyme.\n\none")]
    assert alone.value.param == "messages"


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
