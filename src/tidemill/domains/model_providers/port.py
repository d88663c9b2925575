"""Models of workspaces, ready for use: what runs ask through `ports.Models`.

A workspace's credentials and models are read together and kept for a few seconds; a change made in this process is
seen at once, one made by another process when they are read again. Bound models live as long as what they were
made of stays the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated
from uuid import UUID

import msgspec
from aiohttp import ClientSession
from fastapi import Depends
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection

from tidemill.domains.model_providers.models import DefaultModel, ProviderCredential, ProviderModel
from tidemill.kit.crypto import Vault
from tidemill.kit.db import Database
from tidemill.kit.single_flight import SingleFlight
from tidemill.llm import catalogue, presets
from tidemill.llm.chat import bind, bind_embedding, prepare
from tidemill.llm.connect import chat_wire, embedding_wire
from tidemill.llm.errors import ModelNotConfigured, ModelNotSupported
from tidemill.llm.types import ChatModel, EmbeddingModel, ModelFacts, ModelRef

KEPT_S = 5.0


class Shelf(msgspec.Struct, frozen=True):
    """What a workspace has: credentials by provider id, added models by (provider, name), defaults by kind."""

    credentials: dict[str, dict[str, str]]
    added: dict[tuple[str, str], ModelFacts]
    defaults: dict[str, ModelRef]

    def has_provider(self, preset: presets.Preset) -> bool:
        """Whether a provider is set up; one that asks for nothing always is."""
        return preset.id in self.credentials or not preset.fields

    def facts(self, ref: ModelRef) -> ModelFacts | None:
        """What is known of a usable model, None when the workspace cannot use it."""
        preset = presets.resolve(ref.provider)
        if preset is None or not self.has_provider(preset):
            return None
        return self.added.get((preset.id, ref.name)) or catalogue.facts(preset.id, ref.name)

    def has(self, ref: ModelRef) -> bool:
        """Whether a run could use this model now, under whatever spelling an app names it."""
        return self.facts(ref) is not None


class ModelRegistry:
    """All workspaces' models in this process. `of` gives a run its port."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        http: ClientSession,
        *,
        ollama_url: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.http = http
        self.vault = vault
        self.ollama_url = ollama_url
        self._database = database
        self._clock = clock
        self._flight = SingleFlight()
        self._shelves: dict[UUID, tuple[float, Shelf]] = {}
        self._chat: dict[tuple[UUID, str, str], ChatModel] = {}
        self._embedding: dict[tuple[UUID, str, str], EmbeddingModel] = {}

    def of(self, workspace_id: UUID) -> WorkspaceModels:
        """The models of one workspace, as nodes ask for them."""
        return WorkspaceModels(self, workspace_id)

    async def shelf(self, workspace_id: UUID, db: AsyncSession | None = None) -> Shelf:
        """What the workspace has; read with `db`, or in a transaction of its own."""
        if (shelf := self._kept(workspace_id)) is not None:
            return shelf
        if db is not None:
            return self._keep(workspace_id, await self._read(db, workspace_id))
        # Many runs at once find the same shelf out of date: one of them reads it for all.
        async with self._flight.turn(workspace_id):
            if (shelf := self._kept(workspace_id)) is not None:
                return shelf
            async with self._database.session() as own:
                return self._keep(workspace_id, await self._read(own, workspace_id))

    def _kept(self, workspace_id: UUID) -> Shelf | None:
        kept = self._shelves.get(workspace_id)
        return kept[1] if kept is not None and self._clock() - kept[0] < KEPT_S else None

    def _keep(self, workspace_id: UUID, shelf: Shelf) -> Shelf:
        kept = self._shelves.get(workspace_id)
        if kept is None or kept[1] != shelf:
            self._drop_bound(workspace_id)
        self._shelves[workspace_id] = (self._clock(), shelf)
        return shelf

    def forget(self, workspace_id: UUID) -> None:
        """Read the workspace anew next time: its credentials or models have changed."""
        self._shelves.pop(workspace_id, None)
        self._drop_bound(workspace_id)

    async def chat(self, workspace_id: UUID, ref: ModelRef) -> ChatModel:
        """A chat model bound to the workspace's credentials."""
        shelf = await self.shelf(workspace_id)
        key = (workspace_id, ref.provider, ref.name)
        if (bound := self._chat.get(key)) is not None:
            return bound
        preset, facts = _usable(shelf, ref)
        if facts.kind not in ("chat", "completion"):
            raise ModelNotSupported(f"{ref.name} is a model for {facts.kind}, not for chat. Choose another one.")
        await prepare(facts)
        model = bind(facts, chat_wire(preset, ref.name, shelf.credentials.get(preset.id, {}), self.http))
        self._chat[key] = model
        return model

    async def embedding(self, workspace_id: UUID, ref: ModelRef) -> EmbeddingModel:
        """An embedding model bound to the workspace's credentials."""
        shelf = await self.shelf(workspace_id)
        key = (workspace_id, ref.provider, ref.name)
        if (bound := self._embedding.get(key)) is not None:
            return bound
        preset, facts = _usable(shelf, ref)
        if facts.kind != "embedding":
            raise ModelNotSupported(f"{ref.name} is a model for {facts.kind}, not for embeddings. Choose another one.")
        wire = embedding_wire(preset, ref.name, shelf.credentials.get(preset.id, {}), self.http)
        model = bind_embedding(facts, wire)
        self._embedding[key] = model
        return model

    def _drop_bound(self, workspace_id: UUID) -> None:
        for bound in (self._chat, self._embedding):
            for key in [key for key in bound if key[0] == workspace_id]:
                del bound[key]

    async def _read(self, db: AsyncSession, workspace_id: UUID) -> Shelf:
        stored = await db.scalars(select(ProviderCredential).where(ProviderCredential.workspace_id == workspace_id))
        credentials = {row.provider: self.open(row) for row in stored}
        added = await db.scalars(select(ProviderModel).where(ProviderModel.workspace_id == workspace_id))
        facts = {(row.provider, row.name): facts_of(row) for row in added}
        defaults = await db.scalars(select(DefaultModel).where(DefaultModel.workspace_id == workspace_id))
        return Shelf(credentials, facts, {row.kind: ModelRef(row.provider, row.name) for row in defaults})

    def open(self, row: ProviderCredential) -> dict[str, str]:
        """The readable credentials of a stored row."""
        return msgspec.json.decode(self.vault.decrypt(row.workspace_id, row.secrets), type=dict[str, str])


class WorkspaceModels:
    """Implements `ports.Models` for one workspace."""

    def __init__(self, registry: ModelRegistry, workspace_id: UUID) -> None:
        self._registry = registry
        self._workspace_id = workspace_id

    async def chat(self, ref: ModelRef) -> ChatModel:
        """The model ready for use.

        Raises:
            ModelNotConfigured: The provider is not set up, or the model's window is unknown.
            ModelNotSupported: It is a model of another kind.
        """
        return await self._registry.chat(self._workspace_id, ref)

    async def embedding(self, ref: ModelRef) -> EmbeddingModel:
        """The embedding model ready for use; raises as `chat` does."""
        return await self._registry.embedding(self._workspace_id, ref)


def facts_of(row: ProviderModel) -> ModelFacts:
    """A model added by hand, as calls need it."""
    known = catalogue.facts(row.provider, row.name)
    return msgspec.convert(
        {
            "provider": row.provider,
            "name": row.name,
            "kind": row.kind,
            "window_tokens": row.window_tokens,
            "max_output_tokens": row.max_output_tokens,
            "features": row.features,
            "tokenizer": known.tokenizer if known else catalogue.tokenizer_for(row.name),
        },
        ModelFacts,
    )


def _usable(shelf: Shelf, ref: ModelRef) -> tuple[presets.Preset, ModelFacts]:
    preset = presets.resolve(ref.provider)
    if preset is None:
        raise ModelNotConfigured(
            f"The app names the model provider {ref.provider}, which Tidemill does not have. "
            f"Choose another model for {ref.name} in the app's models."
        )
    if not shelf.has_provider(preset):
        raise ModelNotConfigured(
            f"The model {ref.name} needs {preset.names.en}, which is not set up. "
            "Enter its credentials in the model settings, or choose another model for the app."
        )
    facts = shelf.facts(ref)
    if facts is None:
        raise ModelNotConfigured(
            f"The model {ref.name} of {preset.names.en} is not known here. "
            "Add it with its context window in the model settings, or choose another model for the app."
        )
    return preset, facts


def _registry(connection: HTTPConnection) -> ModelRegistry:
    return connection.app.state.models


Registry = Annotated[ModelRegistry, Depends(_registry)]
