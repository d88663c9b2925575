"""What the demo model says. Rules in order: tools, schema, titles, classes, translation, memory, summary, echo."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Final

from tidemill.llm import demo_words as words
from tidemill.llm.demo_dictionary import is_chinese, target_language, translated
from tidemill.llm.demo_schema import Filler
from tidemill.llm.types import ChatRequest, ToolCall, ToolSpec

MAX_ECHO_CHARS: Final = 240
MAX_SUMMARY_CHARS: Final = 200
MAX_ROLE_CHARS: Final = 120
MAX_TITLE_CHARS: Final = 32


class Prompt:
    """A request as the demo model reads it."""

    def __init__(self, request: ChatRequest) -> None:
        self.request = request
        spoken = [message.text.strip() for message in request.messages if message.role == "user"]
        self.system = "\n".join(message.text for message in request.messages if message.role == "system").strip()
        self.query = spoken[-1] if spoken else self.system
        self.earlier = spoken[:-1]
        self.is_chinese = is_chinese(self.query or self.system)
        self.instruction = f"{self.system}\n{self.query}"

    def say(self, english: str, chinese: str) -> str:
        return chinese if self.is_chinese else english


def answer(request: ChatRequest) -> str | ToolCall:
    """The whole answer to a request: text, or the one tool call it makes."""
    prompt = Prompt(request)
    last = request.messages[-1] if request.messages else None
    if last is not None and last.role == "tool":
        return _report(prompt, last.text)
    if request.tools and request.tool_choice != "none":
        return _call(prompt, request.tools)
    if request.json_schema is not None:
        return json.dumps(_filled(prompt, request.json_schema), ensure_ascii=False)
    text = _talk(prompt)
    if request.json_object and not text.startswith("{"):
        return json.dumps({"answer": text}, ensure_ascii=False)
    return text


def _talk(prompt: Prompt) -> str:
    rules: tuple[Callable[[Prompt], str | None], ...] = (_title, _classify, _translate, _recall, _greet, _summarize)
    for rule in rules:
        found = rule(prompt)
        if found is not None:
            return found
    return _echo(prompt)


def _title(prompt: Prompt) -> str | None:
    """A title for a conversation: the first words of the message below the instruction."""
    if not re.match(r"(?:give|write|suggest)\b.{0,20}\btitle\b", prompt.query, re.IGNORECASE):
        return None
    _, _, message = prompt.query.partition("\n\n")
    return _short(" ".join(message.split()), MAX_TITLE_CHARS) if message.strip() else None


def _report(prompt: Prompt, result: str) -> str:
    result = _short(result, MAX_ECHO_CHARS)
    return prompt.say(
        f"The tool answered: {result}\n\n(This is Tidemill's demo model.)",
        f"工具返回的结果是：{result}\n\n（这是 Tidemill 的演示模型。）",
    )


def _call(prompt: Prompt, tools: Sequence[ToolSpec]) -> ToolCall:
    by_name = {tool.name: tool for tool in tools}
    tool = by_name.get(prompt.request.tool_choice or "")
    if tool is None:
        described = [f"{item.name.replace('_', ' ')} {item.description}" for item in tools]
        tool = tools[described.index(words.nearest(prompt.query, described, default=described[0]))]
    arguments = _filled(prompt, tool.parameters, is_literal=True)
    return ToolCall(id="call_demo_1", name=tool.name, arguments=json.dumps(arguments, ensure_ascii=False))


def _filled(prompt: Prompt, schema: dict[str, object], *, is_literal: bool = False) -> object:
    source = words.source_text(prompt.system, prompt.query)
    number = words.first_number(prompt.query)

    def text(name: str, description: str) -> str:
        if is_literal:
            return source
        return _field(prompt, source, f"{name} {description}".lower())

    def choice(options: Sequence[str]) -> str:
        return words.nearest(prompt.query, options, default=options[0])

    return Filler(schema, text=text, choice=choice, number=number).value(schema)


def _field(prompt: Prompt, source: str, about: str) -> str:
    if "name" in about.split() and (name := words.stated_name([prompt.query])):
        return name
    if re.search(r"translat|译", about):
        return translated(source)
    if re.search(r"langu|语言", about):
        return prompt.say("English", "中文")
    if re.search(r"summar|摘要|总结", about):
        return _short(source, MAX_SUMMARY_CHARS)
    return _short(source, MAX_ECHO_CHARS) or prompt.say("demo", "演示")


def _classify(prompt: Prompt) -> str | None:
    if not re.search(
        r"classif|categor|rout(?:e|ing)|label|intent|分类|类别|归类|意图|标签", prompt.instruction, re.IGNORECASE
    ):
        return None
    found = words.categories(prompt.system) or words.categories(prompt.query)
    if len(found) < 2:
        return None
    question = words.without_list(prompt.query)
    other = next((item for item in found if words.is_other(item.name)), found[-1])
    labels = [f"{item.name} {item.about}" for item in found]
    picked = found[labels.index(words.nearest(question, labels, default=f"{other.name} {other.about}"))]
    if re.search(r"category_id|json", prompt.instruction, re.IGNORECASE):
        return json.dumps({"category_id": picked.id or picked.name, "category_name": picked.name}, ensure_ascii=False)
    return picked.name


def _translate(prompt: Prompt) -> str | None:
    if not re.search(r"translat|翻译|翻譯|译成|译为|译文", prompt.instruction, re.IGNORECASE):
        return None
    source = words.source_text(prompt.system, prompt.query)
    if not source:
        return None
    target = target_language(prompt.instruction)
    if is_chinese(source):
        return f"[Demo translation] {source if target == 'zh' else translated(source)}"
    return f"【演示译文】{source if target == 'en' else translated(source)}"


def _recall(prompt: Prompt) -> str | None:
    if re.search(r"\b(?:what(?:'s| is)|know|remember|tell me) my name\b|who am i\b", prompt.query, re.IGNORECASE) or (
        re.search(r"我(?:的)?(?:叫什么|名字(?:是|叫)?什么|是谁)|记得我(?:的名字|叫)", prompt.query)
    ):
        name = words.stated_name(prompt.earlier)
        if name is None:
            return prompt.say("You have not told me your name yet.", "您还没有告诉我您的名字。")
        return prompt.say(f"Your name is {name}.", f"您叫{name}。")
    if re.search(
        r"what did i (?:just )?(?:say|ask|tell)|my (?:last|previous) (?:message|question)", prompt.query, re.I
    ) or (re.search(r"我(?:刚才|刚刚|之前|上次)(?:说|问)", prompt.query)):
        if not prompt.earlier:
            return prompt.say("This is your first message.", "这是您的第一条消息。")
        said = _short(prompt.earlier[-1], MAX_ECHO_CHARS)
        return prompt.say(f"Before this, you said: “{said}”", f"在这之前，您说的是：“{said}”")
    return None


def _greet(prompt: Prompt) -> str | None:
    name = words.stated_name([prompt.query])
    if name is not None and len(prompt.query) < MAX_ECHO_CHARS:
        return prompt.say(
            f"Nice to meet you, {name}! I am Tidemill's demo model. Ask me later what your name is: I will remember.",
            f"很高兴认识您，{name}！我是 Tidemill 的演示模型。稍后可以问我您叫什么，我会记得。",
        )
    if re.fullmatch(
        r"\W*(?:hi|hello|hey|good (?:morning|evening))\b[\w\s,]{0,20}\W*|\W*(?:你好|您好|嗨)\W*", prompt.query, re.I
    ):
        return prompt.say(
            "Hello! I am Tidemill's built-in demo model. I need no key and I do not think: I show how an app runs.",
            "你好！我是 Tidemill 内置的演示模型。我不需要密钥，也不会思考，只用来演示应用如何运行。",
        )
    return None


def _summarize(prompt: Prompt) -> str | None:
    if not re.search(r"summar|总结|摘要|概括", prompt.instruction, re.IGNORECASE):
        return None
    source = words.source_text(prompt.system, prompt.query)
    first = re.split(r"(?<=[.!?。！？])\s*", source)[0]
    summary = _short(first, MAX_SUMMARY_CHARS)
    return prompt.say(f"In short (demo summary): {summary}", f"简而言之（演示摘要）：{summary}")


def _echo(prompt: Prompt) -> str:
    said = _short(words.source_text(prompt.system, prompt.query), MAX_ECHO_CHARS)
    turn = len(prompt.earlier) + 1
    lines = [prompt.say(f"You wrote: “{said}”", f"您写道：“{said}”")]
    if turn > 1:
        lines[0] += prompt.say(f" It is your message number {turn} here.", f"这是本次对话中您的第 {turn} 条消息。")
    if prompt.system and prompt.system != prompt.query:
        # Shows which of an app's branches answered.
        role = _short(prompt.system, MAX_ROLE_CHARS)
        lines.append(prompt.say(f"My instructions here are: “{role}”", f"我在这里得到的指示是：“{role}”"))
    lines.append(
        prompt.say(
            "I am Tidemill's built-in **demo model**. I need no key and I do not think; I only show how an app runs. "
            "Choose a real model in the model settings to get real answers.",
            "我是 Tidemill 内置的**演示模型**，不需要密钥，也不会思考，只用来演示应用如何运行。"
            "要得到真正的回答，请在模型设置中选择一个真实的模型。",
        )
    )
    return "\n\n".join(lines)


def _short(text: str, limit: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
