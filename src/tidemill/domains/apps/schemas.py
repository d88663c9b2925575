from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from tidemill.kit.schema import LocalText, Schema

Mode = Literal["chat", "completion", "agent-chat", "advanced-chat", "workflow", "agent"]


class ModelName(Schema):
    provider: str
    name: str


class AppRead(Schema):
    id: UUID
    name: str
    description: str
    mode: str
    icon: str
    icon_background: str | None
    revision: int
    is_published: bool
    has_unpublished_changes: bool
    api_enabled: bool
    created_at: datetime
    updated_at: datetime
    missing_models: list[ModelName] = Field(description="Models the draft names that the workspace does not have.")


class AppPage(Schema):
    items: list[AppRead]
    next_cursor: str | None


class AppUpdate(Schema):
    name: str | None = Field(None, min_length=1, max_length=255)
    description: str | None = Field(None, max_length=10_000)
    api_enabled: bool | None = None


class AppImportCreate(Schema):
    content: str = Field(description="The app file.")
    name: str | None = Field(None, max_length=255)
    app_id: UUID | None = Field(None, description="An app whose draft the file replaces.")


class ProblemRead(Schema):
    message: str
    node_id: str | None
    code: str


class CheckReport(Schema):
    mode: str
    version: str
    nodes: int
    errors: list[ProblemRead]
    warnings: list[ProblemRead]
    missing_models: list[ModelName]
    missing_tools: list[str]
    missing_knowledge: list[str]


class ImportResult(Schema):
    status: Literal["completed", "completed-with-warnings", "pending", "failed"]
    import_id: UUID | None = Field(description="To confirm a pending import with, for ten minutes.")
    app: AppRead | None
    report: CheckReport
    current_dsl_version: str
    imported_dsl_version: str
    error: str


class TemplateRead(Schema):
    slug: str
    name: LocalText
    description: LocalText
    mode: str
    icon: str


class TemplateUse(Schema):
    language: Literal["en", "zh-Hans"] = "en"
    name: str | None = Field(None, max_length=255)


class Point(Schema):
    x: float
    y: float


class HandleRead(Schema):
    id: str
    label: str


class GraphNode(Schema):
    id: str
    type: str
    title: str
    parent_id: str | None
    position: Point
    width: float
    height: float
    category: str
    summary: list[str]
    handles: list[HandleRead]


class GraphEdge(Schema):
    id: str
    source: str
    target: str
    handle: str


class GraphRead(Schema):
    nodes: list[GraphNode]
    edges: list[GraphEdge]


class NodeUpdate(Schema):
    title: str = Field(min_length=1, max_length=255)


class ModelUseRead(Schema):
    node_id: str
    node_title: str
    kind: str
    provider: str
    name: str
    is_available: bool


class ModelMapping(Schema):
    source: ModelName = Field(alias="from")
    target: ModelName = Field(alias="to")


class ModelMappings(Schema):
    mappings: list[ModelMapping] = Field(min_length=1)


class PublishCreate(Schema):
    note: str = Field("", max_length=10_000)


class VersionRead(Schema):
    version_id: UUID
    number: int
    created_at: datetime


Parameters = dict[str, Any]
