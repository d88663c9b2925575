"""Agent apps over the Service API, on a real server with a real model wire and the built-in tools."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import dify_client
from dify_client import models

from support.served import PROVIDER, Answer, Api, Served, model_app

MODEL = "mock-5tok-0ms"
ASK = "How much is 6 times 7?"
CALL = {"match": "How much", "tool": {"name": "eval_expression", "arguments": {"expression": "6*7"}}}
RESULT = 'The result of the expression "6*7" is 42'
REPLY = {"match": "is 42$", "reply": "It is forty-two."}


def tool(provider: str, name: str, **parameters: Any) -> dict[str, Any]:
    return {
        "enabled": True,
        "provider_id": provider,
        "provider_name": provider,
        "provider_type": "builtin",
        "tool_name": name,
        "tool_label": name.title(),
        "tool_parameters": parameters,
    }


MATHS = tool("maths", "eval_expression", expression="")


def agent_app(
    *tools: dict[str, Any], strategy: str | None = "function_call", limit: int = 5, model: str = MODEL
) -> Any:
    mode = {"enabled": True, "strategy": strategy, "max_iteration": limit, "prompt": None, "tools": list(tools)}
    return model_app("agent-chat", model, agent_mode=mode)


async def ask(app: Api, query: str = ASK, **fields: Any) -> Answer:
    return await app.chat(query, response_mode="streaming", **fields)


def thoughts(answer: Answer) -> list[dict[str, Any]]:
    """The last state of every thought, in order."""
    found = {event["id"]: event for event in answer.events if event["event"] == "agent_thought"}
    return list(found.values())


async def test_an_agent_app_streams_thoughts_and_text_and_no_workflow_events(served: Served):
    served.models.script(CALL, REPLY)
    app = await served.publish(agent_app(MATHS))

    answer = await ask(app)

    assert answer.status == 200
    assert set(answer.names) == {"agent_thought", "agent_message", "message_end"}
    assert answer.names[0] == "agent_thought"
    assert answer.names[-1] == "message_end"
    said = "".join(event["answer"] for event in answer.events if event["event"] == "agent_message")
    assert said == "It is forty-two."
    first, last = thoughts(answer)
    assert list(first) == [
        *("event", "conversation_id", "message_id", "created_at", "task_id", "id", "position", "thought"),
        *("observation", "tool", "tool_labels", "tool_input", "message_files"),
    ]
    assert (first["position"], first["tool"]) == (1, "eval_expression")
    assert json.loads(first["tool_input"]) == {"eval_expression": {"expression": "6*7"}}
    assert json.loads(first["observation"]) == {"eval_expression": RESULT}
    assert first["tool_labels"]["eval_expression"]["en_US"] == "Eval_Expression"
    assert (last["position"], last["thought"], last["tool"]) == (2, said, "")
    usage = answer.events[-1]["metadata"]["usage"]
    assert usage["total_tokens"] > 0


async def test_a_thought_is_sent_again_under_its_id_as_it_fills_in(served: Served):
    served.models.script(CALL, REPLY)
    app = await served.publish(agent_app(MATHS))

    answer = await ask(app)

    sent = [event for event in answer.events if event["event"] == "agent_thought"]
    assert [event["position"] for event in sent] == [1, 1, 1, 2, 2]
    assert [(bool(event["tool"]), bool(event["observation"])) for event in sent[:3]] == [
        (False, False),
        (True, False),
        (True, True),
    ]
    assert len({event["id"] for event in sent}) == 2


async def test_stored_messages_have_their_thoughts_for_clients_and_for_the_console(served: Served):
    served.models.script(CALL, REPLY)
    app = await served.publish(agent_app(MATHS))
    answer = await ask(app)
    conversation_id = answer.events[0]["conversation_id"]

    listed = await app.get(f"/messages?user=ada&conversation_id={conversation_id}")

    (message,) = listed.json()["data"]
    assert message["answer"] == "It is forty-two."
    stored, streamed = message["agent_thoughts"], thoughts(answer)
    assert [item["id"] for item in stored] == [item["id"] for item in streamed]
    for name in ("position", "thought", "tool", "tool_labels", "tool_input", "observation"):
        assert [item[name] for item in stored] == [item[name] for item in streamed]
    assert stored[0]["message_id"] == message["id"]
    assert stored[0]["chain_id"] is None
    assert stored[0]["files"] == []


async def test_the_console_shows_the_thoughts_of_a_draft(served: Served):
    served.models.script(CALL, REPLY)
    app = await served.publish(agent_app(MATHS))
    browser = served.owner.browser
    answer = await browser.post(f"/apps/{app.app_id}/chat", json={"query": ASK})
    assert answer.status_code == 200
    started = json.loads(answer.text.split("\n")[0].removeprefix("data: "))

    path = f"/apps/{app.app_id}/conversations/{started['conversation_id']}/messages"
    listed = await browser.get(path)

    (message,) = listed.json()["data"]
    assert [item["tool"] for item in message["agent_thoughts"]] == ["eval_expression", ""]


async def test_a_later_turn_tells_the_model_of_the_earlier_calls(served: Served):
    served.models.script(CALL, REPLY, {"match": "And again", "reply": "Still forty-two."})
    app = await served.publish(agent_app(MATHS))
    first = await ask(app)

    await ask(app, "And again?", conversation_id=first.events[0]["conversation_id"])

    messages = served.models.requests()[-1].body["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert messages[2]["tool_calls"][0]["function"]["name"] == "eval_expression"
    assert messages[3]["content"] == RESULT
    assert messages[4]["content"] == "It is forty-two."


async def test_a_model_that_acts_in_text_shows_only_its_final_answer(served: Served):
    look = 'Thought: compute\nAction: {"action": "eval_expression", "action_input": {"expression": "6*7"}}'
    final = 'Thought: done\nAction: {"action": "Final Answer", "action_input": "It is forty-two."}'
    served.models.script({"match": "next step", "reply": final}, {"match": "How much", "reply": look})
    app = await served.publish(agent_app(MATHS, strategy="react"))

    answer = await ask(app)

    said = "".join(event["answer"] for event in answer.events if event["event"] == "agent_message")
    assert said == "It is forty-two."
    first, last = thoughts(answer)
    assert (first["thought"], first["tool"]) == ("compute", "eval_expression")
    assert json.loads(first["observation"]) == {"eval_expression": RESULT}
    assert last["thought"] == said
    assert "tools" not in served.models.requests()[0].body


async def test_a_model_that_can_call_tools_does_so_whatever_the_strategy_says(served: Served):
    body = {"name": "mock-calls", "kind": "chat", "window_tokens": 8192, "features": ["tool-call"]}
    added = await served.owner.browser.post("/model-providers/openai/models", json=body)
    assert added.status_code < 300, added.text
    served.models.script(CALL, REPLY)
    app = await served.publish(agent_app(MATHS, strategy="react", model="mock-calls"))

    answer = await ask(app)

    assert answer.names[-1] == "message_end"
    assert [item["function"]["name"] for item in served.models.requests()[0].body["tools"]] == ["eval_expression"]


async def test_an_app_of_an_agent_package_says_its_whole_answer_at_the_end(served: Served):
    served.models.script(CALL, REPLY)
    soul = {
        "schema_version": 1,
        "prompt": {"system_prompt": "You compute for {{name}}."},
        "model": {"model_provider": PROVIDER, "model": MODEL, "model_settings": {}},
        "tools": {"dify_tools": [MATHS], "cli_tools": []},
        "app_variables": [{"name": "name", "type": "string", "required": True}],
    }
    document = {
        "app": {"mode": "agent", "name": "Packed", "description": "", "icon": "🧭", "icon_background": "#FFFFFF"},
        "kind": "app",
        "version": "0.7.0",
        "agent": {"package_ref": "main"},
        "agent_packages": {"main": {"schema_version": 1, "metadata": {"name": "Packed"}, "soul": soul}},
    }
    app = await served.publish(document)

    answer = await ask(app, inputs={"name": "Ada"})

    assert answer.names[-2:] == ["message", "message_end"]
    assert answer.events[-2]["answer"] == "It is forty-two."
    assert [item["tool"] for item in thoughts(answer)] == ["eval_expression", ""]
    assert served.models.requests()[0].body["messages"][0]["content"] == "You compute for Ada."


async def test_a_tool_that_fails_is_told_to_the_model(served: Served):
    wrong = {"match": "How much", "tool": {"name": "eval_expression", "arguments": {"expression": "6*"}}}
    served.models.script(wrong, {"match": "tool invoke error", "reply": "I cannot compute that."})
    app = await served.publish(agent_app(MATHS))

    answer = await ask(app)

    assert answer.names[-1] == "message_end"
    assert "tool invoke error: Invalid expression" in thoughts(answer)[0]["observation"]


async def test_too_many_rounds_end_the_stream_with_an_error(served: Served):
    served.models.script({"match": "", "tool": {"name": "eval_expression", "arguments": {"expression": "1"}}})
    app = await served.publish(agent_app(MATHS, limit=2))

    answer = await ask(app)

    assert answer.names[-1] == "error"
    assert "limit of 2 iterations" in answer.events[-1]["message"]
    assert "message_end" not in answer.names
    assert len(served.models.requests()) == 3
    listed = await app.get(f"/messages?user=ada&conversation_id={answer.events[0]['conversation_id']}")
    (message,) = listed.json()["data"]
    assert message["status"] == "error"
    assert [item["position"] for item in message["agent_thoughts"]] == [1, 2, 3]


async def test_a_file_that_a_tool_makes_is_sent_and_kept_with_the_message(served: Served):
    draw = {"match": "Draw", "tool": {"name": "qrcode_generator", "arguments": {"content": "tide"}}}
    served.models.script(draw, {"match": "qrcode.png", "reply": "Here it is."})
    app = await served.publish(agent_app(tool("qrcode", "qrcode_generator")))

    answer = await ask(app, "Draw a code")

    (shown,) = [event for event in answer.events if event["event"] == "message_file"]
    assert (shown["type"], shown["belongs_to"]) == ("image", "assistant")
    assert thoughts(answer)[0]["message_files"] == [shown["id"]]
    async with app.http.get(shown["url"]) as picture:
        assert (await picture.read()).startswith(b"\x89PNG")
    assert [file["filename"] for file in answer.events[-1]["files"]] == ["qrcode.png"]
    listed = await app.get(f"/messages?user=ada&conversation_id={answer.events[0]['conversation_id']}")
    (message,) = listed.json()["data"]
    (kept,) = message["message_files"]
    assert (kept["filename"], kept["belongs_to"]) == ("qrcode.png", "assistant")
    assert message["agent_thoughts"][0]["files"] == [shown["id"]]


async def test_a_tool_that_is_not_here_is_left_out(served: Served):
    served.models.script({"match": "How much", "reply": "I do not know."})
    app = await served.publish(agent_app(tool("nobody/has/this", "search")))

    answer = await ask(app)

    assert answer.names[-1] == "message_end"
    assert "tools" not in served.models.requests()[0].body


async def test_blocking_mode_is_refused(served: Served):
    app = await served.publish(agent_app(MATHS))

    answer = await app.chat(ASK)

    assert answer.status == 400
    assert "blocking" in answer.json()["message"]


async def test_a_stopped_agent_ends_with_what_it_has(served: Served):
    app = await served.publish(agent_app(MATHS, model="mock-hang3"))

    async with app.stream("/chat-messages", {"query": "Hello"}) as reader:
        first = await reader.until("agent_message")
        await app.post(f"/chat-messages/{first['task_id']}/stop", {"user": "ada"})
        names = await reader.rest()

    assert names[-1] == "message_end"


async def test_the_openai_endpoint_answers_with_the_agent_s_text(served: Served):
    served.models.script(CALL, REPLY)
    app = await served.publish(agent_app(MATHS))
    headers = {"Authorization": f"Bearer {app.key}"}
    body: dict[str, Any] = {"model": "x", "messages": [{"role": "user", "content": ASK}]}

    async with app.http.post(f"{app.base}/openai/v1/chat/completions", headers=headers, json=body) as response:
        whole = await response.json()
    async with app.http.post(
        f"{app.base}/openai/v1/chat/completions", headers=headers, json={**body, "stream": True}
    ) as response:
        lines = [line[6:] for line in (await response.text()).split("\n") if line.startswith("data: {")]

    assert whole["choices"][0]["message"]["content"] == "It is forty-two."
    pieces = [json.loads(line)["choices"][0]["delta"].get("content") or "" for line in lines]
    assert "".join(pieces) == "It is forty-two."


async def test_another_user_sees_no_thoughts_of_a_conversation(served: Served):
    served.models.script(CALL, REPLY)
    app = await served.publish(agent_app(MATHS))
    answer = await ask(app)

    listed = await app.get(f"/messages?user=eve&conversation_id={answer.events[0]['conversation_id']}")

    assert listed.status == 404


async def test_a_published_dify_client_reads_the_stream(served: Served):
    served.models.script(CALL, REPLY)
    app = await served.publish(agent_app(MATHS))

    events = await asyncio.to_thread(_use_dify_client, app)

    names = [str(event.event.value) for event in events]
    assert set(names) == {"agent_thought", "agent_message", "message_end"}
    seen = [event for event in events if event.event.value == "agent_thought"]
    assert seen[2].tool == "eval_expression"
    assert RESULT in json.loads(seen[2].observation)["eval_expression"]
    assert "".join(event.answer for event in events if event.event.value == "agent_message") == "It is forty-two."


def _use_dify_client(app: Api) -> list[Any]:
    client = dify_client.Client(api_key=app.key, api_base=f"{app.base}/v1")
    streaming = models.ResponseMode.STREAMING
    return list(client.chat_messages(models.ChatRequest(response_mode=streaming, query=ASK, user="ada")))
