"""The console's routes of model providers and models."""

from __future__ import annotations

from fastapi import APIRouter

from tidemill.domains.model_providers import counting, service, shapes
from tidemill.domains.model_providers.port import Registry
from tidemill.domains.model_providers.schemas import (
    CredentialsTest,
    CredentialsWrite,
    DefaultModelWrite,
    Discovered,
    ModelCreate,
    ModelRead,
    ProviderRead,
    TestResult,
    TokensRead,
    TokensRequest,
)
from tidemill.domains.workspaces.permissions import Admin, Viewer
from tidemill.kit.db import Db
from tidemill.llm.presets import PRESETS
from tidemill.llm.types import ModelKind

router = APIRouter(tags=["models"])


@router.get("/model-providers")
async def list_providers(member: Viewer, registry: Registry, db: Db) -> list[ProviderRead]:
    """Every provider preset: what it asks for, whether it is set up, and its models."""
    shelf = await registry.shelf(member.workspace_id, db)
    hints = await service.hints(db, member)
    return [shapes.provider(preset, shelf, hints.get(preset.id, "")) for preset in PRESETS.values()]


@router.get("/model-providers/discover")
async def discover_providers(member: Admin, registry: Registry) -> list[Discovered]:
    """Model servers found on this machine."""
    found = await service.discover(registry)
    return [Discovered(provider="ollama", base_url=found.base_url, models=found.models)] if found else []


@router.post("/model-providers/{provider}/test")
async def test_credentials(
    provider: str, body: CredentialsTest, member: Admin, registry: Registry, db: Db
) -> TestResult:
    """Try credentials with a live call. Stores nothing."""
    probe = await service.try_credentials(db, member, registry, provider, body.credentials, model=body.model)
    return TestResult.model_validate(probe)


@router.put("/model-providers/{provider}/credentials", status_code=204)
async def save_credentials(provider: str, body: CredentialsWrite, member: Admin, registry: Registry, db: Db) -> None:
    """Store a provider's credentials, encrypted. They cannot be read back."""
    await service.save_credentials(db, member, registry, provider, body.credentials)


@router.delete("/model-providers/{provider}/credentials", status_code=204)
async def delete_credentials(provider: str, member: Admin, registry: Registry, db: Db) -> None:
    """Forget a provider's credentials."""
    await service.delete_credentials(db, member, registry, provider)


@router.post("/model-providers/{provider}/models", status_code=201)
async def add_model(provider: str, body: ModelCreate, member: Admin, registry: Registry, db: Db) -> ModelRead:
    """Add a model by hand, or correct what is known of one."""
    facts = await service.add_model(
        db,
        member,
        registry,
        provider,
        body.name,
        kind=body.kind,
        window_tokens=body.window_tokens,
        max_output_tokens=body.max_output_tokens,
        features=body.features,
    )
    return shapes.model(facts, await registry.shelf(member.workspace_id, db))


@router.delete("/model-providers/{provider}/models/{name:path}", status_code=204)
async def remove_model(provider: str, name: str, member: Admin, registry: Registry, db: Db) -> None:
    """Remove a model that was added by hand."""
    await service.remove_model(db, member, registry, provider, name)


@router.get("/models")
async def list_models(member: Viewer, registry: Registry, db: Db, kind: ModelKind = "chat") -> list[ModelRead]:
    """The models that can be used now."""
    shelf = await registry.shelf(member.workspace_id, db)
    return [shapes.model(facts, shelf) for facts in service.usable_models(shelf, kind)]


@router.put("/models/default", status_code=204)
async def set_default_model(body: DefaultModelWrite, member: Admin, registry: Registry, db: Db) -> None:
    """Choose the model used where none is named."""
    await service.set_default(db, member, registry, body.kind, body.provider, body.name)


@router.post("/tokens")
async def count_tokens(body: TokensRequest, member: Viewer, registry: Registry, db: Db) -> TokensRead:
    """Count a text's tokens and what a model's window leaves for the answer."""
    return await counting.count(await registry.shelf(member.workspace_id, db), body)
