from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field, field_validator

from tidemill.domains.accounts.service import is_email
from tidemill.domains.workspaces.permissions import Role
from tidemill.kit.schema import Schema

Language = Literal["en", "zh-Hans"]
Theme = Literal["light", "dark", "system"]


class SetupRead(Schema):
    is_done: bool = Field(description="Whether the owner's account exists.")
    needs_code: bool = Field(description="Whether the one-time code printed at start, or INIT_PASSWORD, is asked for.")
    environment: str
    version: str


class SetupCreate(Schema):
    email: str = Field(max_length=255)
    password: str = Field(max_length=1024)
    name: str = Field("", max_length=100)
    code: str = Field("", max_length=200)
    language: Language = "en"

    @field_validator("email")
    @classmethod
    def _looks_like_an_address(cls, value: str) -> str:
        if not is_email(value):
            raise ValueError("this is not an email address")
        return value


class SessionCreate(Schema):
    email: str = Field(max_length=255)
    password: str = Field(max_length=1024)


class AccountRead(Schema):
    id: UUID
    email: str
    name: str
    language: str
    theme: str


class WorkspaceRead(Schema):
    id: UUID
    name: str


class PublicUrls(Schema):
    api: str = Field(description="Base URL of the Service API, with `/v1`.")
    openai: str = Field(description="Base URL for OpenAI clients.")
    web: str = Field(description="Where published web apps are served.")
    files: str = Field(description="Base of links to files.")


class Me(Schema):
    account: AccountRead
    workspace: WorkspaceRead
    role: Role
    csrf_token: str = Field(description="Sent in the header X-CSRF-Token with every changing request.")
    environment: str
    version: str
    urls: PublicUrls


class MeUpdate(Schema):
    name: str | None = Field(None, min_length=1, max_length=100)
    language: Language | None = None
    theme: Theme | None = None
