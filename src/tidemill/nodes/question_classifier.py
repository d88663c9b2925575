"""Question classifier: a model picks one of several classes, and the flow goes that way."""

from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field, field_validator

from tidemill.engine.node import Node
from tidemill.engine.templates import selectors
from tidemill.engine.values import Selector
from tidemill.nodes._shapes import (
    LooseText,
    Memory,
    ModelChoice,
    SelectorField,
    Settings,
    Shape,
    Vision,
    first_repeated,
    present,
)
from tidemill.nodes._unavailable import Unavailable


class QuestionClass(Shape):
    id: str
    name: LooseText = ""
    label: str = ""


class Config(Settings):
    model: ModelChoice = Field(default_factory=ModelChoice, title="Model")
    query_variable_selector: SelectorField = Field(default=(), title="Question")
    classes: tuple[QuestionClass, ...] = Field(default=(), title="Classes")
    instruction: LooseText = Field(
        default="", title="Instructions", validation_alias=AliasChoices("instruction", "instructions")
    )
    memory: Memory | None = None
    vision: Vision = Vision()

    @field_validator("classes")
    @classmethod
    def _ids_differ(cls, classes: tuple[QuestionClass, ...]) -> tuple[QuestionClass, ...]:
        repeated = first_repeated(item.id for item in classes)
        if repeated is not None:
            raise ValueError(f'two classes have the id "{repeated}"; give each class an id of its own')
        return classes


class QuestionClassifier(Unavailable, Node[Config, dict[str, Any]]):
    type = "question-classifier"
    title = "Question classifier"
    is_effectful = True
    is_branch = True

    def handles(self) -> tuple[str, ...]:
        return tuple(item.id for item in self.config.classes)

    def reads(self) -> tuple[Selector, ...]:
        return present(self.config.query_variable_selector, *selectors(self.config.instruction))
