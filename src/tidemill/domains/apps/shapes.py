"""What the domain's results look like on the wire."""

from __future__ import annotations

from tidemill import dsl
from tidemill.domains.apps.imports import Outcome
from tidemill.domains.apps.models import App
from tidemill.domains.apps.schemas import (
    AppRead,
    CheckReport,
    ImportResult,
    ModelName,
    ModelUseRead,
    ProblemRead,
)
from tidemill.domains.model_providers.service import UsableModels
from tidemill.llm.types import ModelRef


def ref(name: ModelName) -> ModelRef:
    return ModelRef(name.provider, name.name)


def app(row: App, available: UsableModels) -> AppRead:
    """An app with the models it names and the workspace lacks."""
    missing = [
        ModelName(provider=provider, name=name)
        for provider, name in row.model_refs
        if not available.has(ModelRef(provider, name))
    ]
    return AppRead(
        id=row.id,
        name=row.name,
        description=row.description,
        mode=row.mode,
        icon=row.icon,
        icon_background=row.icon_background,
        revision=row.revision,
        is_published=row.is_published,
        has_unpublished_changes=row.has_unpublished_changes,
        api_enabled=row.api_enabled,
        created_at=row.created_at,
        updated_at=row.updated_at,
        missing_models=missing,
    )


def model_use(use: dsl.ModelUse, available: UsableModels) -> ModelUseRead:
    return ModelUseRead(
        node_id=use.node_id,
        node_title=use.node_title,
        kind=use.kind,
        provider=use.ref.provider,
        name=use.ref.name,
        is_available=available.has(use.ref),
    )


def report(found: dsl.Report) -> CheckReport:
    return CheckReport(
        mode=found.mode,
        version=found.version,
        nodes=found.nodes,
        errors=[_problem(problem) for problem in found.errors],
        warnings=[_problem(problem) for problem in found.warnings],
        missing_models=[ModelName(provider=missing.provider, name=missing.name) for missing in found.missing_models],
        missing_tools=list(found.missing_tools),
        missing_knowledge=list(found.missing_knowledge),
    )


def import_result(outcome: Outcome, available: UsableModels) -> ImportResult:
    status = "pending" if outcome.pending else outcome.file.import_status
    return ImportResult(
        status="completed" if outcome.app and status == "pending" else status,
        import_id=outcome.pending.id if outcome.pending else None,
        app=app(outcome.app, available) if outcome.app else None,
        report=report(outcome.report),
        current_dsl_version=dsl.CURRENT_VERSION,
        imported_dsl_version=outcome.file.version,
        error="",
    )


def _problem(problem: dsl.Problem) -> ProblemRead:
    return ProblemRead(message=problem.message, node_id=problem.node_id, code=problem.code)
