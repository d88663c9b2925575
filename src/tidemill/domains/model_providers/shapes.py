"""What the domain's results look like on the wire."""

from __future__ import annotations

from tidemill.domains.model_providers.port import Shelf
from tidemill.domains.model_providers.schemas import CredentialField, ModelRead, ProviderRead
from tidemill.domains.model_providers.service import default_of, models_of
from tidemill.kit.schema import LocalText
from tidemill.llm import presets
from tidemill.llm.types import ModelFacts, ModelRef


def model(facts: ModelFacts, shelf: Shelf) -> ModelRead:
    return ModelRead(
        provider=facts.provider,
        name=facts.name,
        kind=facts.kind,
        window_tokens=facts.window_tokens,
        max_output_tokens=facts.max_output_tokens,
        features=sorted(facts.features),
        is_default=default_of(shelf, facts.kind) == ModelRef(facts.provider, facts.name),
        source="workspace" if (facts.provider, facts.name) in shelf.added else "catalogue",
    )


def provider(preset: presets.Preset, shelf: Shelf, hint: str) -> ProviderRead:
    return ProviderRead(
        id=preset.id,
        name=_text(preset.names),
        help_url=preset.help_url,
        fields=[
            CredentialField(
                name=field.name,
                label=_text(field.label),
                kind=field.kind,
                is_required=field.is_required,
                default=field.default,
                placeholder=field.placeholder,
            )
            for field in preset.fields
        ],
        is_configured=shelf.has_provider(preset),
        credential_hint=hint,
        models=[model(facts, shelf) for facts in models_of(shelf, preset)],
    )


def _text(text: presets.Text) -> LocalText:
    return LocalText.of(text.en, text.zh)
