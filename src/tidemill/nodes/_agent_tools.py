"""The tools of an agent, from the entries that app files have for them.

Rules: reference `workflow-dsl.md`, sections 5.12 (`tools`) and 7.6 (`agent_mode.tools`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, get_args

from pydantic import Field, field_validator

from tidemill.agent.calling import RESOURCES
from tidemill.agent.task import AgentTool, model_name
from tidemill.engine.errors import NodeFailed
from tidemill.engine.node import Context
from tidemill.engine.values import Missing, Value, plain
from tidemill.nodes._shapes import LooseMapping, LooseText, Shape
from tidemill.ports import (
    Knowledge,
    McpServers,
    Passage,
    ToolCall,
    ToolFailed,
    ToolKind,
    ToolMessage,
    ToolParameter,
    ToolRef,
    Tools,
    ToolSpec,
)
from tidemill.ports import Tool as ReadyTool

_KINDS = frozenset(get_args(ToolKind))


class ToolEntry(Shape):
    """A tool as an app file lists it for an agent; nodes and agent apps spell the keys differently."""

    enabled: bool = True
    type: str = ""
    provider_type: str = ""
    provider_id: str = ""
    provider_name: str = ""
    tool_name: str = ""
    tool_label: LooseText = ""
    tool_description: LooseText = ""
    extra: LooseMapping = Field(default_factory=dict)
    settings: LooseMapping = Field(default_factory=dict)
    parameters: LooseMapping = Field(default_factory=dict)
    tool_parameters: LooseMapping = Field(default_factory=dict)
    credential_id: str = ""

    @field_validator("enabled", mode="before")
    @classmethod
    def _is_on(cls, value: Any) -> bool:
        return value is not False

    @property
    def ref(self) -> ToolRef:
        named = self.provider_type or self.type
        kind: Any = named if named in _KINDS else "builtin"
        return ToolRef(
            kind=kind,
            provider=self.provider_id or self.provider_name,
            name=self.tool_name,
            credential_id=self.credential_id,
            provider_name=self.provider_name,
        )

    @property
    def description(self) -> str:
        return str(self.extra.get("description") or "") or self.tool_description


async def find_tools(
    ctx: Context, entries: Sequence[ToolEntry], *, mcp: Sequence[str] = (), is_lenient: bool
) -> tuple[list[AgentTool], list[str]]:
    """The tools that are on, ready for use, and a sentence for each one that an agent app goes without.

    Raises:
        NodeFailed: A tool of a node cannot be had (`is_lenient` False), or an MCP server.
    """
    found: dict[str, AgentTool] = {}
    missing: list[str] = []
    for entry in entries:
        if not entry.enabled or not entry.tool_name:
            continue
        try:
            tool = await ctx.port(Tools).find(entry.ref)
        except ToolFailed as error:
            if not is_lenient:
                raise NodeFailed(str(error), error_type=error.error_type, is_retryable=False) from error
            missing.append(str(error))
            continue
        _add(found, tool, entry.description, entry.tool_label, fixed_arguments(ctx, entry, tool.spec))
    for config in mcp:
        for tool in await _mcp_tools(ctx, config):
            _add(found, tool)
    return list(found.values()), missing


async def _mcp_tools(ctx: Context, config: str) -> Sequence[ReadyTool]:
    try:
        return await ctx.port(McpServers).tools(config)
    except ToolFailed as error:
        raise NodeFailed(str(error), error_type=error.error_type) from error
    except NodeFailed as failure:
        raise NodeFailed(
            "The agent takes tools from MCP servers, and this run has no connection to any. "
            "Take the servers out of the agent's settings, or run it where MCP is available.",
            error_type="PortUnavailable",
            is_retryable=False,
        ) from failure


def _add(
    found: dict[str, AgentTool],
    tool: ReadyTool,
    description: str = "",
    label: str = "",
    fixed: Mapping[str, Value] | None = None,
) -> None:
    name = model_name(tool.spec.name, found)
    found[name] = AgentTool(name=name, tool=tool, description=description, label=label, fixed=fixed or {})


def fixed_arguments(ctx: Context, entry: ToolEntry, spec: ToolSpec) -> dict[str, Value]:
    """The arguments that the author set: those of the form, and those not left to the model (`auto: 0`)."""
    fixed: dict[str, Value] = {}
    for parameter in spec.parameters:
        for written in (entry.settings, entry.parameters, entry.tool_parameters):
            if parameter.name not in written:
                continue
            value = _fixed(ctx, parameter, written[parameter.name], is_setting=written is entry.settings)
            if value is not None and value != "":
                fixed[parameter.name] = value
    return fixed


def _fixed(ctx: Context, parameter: ToolParameter, written: Any, *, is_setting: bool) -> Value:
    """The value an author set for a parameter, None where the model fills it in."""
    if isinstance(written, dict) and "auto" in written:
        return None if str(written["auto"]) in ("1", "True") else resolved(ctx, written.get("value"))
    is_wrapped = isinstance(written, dict) and "value" in written
    # A bare value of a parameter that models fill in is what older files leave behind.
    if parameter.form == "llm" and not is_setting and not is_wrapped:
        return None
    return resolved(ctx, written)


def resolved(ctx: Context, written: Any) -> Value:
    """A configured value: templates rendered, wrappers taken off, selectors followed; None where there is nothing."""
    if isinstance(written, dict) and "value" in written and set(written) <= {"type", "value", "auto"}:
        if written.get("type") == "variable":
            return _variable(ctx, written["value"])
        return resolved(ctx, written["value"])
    return ctx.render(written) if isinstance(written, str) else written


def _variable(ctx: Context, selector: Any) -> Value:
    if isinstance(selector, str):
        selector = selector.strip().removeprefix("{{#").removesuffix("#}}").split(".")
    value = ctx.find([str(part) for part in selector]) if isinstance(selector, list) and len(selector) > 1 else None
    return None if isinstance(value, Missing) else value


# ---------------------------------------------------------------- knowledge bases


def _citation(passage: Passage) -> dict[str, Any]:
    known = {key: value for key, value in passage.metadata.items() if not key.startswith("_")}
    return plain({**known, "content": passage.content, "title": passage.title})


class KnowledgeTool:
    """Implements `ports.Tool`: a search in knowledge bases."""

    def __init__(self, name: str, dataset_ids: Sequence[str], options: Mapping[str, Any]) -> None:
        self._dataset_ids = tuple(dataset_ids)
        self._options = dict(options)
        query = ToolParameter(name="query", description="What to look for, as a question or a few words.")
        self._spec = ToolSpec(
            provider="knowledge",
            name=name,
            label="Knowledge",
            description="Search the knowledge of this app for passages that answer a question.",
            parameters=(query,),
            is_read_only=True,
        )

    @property
    def spec(self) -> ToolSpec:
        return self._spec

    async def call(self, arguments: Mapping[str, Value], call: ToolCall) -> AsyncIterator[ToolMessage]:
        query = str(arguments.get("query") or "").strip()
        if not query:
            raise ToolFailed("The query is empty. Give a question to look for.")
        found = await call.port(Knowledge).retrieve(query=query, dataset_ids=self._dataset_ids, options=self._options)
        yield ToolMessage(kind="log", name=RESOURCES, data=[_citation(passage) for passage in found])
        text = "\n\n".join(passage.content for passage in found)
        yield ToolMessage(kind="text", text=text or "No passage was found for this query.")


def knowledge_tools(
    dataset_ids: Sequence[str], options: Mapping[str, Any], *, taken: Collection[str]
) -> list[AgentTool]:
    """One tool for each knowledge base in single mode, one for all of them otherwise."""
    groups = [[item] for item in dataset_ids] if options.get("retrieval_model") == "single" else [list(dataset_ids)]
    found: dict[str, AgentTool] = {}
    for group in groups:
        name = model_name("dataset_retrieval", {*taken, *found})
        found[name] = AgentTool(name=name, tool=KnowledgeTool(name, group, options))
    return list(found.values())
