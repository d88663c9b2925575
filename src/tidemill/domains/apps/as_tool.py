"""Published workflows as tools of the workspace see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from tidemill import dsl
from tidemill.domains.apps import service
from tidemill.domains.apps.errors import NotPublishable
from tidemill.domains.apps.models import App
from tidemill.domains.toolbox.workflows import WorkflowShape
from tidemill.domains.workspaces.permissions import Scoped
from tidemill.engine.errors import GraphInvalid
from tidemill.ports import ParameterType, ToolParameter

_TYPES: Mapping[str, ParameterType] = {
    "select": "select",
    "number": "number",
    "checkbox": "boolean",
    "file": "file",
    "file-list": "files",
    "json_object": "object",
}

MAX_KNOWN = 1_000
# The forms of published versions, which never change.
_known: dict[UUID, tuple[ToolParameter, ...]] = {}


async def workflow_shape(db: AsyncSession, scope: Scoped, app_id: UUID) -> WorkflowShape:
    """Implements `toolbox.workflows.WorkflowApps`.

    Raises:
        AppNotFound: The workspace has no such app.
        NotPublishable: It is no workflow, is not published, or begins with a trigger.
    """
    app = await service.get(db, scope, app_id)
    if app.mode != "workflow":
        raise NotPublishable(f"{app.name} is no workflow, so it cannot be a tool. Choose an app of mode workflow.")
    if app.published_version_id is None:
        raise NotPublishable(f"{app.name} has not been published. Publish it, then use it as a tool.")
    parameters = _known.get(app.published_version_id)
    if parameters is None:
        parameters = await _read(db, scope, app, app.published_version_id)
    return WorkflowShape(name=app.name, description=app.description, parameters=parameters)


async def _read(db: AsyncSession, scope: Scoped, app: App, version_id: UUID) -> tuple[ToolParameter, ...]:
    version = await service.get_version(db, scope, app.id, version_id)
    try:
        compiled = dsl.compile(dsl.AppFile.from_document(version.document))
    except (dsl.DslInvalid, GraphInvalid) as error:
        raise NotPublishable(f"{app.name} cannot run as it is: {error}") from error
    if compiled.trigger is not None:
        raise NotPublishable(f"{app.name} begins with a trigger, so it cannot be a tool. Let it begin with a form.")
    if len(_known) >= MAX_KNOWN:
        _known.clear()
    parameters = _known[version_id] = form_parameters(compiled.inputs)
    return parameters


def form_parameters(fields: Sequence[dsl.InputField]) -> tuple[ToolParameter, ...]:
    """The input form of a workflow as a tool's parameters."""
    return tuple(
        ToolParameter(
            name=field.variable,
            type=_TYPES.get(field.type, "string"),
            label=field.label or field.variable,
            description=field.hint or field.label,
            is_required=field.required,
            default=field.default,
            options=tuple(str(option) for option in field.options) if field.type == "select" else (),
        )
        for field in fields
        if not field.hide
    )
