from __future__ import annotations

from typing import Literal

from pydantic import Field

from tidemill.kit.schema import LocalText, Schema
from tidemill.llm.types import Feature, ModelKind


class ModelRead(Schema):
    provider: str
    name: str
    kind: ModelKind
    window_tokens: int
    max_output_tokens: int | None
    features: list[Feature]
    is_default: bool
    source: Literal["catalogue", "workspace"] = Field(description="Where its facts come from.")


class CredentialField(Schema):
    name: str
    label: LocalText
    kind: Literal["secret", "text"]
    is_required: bool
    default: str
    placeholder: str


class ProviderRead(Schema):
    id: str
    name: LocalText
    help_url: str
    fields: list[CredentialField]
    is_configured: bool
    credential_hint: str = Field(description="End of the stored key, to tell keys apart. Never the key.")
    models: list[ModelRead]


class CredentialsWrite(Schema):
    """Credentials by field name. A secret left empty keeps the stored one."""

    credentials: dict[str, str]


class CredentialsTest(CredentialsWrite):
    model: str | None = None


class TestResult(Schema):
    __test__ = False

    ok: bool
    latency_ms: int
    message: str
    models: list[str] = Field(description="Models the provider lists, empty when it does not tell.")


class ModelCreate(Schema):
    name: str = Field(min_length=1, max_length=255)
    kind: ModelKind = "chat"
    window_tokens: int | None = Field(None, ge=1, description="Context window. Required unless the model is known.")
    max_output_tokens: int | None = Field(None, ge=1)
    features: list[Feature] | None = None


class DefaultModelWrite(Schema):
    kind: ModelKind = "chat"
    provider: str
    name: str


class Discovered(Schema):
    provider: str
    base_url: str
    models: list[str]


class ModelName(Schema):
    provider: str
    name: str


class TokensRequest(Schema):
    model: ModelName | None = None
    text: str = Field(max_length=2_000_000)
    max_tokens: int | None = Field(None, ge=1)


class TokensRead(Schema):
    tokens: int
    is_exact: bool
    window_tokens: int | None
    max_tokens: int | None = Field(description="What an answer may have: the wish, lowered to what is left.")
    remaining_tokens: int | None
