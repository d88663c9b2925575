from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from tidemill.kit.schema import Schema

AuthType = Literal["none", "header", "query", "basic", "bearer"]
ToolProviderKind = Literal["builtin", "api", "mcp", "workflow"]
NAME = r"^\S[^\n]*$"


class ToolParameterRead(Schema):
    name: str
    label: str
    type: str
    description: str
    form: Literal["llm", "form"]
    is_required: bool
    default: Any
    options: list[str]


class ToolRead(Schema):
    name: str
    label: str
    description: str
    parameters: list[ToolParameterRead]


class ToolCredentialField(Schema):
    name: str
    label: str
    help: str
    is_required: bool
    is_secret: bool


class ToolProviderRead(Schema):
    """A provider and its tools. Secrets are never among them."""

    id: str = Field(description="What tool nodes name: the id of an added provider, the name of a built-in one.")
    kind: ToolProviderKind
    name: str
    label: str
    description: str
    is_usable: bool
    problem: str = Field(description="Why it cannot be used; empty when it can.")
    address: str = Field(description="Where it is, without keys: the server's host, or the program's command line.")
    auth_type: str
    credential_hint: str = Field(description="End of the stored key, to tell keys apart. Never the key.")
    credential_fields: list[ToolCredentialField]
    app_id: UUID | None
    tools: list[ToolRead]


class Auth(Schema):
    """How calls are authorized. A secret left empty keeps the stored one."""

    type: AuthType = "none"
    name: str = Field("", max_length=255, description="Of the header or query parameter.")
    value: str = Field("", max_length=20_000, description="The key or token.")
    username: str = Field("", max_length=255)
    password: str = Field("", max_length=20_000)


class ApiToolCreate(Schema):
    name: str = Field("", max_length=100, description="Default: the document's title.")
    description: str = Field("", max_length=10_000)
    document: str = Field("", description="The text of an OpenAPI document.")
    url: str = Field("", max_length=2_000, description="Where to fetch the document, if it is not given.")
    base_url: str = Field("", max_length=2_000, description="In place of the servers that the document names.")
    auth: Auth = Field(default_factory=lambda: Auth.model_validate({}))


class ApiToolUpdate(Schema):
    """What is given is changed."""

    name: str | None = Field(None, min_length=1, max_length=100)
    description: str | None = Field(None, max_length=10_000)
    document: str | None = None
    url: str | None = Field(None, max_length=2_000)
    base_url: str | None = Field(None, max_length=2_000)
    auth: Auth | None = None


class ApiDocumentRead(Schema):
    title: str
    description: str
    version: str
    servers: list[str]
    tools: list[ToolRead]


class McpToolCreate(Schema):
    name: str = Field(min_length=1, max_length=100, pattern=NAME)
    description: str = Field("", max_length=10_000)
    url: str = Field("", max_length=2_000)
    command: str = Field("", max_length=2_000, description="A command line that the administrator has allowed.")
    transport: Literal["auto", "streamable_http", "sse"] = "auto"
    headers: dict[str, str] = Field(default_factory=dict)
    env: dict[str, str] = Field(default_factory=dict)
    timeout_s: float = Field(30.0, gt=0, le=120)
    call_timeout_s: float = Field(300.0, gt=0, le=600)


class McpToolUpdate(Schema):
    """What is given is changed; a header or variable with an empty value keeps the stored one."""

    name: str | None = Field(None, min_length=1, max_length=100, pattern=NAME)
    description: str | None = Field(None, max_length=10_000)
    url: str | None = Field(None, max_length=2_000)
    command: str | None = Field(None, max_length=2_000)
    transport: Literal["auto", "streamable_http", "sse"] | None = None
    headers: dict[str, str] | None = None
    env: dict[str, str] | None = None
    timeout_s: float | None = Field(None, gt=0, le=120)
    call_timeout_s: float | None = Field(None, gt=0, le=600)


class ToldParameter(Schema):
    description: str = Field("", max_length=2_000)
    form: Literal["llm", "form"] = "llm"


class WorkflowToolCreate(Schema):
    app_id: UUID
    name: str = Field("", max_length=100, description="Default: made of the app's name.")
    label: str = Field("", max_length=255)
    description: str = Field("", max_length=10_000)
    parameters: dict[str, ToldParameter] = Field(default_factory=dict)


class WorkflowToolUpdate(Schema):
    """What is given is changed."""

    name: str | None = Field(None, min_length=1, max_length=100)
    label: str | None = Field(None, max_length=255)
    description: str | None = Field(None, max_length=10_000)
    parameters: dict[str, ToldParameter] | None = None


class ToolCredentialsWrite(Schema):
    """Credentials by field name. A secret left empty keeps the stored one."""

    credentials: dict[str, str]


class ToolTest(Schema):
    tool: str = Field("", max_length=255, description="Default: an MCP server is asked for its tools.")
    arguments: dict[str, Any] = Field(default_factory=dict)


class ToolTestResult(Schema):
    ok: bool
    latency_ms: int
    message: str = Field(description="What went wrong; empty when nothing did.")
    text: str
    data: list[Any] = Field(description="The JSON that the tool gave.")
    files: list[str] = Field(description="Names of the files it made. They are not kept.")
