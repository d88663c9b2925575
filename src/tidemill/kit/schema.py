"""Bases of everything that goes over our own wire."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Schema(BaseModel):
    """Read from a request or from attributes; unknown fields are ignored."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True, serialize_by_alias=True)


class LocalText(Schema):
    """A text in the console's languages."""

    en: str
    zh_hans: str = Field(validation_alias="zh-Hans", serialization_alias="zh-Hans")

    @classmethod
    def of(cls, en: str, zh_hans: str) -> LocalText:
        return cls.model_validate({"en": en, "zh-Hans": zh_hans})
