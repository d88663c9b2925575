"""Each built-in template, used as a person would, gives a sensible result with the demo model in both languages."""

from __future__ import annotations

import json
from typing import Any

import pytest
from httpx import Response

from support.installation import Person
from support.served import Served, checked


def events_of(response: Response) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in response.text.split("\n") if line.startswith("data: {")]


async def take(owner: Person, slug: str, language: str) -> str:
    used = await checked(owner.browser, "POST", f"/templates/{slug}/use", {"language": language})
    return str(used["app"]["id"])


async def say(owner: Person, app_id: str, query: str, conversation: str | None = None) -> tuple[str, str, list[str]]:
    """The answer, its conversation, and the titles of the nodes that ran."""
    body = {"query": query, "inputs": {}, "conversation_id": conversation}
    events = events_of(await owner.browser.post(f"/apps/{app_id}/chat", json=body))
    assert events[-1]["event"] == "workflow_finished"
    assert events[-1]["data"]["status"] == "succeeded"
    answer = "".join(event["answer"] for event in events if event["event"] == "message")
    titles = [event["data"]["title"] for event in events if event["event"] == "node_finished"]
    return answer, str(events[0]["conversation_id"]), titles


@pytest.mark.parametrize(
    ("language", "told", "asked", "name"),
    [
        ("en", "My name is Ada and I like tide mills.", "What is my name?", "Ada"),
        ("zh-Hans", "我叫小明，我喜欢潮汐磨坊。", "我叫什么名字？", "小明"),
    ],
)
async def test_the_chatbot_remembers(served: Served, owner: Person, language: str, told: str, asked: str, name: str):
    app_id = await take(owner, "chatbot-with-memory", language)

    _, conversation, _ = await say(owner, app_id, told)
    answer, _, _ = await say(owner, app_id, asked, conversation)

    assert name in answer


@pytest.mark.parametrize(
    ("language", "inputs", "foreign"),
    [
        ("en", {"text": "Good morning", "language": "Chinese", "tone": "neutral"}, "早"),
        ("zh-Hans", {"text": "早上好", "language": "英语", "tone": "中性"}, "morning"),
    ],
)
async def test_the_translation_is_in_the_other_language(
    served: Served, owner: Person, language: str, inputs: dict[str, str], foreign: str
):
    app_id = await take(owner, "translation-workflow", language)

    events = events_of(await owner.browser.post(f"/apps/{app_id}/run", json={"inputs": inputs}))

    assert events[-1]["data"]["status"] == "succeeded"
    assert foreign in events[-1]["data"]["outputs"]["translation"]


@pytest.mark.parametrize(
    ("language", "questions"),
    [
        ("en", ["Where is my order?", "The page shows an error.", "Who founded Rome?"]),
        ("zh-Hans", ["我的订单到哪里了？", "页面报错了，怎么办？", "罗马是谁建立的？"]),
    ],
)
async def test_the_router_sends_each_kind_of_question_its_own_way(
    served: Served, owner: Person, language: str, questions: list[str]
):
    app_id = await take(owner, "question-router", language)

    ways = [await say(owner, app_id, question) for question in questions]

    models = {tuple(titles)[2] for _, _, titles in ways}
    assert len(models) == 3
    assert all(answer for answer, _, _ in ways)
