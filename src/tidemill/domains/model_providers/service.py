"""Model providers of a workspace: credentials, models, defaults."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.domains.model_providers.errors import (
    CredentialIncomplete,
    ModelNotFound,
    ModelUnusable,
    ProviderNotFound,
    WindowRequired,
)
from tidemill.domains.model_providers.models import DefaultModel, ProviderCredential, ProviderModel
from tidemill.domains.model_providers.port import ModelRegistry, Shelf, facts_of
from tidemill.domains.workspaces.permissions import Scoped
from tidemill.llm import catalogue, connect, ollama, presets
from tidemill.llm.errors import ModelError
from tidemill.llm.types import Feature, ModelFacts, ModelKind, ModelRef

UsableModels = Shelf
DEMO = ModelRef("demo", "demo")


async def usable(db: AsyncSession, scope: Scoped, registry: ModelRegistry) -> UsableModels:
    """What the workspace can use: ask `has(ref)`."""
    return await registry.shelf(scope.workspace_id, db)


def preset_of(provider: str) -> presets.Preset:
    """The preset of an id or another spelling. Raises `ProviderNotFound`."""
    preset = presets.resolve(provider)
    if preset is None:
        raise ProviderNotFound(
            f"There is no model provider {provider}. Use openai_api_compatible for a server of another kind."
        )
    return preset


def models_of(shelf: Shelf, preset: presets.Preset) -> list[ModelFacts]:
    """The provider's models, those added by hand first; they replace catalogue entries of the same name."""
    added = [facts for (provider, _), facts in sorted(shelf.added.items()) if provider == preset.id]
    names = {facts.name for facts in added}
    return added + [facts for facts in catalogue.list_models(preset.id) if facts.name not in names]


def usable_models(shelf: Shelf, kind: ModelKind) -> list[ModelFacts]:
    """Every model of a kind that can be used now."""
    ready = [preset for preset in presets.PRESETS.values() if shelf.has_provider(preset)]
    return [facts for preset in ready for facts in models_of(shelf, preset) if facts.kind == kind]


def default_of(shelf: Shelf, kind: ModelKind) -> ModelRef | None:
    """The chosen default while it is usable; for chat else the demo model."""
    chosen = shelf.defaults.get(kind)
    if chosen is not None and shelf.has(chosen):
        return chosen
    return DEMO if kind == "chat" else None


async def discover(registry: ModelRegistry) -> ollama.Found | None:
    """An Ollama on this machine, or at OLLAMA_HOST."""
    return await ollama.discover(registry.http, registry.ollama_url or ollama.BASE_URL)


async def try_credentials(
    db: AsyncSession,
    scope: Scoped,
    registry: ModelRegistry,
    provider: str,
    credentials: Mapping[str, str],
    *,
    model: str | None = None,
) -> connect.Probe:
    """Try credentials with a live call; secrets left empty are taken from what is stored. Stores nothing."""
    preset = preset_of(provider)
    shelf = await registry.shelf(scope.workspace_id, db)
    completed = _completed(preset, credentials, shelf)
    return await connect.probe(preset, completed, registry.http, model)


async def save_credentials(
    db: AsyncSession, scope: Scoped, registry: ModelRegistry, provider: str, credentials: Mapping[str, str]
) -> None:
    """Store a provider's credentials, encrypted. A secret left empty keeps the stored one.

    Raises:
        ProviderNotFound: There is no such provider.
        CredentialIncomplete: A required field is missing or a field is unknown.
    """
    preset = preset_of(provider)
    completed = _completed(preset, credentials, await registry.shelf(scope.workspace_id, db))
    if missing := connect.missing_fields(preset, completed):
        raise CredentialIncomplete(
            f"{preset.names.en} needs {' and '.join(missing)}. Fill it in and save again.", params=missing[0]
        )
    row = await _credential(db, scope, preset.id)
    if row is None:
        row = ProviderCredential(workspace_id=scope.workspace_id, provider=preset.id)
        db.add(row)
    row.secrets = registry.vault.encrypt(scope.workspace_id, json.dumps(completed, ensure_ascii=False))
    row.hint = _hint(preset, completed)
    await db.flush()
    registry.forget(scope.workspace_id)


async def delete_credentials(db: AsyncSession, scope: Scoped, registry: ModelRegistry, provider: str) -> None:
    """Forget a provider's credentials; its added models stay for when it is set up again."""
    preset = preset_of(provider)
    await db.execute(
        delete(ProviderCredential).where(
            ProviderCredential.workspace_id == scope.workspace_id, ProviderCredential.provider == preset.id
        )
    )
    registry.forget(scope.workspace_id)


async def hints(db: AsyncSession, scope: Scoped) -> dict[str, str]:
    """End of each provider's stored key, by provider id."""
    rows = await db.scalars(select(ProviderCredential).where(ProviderCredential.workspace_id == scope.workspace_id))
    return {row.provider: row.hint for row in rows}


async def add_model(
    db: AsyncSession,
    scope: Scoped,
    registry: ModelRegistry,
    provider: str,
    name: str,
    *,
    kind: ModelKind = "chat",
    window_tokens: int | None = None,
    max_output_tokens: int | None = None,
    features: Sequence[Feature] | None = None,
) -> ModelFacts:
    """Add a model by hand, or correct what is known of one.

    Raises:
        WindowRequired: Nobody knows its context window and none was given.
    """
    preset = preset_of(provider)
    known = catalogue.facts(preset.id, name)
    if known is None and preset.id == "ollama":
        known = await _ask_ollama(db, scope, registry, name)
    window = window_tokens or (known.window_tokens if known else None)
    if window is None:
        raise WindowRequired(
            f"The context window of {name} is not known. Enter it in tokens: every call is checked against it.",
            params="window_tokens",
        )
    row = await _added(db, scope, preset.id, name)
    if row is None:
        row = ProviderModel(workspace_id=scope.workspace_id, provider=preset.id, name=name)
        db.add(row)
    row.kind = kind
    row.window_tokens = window
    row.max_output_tokens = max_output_tokens or (known.max_output_tokens if known else None)
    row.features = sorted(features if features is not None else known.features if known else ())
    await db.flush()
    registry.forget(scope.workspace_id)
    return facts_of(row)


async def remove_model(db: AsyncSession, scope: Scoped, registry: ModelRegistry, provider: str, name: str) -> None:
    """Remove a model that was added by hand. Raises `ModelNotFound`."""
    row = await _added(db, scope, preset_of(provider).id, name)
    if row is None:
        raise ModelNotFound(f"No model {name} was added to this provider.")
    await db.delete(row)
    await db.flush()
    registry.forget(scope.workspace_id)


async def set_default(
    db: AsyncSession, scope: Scoped, registry: ModelRegistry, kind: ModelKind, provider: str, name: str
) -> None:
    """Choose the model used where none is named.

    Raises:
        ModelUnusable: The workspace cannot use this model, or it is of another kind.
    """
    preset = preset_of(provider)
    facts = (await registry.shelf(scope.workspace_id, db)).facts(ModelRef(preset.id, name))
    if facts is None or facts.kind != kind:
        raise ModelUnusable(f"{name} of {preset.names.en} cannot be used for {kind} here. Set it up first.")
    query = select(DefaultModel).where(DefaultModel.workspace_id == scope.workspace_id, DefaultModel.kind == kind)
    row = (await db.scalars(query)).first()
    if row is None:
        row = DefaultModel(workspace_id=scope.workspace_id, kind=kind)
        db.add(row)
    row.provider, row.name = preset.id, name
    await db.flush()
    registry.forget(scope.workspace_id)


async def _credential(db: AsyncSession, scope: Scoped, provider: str) -> ProviderCredential | None:
    query = select(ProviderCredential).where(
        ProviderCredential.workspace_id == scope.workspace_id, ProviderCredential.provider == provider
    )
    return (await db.scalars(query)).first()


async def _added(db: AsyncSession, scope: Scoped, provider: str, name: str) -> ProviderModel | None:
    query = select(ProviderModel).where(
        ProviderModel.workspace_id == scope.workspace_id,
        ProviderModel.provider == provider,
        ProviderModel.name == name,
    )
    return (await db.scalars(query)).first()


async def _ask_ollama(db: AsyncSession, scope: Scoped, registry: ModelRegistry, name: str) -> ModelFacts | None:
    shelf = await registry.shelf(scope.workspace_id, db)
    address = shelf.credentials.get("ollama", {}).get("base_url") or registry.ollama_url or ollama.BASE_URL
    try:
        return await ollama.model_facts(registry.http, address, name)
    except ModelError:
        # A server that is switched off tells nothing; the person is then asked for the window.
        return None


def _completed(preset: presets.Preset, given: Mapping[str, str], shelf: Shelf) -> dict[str, str]:
    """The given credentials; stored ones for fields not given and secrets left empty; defaults elsewhere."""
    fields = {field.name: field for field in preset.fields}
    if unknown := sorted(given.keys() - fields.keys()):
        known = ", ".join(fields) or "none"
        raise CredentialIncomplete(
            f"{preset.names.en} has no credential {unknown[0]}. Its fields: {known}.", params=unknown[0]
        )
    stored = shelf.credentials.get(preset.id, {})
    completed: dict[str, str] = {}
    for name, field in fields.items():
        kept = stored.get(name, "") if field.kind == "secret" or name not in given else ""
        if value := given.get(name, "").strip() or kept or field.default:
            completed[name] = value
    return completed


def _hint(preset: presets.Preset, credentials: Mapping[str, str]) -> str:
    secrets = [credentials.get(field.name, "") for field in preset.fields if field.kind == "secret"]
    longest = max(secrets, key=len, default="")
    # The end of a long key tells keys apart; of a short one it would tell too much.
    return f"…{longest[-4:]}" if len(longest) >= 12 else "…" if longest else ""
