"""Human input: pauses the run until a person fills in a form and chooses an action."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from tidemill.engine.node import Node
from tidemill.engine.templates import selectors
from tidemill.engine.values import Selector
from tidemill.nodes._shapes import LooseList, LooseMapping, LooseText, Settings, Shape, first_repeated, present
from tidemill.nodes._unavailable import Unavailable

TIMEOUT_HANDLE = "__timeout"


class Delivery(Shape):
    """How the form reaches people."""

    id: str = ""
    type: Literal["webapp", "email", "slack", "teams", "discord"] = "webapp"
    enabled: bool = True
    config: LooseMapping = Field(default_factory=dict)


class Source(Shape):
    """A default or a list of options: literal, or from a variable."""

    type: Literal["constant", "variable"] = "constant"
    selector: LooseList = Field(default_factory=list)
    value: Any = None


class FormInput(Shape):
    type: Literal["paragraph", "select", "file", "file-list", "text-input"] = "paragraph"
    output_variable_name: str = Field(min_length=1)
    default: Source | None = Field(default=None)
    placeholder: Any = None  # The older form of `default`.
    option_source: Source | None = None
    allowed_file_types: LooseList = Field(default_factory=list)
    allowed_file_extensions: LooseList = Field(default_factory=list)
    allowed_file_upload_methods: LooseList = Field(default_factory=list)
    number_limits: int | None = None


class Action(Shape):
    """A button of the form; its id is the outgoing handle."""

    id: str = Field(min_length=1, max_length=20, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    title: str = Field(default="", max_length=100)
    button_style: Literal["primary", "default", "accent", "ghost"] = "default"


class Config(Settings):
    delivery_methods: tuple[Delivery, ...] = ()
    form_content: LooseText = Field(default="", title="Form", json_schema_extra={"widget": "markdown"})
    inputs: tuple[FormInput, ...] = Field(default=(), title="Fields")
    user_actions: tuple[Action, ...] = Field(default=(), title="Actions")
    timeout: int = Field(default=36, ge=1, title="Waits for")
    timeout_unit: Literal["hour", "day"] = "hour"

    @field_validator("user_actions")
    @classmethod
    def _action_ids_differ(cls, actions: tuple[Action, ...]) -> tuple[Action, ...]:
        repeated = first_repeated(action.id for action in actions)
        if repeated is not None:
            raise ValueError(f'two actions have the id "{repeated}"; give each action an id of its own')
        return actions

    @field_validator("inputs")
    @classmethod
    def _output_names_differ(cls, inputs: tuple[FormInput, ...]) -> tuple[FormInput, ...]:
        repeated = first_repeated(item.output_variable_name for item in inputs)
        if repeated is not None:
            raise ValueError(f'two fields write to "{repeated}"; give each field an output name of its own')
        return inputs


class HumanInput(Unavailable, Node[Config, dict[str, Any]]):
    type = "human-input"
    title = "Human input"
    is_effectful = True
    is_branch = True

    def handles(self) -> tuple[str, ...]:
        return (*(action.id for action in self.config.user_actions), TIMEOUT_HANDLE)

    def reads(self) -> tuple[Selector, ...]:
        sources = [
            tuple(str(part) for part in source.selector)
            for item in self.config.inputs
            for source in (item.default, item.option_source)
            if source is not None and source.type == "variable"
        ]
        return present(*selectors(self.config.form_content), *sources)
