"""Ask a language model.

Rules: reference `workflow-dsl.md`, section 5.4. The prompt is made in `_prompt`, the call in `_chat`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from pydantic import AliasChoices, Field

from tidemill.engine.errors import NodeFailed
from tidemill.engine.events import ReasoningDelta, ResourcesRetrieved, usage_json
from tidemill.engine.node import Context, Node
from tidemill.engine.templates import selectors
from tidemill.engine.values import Selector, Value
from tidemill.llm.prompt import (
    CallParameters,
    ParameterInvalid,
    describe,
    read_parameters,
)
from tidemill.llm.reasoning import AnswerSplitter, ReasoningFormat, split_reasoning
from tidemill.llm.types import ChatDelta, ChatRequest
from tidemill.nodes._chat import ask, choose_model, fit
from tidemill.nodes._prompt import Prompt, build_prompt
from tidemill.nodes._prompt_settings import PromptSettings
from tidemill.nodes._schema import JsonUnreadable, SchemaInvalid, SchemaViolated, check, read_json
from tidemill.nodes._shapes import LooseMapping, ModelChoice, Settings


class Config(Settings, PromptSettings):
    model: ModelChoice = ModelChoice()
    structured_output_enabled: bool = Field(
        default=False, validation_alias=AliasChoices("structured_output_enabled", "structured_output_switch_on")
    )
    structured_output: LooseMapping = Field(default_factory=dict)
    reasoning_format: ReasoningFormat = "tagged"

    @property
    def schema_of_output(self) -> Any:
        return self.structured_output.get("schema") if self.structured_output_enabled else None


class LLM(Node[Config, dict[str, Value]]):
    type = "llm"
    title = "LLM"
    is_effectful = True
    honours_retry = True
    streams = frozenset({"text"})

    async def run(self, ctx: Context) -> dict[str, Value]:
        schema = self._schema()
        parameters = self._parameters(ctx)
        model = await choose_model(ctx, self.config.model)
        prompt = await build_prompt(self.config, ctx, model, max_tokens=parameters.max_tokens)
        if prompt.passages:
            ctx.emit(ResourcesRetrieved, resources=[_citation(passage) for passage in prompt.passages])
        self._record(ctx, prompt)
        fitted = fit(model, _request(prompt, parameters, schema))
        ctx.record(process={"prompts": describe(fitted.request.messages)})
        answer = _Answer(ctx, self.config.reasoning_format)
        reply = await ask(ctx, model, fitted, answer.take, trimmed=prompt.trimmed)
        await answer.finish()
        usage = usage_json(reply.usage)
        budget = msgspec.to_builtins(reply.budget)
        ctx.record(
            process={"usage": usage, "finish_reason": reply.finish_reason, "budget": budget},
        )
        outputs: dict[str, Value] = {
            "text": answer.text,
            "reasoning_content": answer.reasoning,
            "usage": usage,
            "finish_reason": reply.finish_reason,
            "files": [],
        }
        if schema is not None:
            outputs["structured_output"] = read_structured(answer.text, schema)
        return outputs

    def _schema(self) -> dict[str, Any] | None:
        if not self.config.structured_output_enabled:
            return None
        schema = self.config.schema_of_output
        if not isinstance(schema, dict) or not schema:
            raise NodeFailed(
                "Structured output is on, but its JSON schema is missing. Write one or turn it off.",
                error_type="LLMNodeError",
                is_retryable=False,
            )
        return schema

    def _parameters(self, ctx: Context) -> CallParameters:
        try:
            return read_parameters(self.config.model.completion_params, ctx.render)
        except ParameterInvalid as error:
            raise NodeFailed(str(error), error_type="LLMNodeError", is_retryable=False) from error

    def _record(self, ctx: Context, prompt: Prompt) -> None:
        model = self.config.model
        ctx.record(
            inputs=prompt.inputs,
            process={
                "model_mode": model.mode,
                "prompts": describe(prompt.messages),
                "model_provider": model.provider,
                "model_name": model.name,
            },
        )

    def reads(self) -> tuple[Selector, ...]:
        parameters = [value for value in self.config.model.completion_params.values() if isinstance(value, str)]
        found = [selector for text in parameters for selector in selectors(text)]
        return (*PromptSettings.reads(self.config), *found)


def _request(prompt: Prompt, parameters: CallParameters, schema: dict[str, Any] | None) -> ChatRequest:
    return ChatRequest(
        messages=prompt.messages,
        max_tokens=parameters.max_tokens,
        json_schema=schema or parameters.json_schema,
        json_object=parameters.json_object and schema is None and parameters.json_schema is None,
        stop=parameters.stop,
        params=parameters.params,
    )


class _Answer:
    """Gathers the answer while it is streamed."""

    def __init__(self, ctx: Context, form: ReasoningFormat) -> None:
        self._ctx = ctx
        self._splitter = AnswerSplitter(form)
        self._text: list[str] = []
        self._reasoning: list[str] = []

    async def take(self, delta: ChatDelta) -> None:
        if delta.text or delta.reasoning:
            await self._show(*self._splitter.feed(delta.text, delta.reasoning))

    async def finish(self) -> None:
        await self._show(*self._splitter.finish())
        if self._reasoning:
            self._ctx.emit(ReasoningDelta, text="", is_final=True)

    async def _show(self, text: str, reasoning: str) -> None:
        if reasoning:
            self._reasoning.append(reasoning)
            self._ctx.emit(ReasoningDelta, text=reasoning)
        if text:
            self._text.append(text)
            await self._ctx.stream("text", text)

    @property
    def text(self) -> str:
        return "".join(self._text)

    @property
    def reasoning(self) -> str:
        return "".join(self._reasoning)


def read_structured(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The object a model was asked for, repaired where models usually err and checked against its schema.

    Raises:
        NodeFailed: There is no object in the text, or it does not have the schema's shape.
    """
    try:
        value = read_json(split_reasoning(text)[0].strip())
        if isinstance(value, list):
            value = next((item for item in value if isinstance(item, dict)), value)
        if not isinstance(value, dict):
            raise JsonUnreadable("The answer holds no JSON object.")
        check(schema, value)
    except (JsonUnreadable, SchemaViolated) as error:
        raise NodeFailed(
            f"The model's answer is not the structured output that was asked for. {error}",
            error_type="OutputParserError",
        ) from error
    except SchemaInvalid as error:
        raise NodeFailed(str(error), error_type="LLMNodeError", is_retryable=False) from error
    return value


def _citation(passage: dict[str, Any]) -> dict[str, Any]:
    metadata: dict[str, Any] = passage.get("metadata") or {}
    known = {key: value for key, value in metadata.items() if not key.startswith("_")}
    return {**known, "content": passage.get("content", ""), "title": passage.get("title", "")}
