"""Human input: pauses the run until a person fills in a form and chooses an action."""

from __future__ import annotations

import time
from typing import Any, Final, Literal

from pydantic import Field, field_validator

from tidemill.engine.errors import NodeFailed
from tidemill.engine.events import HumanInputAnswered, HumanInputRequired
from tidemill.engine.node import Context, Node, NodePaused
from tidemill.engine.templates import selectors
from tidemill.engine.values import Missing, Selector, Value, plain, revived, to_text
from tidemill.nodes._form import Action, FormInput, Source, empty_values, filled_in
from tidemill.nodes._shapes import LooseMapping, LooseText, Settings, Shape, first_repeated, present
from tidemill.ports import HumanAnswer, HumanForm, Humans, OpenForm

TIMEOUT_HANDLE: Final = "__timeout"
_SECONDS: Final = {"hour": 3600, "day": 86400}


class Delivery(Shape):
    """How the form reaches people."""

    id: str = ""
    type: Literal["webapp", "email", "slack", "teams", "discord"] = "webapp"
    enabled: bool = True
    config: LooseMapping = Field(default_factory=dict)


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


class HumanInput(Node[Config, dict[str, Any]]):
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

    async def run(self, ctx: Context) -> dict[str, Value]:
        form = self._form(ctx)
        ctx.record(inputs={"form_content": form.content})
        answer = await ctx.port(Humans).ask(ctx.place, form)
        if isinstance(answer, OpenForm):
            raise self._pause(ctx, form, answer)
        return self._outputs(ctx, form, answer)

    def _form(self, ctx: Context) -> HumanForm:
        config = self.config
        return HumanForm(
            node_id=self.id,
            node_title=self.label,
            # Whoever has the link reads this text: a secret of the app does not belong there.
            content=ctx.pool.masked(ctx.render(config.form_content, "markdown")),
            inputs=[_shown_input(ctx, item) for item in config.inputs],
            actions=[
                {"id": action.id, "title": action.title or action.id, "button_style": action.button_style}
                for action in config.user_actions
            ],
            deliveries=[_shown_delivery(ctx, delivery) for delivery in config.delivery_methods],
            expires_at=time.time() + config.timeout * _SECONDS[config.timeout_unit],
        )

    def _pause(self, ctx: Context, form: HumanForm, opened: OpenForm) -> NodePaused:
        shown = {
            "form_content": form.content,
            "inputs": form.inputs,
            "actions": form.actions,
            "display_in_ui": any(item.enabled and item.type == "webapp" for item in self.config.delivery_methods),
            "resolved_default_values": {
                item["output_variable_name"]: item["default"]["value"] for item in form.inputs if item.get("default")
            },
        }
        ctx.emit(
            HumanInputRequired,
            node_title=self.label,
            form_id=opened.form_id,
            form=shown,
            expires_at=opened.expires_at,
        )
        return NodePaused(
            {
                "TYPE": "human_input_required",
                "form_id": opened.form_id,
                "node_id": self.id,
                "node_title": self.label,
                **shown,
                "expiration_time": int(opened.expires_at),
            }
        )

    def _outputs(self, ctx: Context, form: HumanForm, answer: HumanAnswer) -> dict[str, Value]:
        fields = empty_values(self.config.inputs)
        fields.update({name: revived(value) for name, value in answer.values.items() if name in fields})
        content = filled_in(answer.content or form.content, fields)
        titles = {str(action["id"]): str(action["title"]) for action in form.actions}
        title = titles.get(answer.action_id, answer.action_id)
        ctx.emit(
            HumanInputAnswered,
            node_title=self.label,
            form_id=answer.form_id,
            action_id=answer.action_id,
            action_text=title,
            rendered_content=content,
            values=plain(fields),
            is_timeout=answer.is_timeout,
        )
        ctx.take(TIMEOUT_HANDLE if answer.is_timeout else answer.action_id)
        return {**fields, "__action_id": answer.action_id, "__action_value": title, "__rendered_content": content}


def _shown_delivery(ctx: Context, delivery: Delivery) -> dict[str, Any]:
    """A delivery with its texts rendered; `{{#url#}}` stays for whoever knows the form's address."""
    config = dict(delivery.config)
    for name in ("subject", "body"):
        if isinstance(config.get(name), str):
            config[name] = ctx.pool.masked(ctx.render(config[name]))
    return {**delivery.model_dump(), "config": config}


def _shown_input(ctx: Context, item: FormInput) -> dict[str, Any]:
    """A field as forms carry it: options and default resolved, the older spellings in the newer form."""
    shown: dict[str, Any] = {
        "type": "paragraph" if item.type == "text-input" else item.type,
        "output_variable_name": item.output_variable_name,
    }
    if item.type in ("paragraph", "text-input"):
        default = item.default or _older_default(item.placeholder)
        text = "" if default is None else _default_text(ctx, default)
        if default is not None and text:
            shown["default"] = {"type": default.type, "selector": default.selector, "value": text}
    elif item.type == "select":
        source = item.option_source or Source()
        shown["option_source"] = {
            "type": source.type,
            "selector": source.selector,
            "value": _options(ctx, item.output_variable_name, source),
        }
    else:
        shown["allowed_file_types"] = item.allowed_file_types
        shown["allowed_file_extensions"] = item.allowed_file_extensions
        shown["allowed_file_upload_methods"] = item.allowed_file_upload_methods
        if item.type == "file-list" and item.number_limits:
            shown["number_limits"] = item.number_limits
    return shown


def _older_default(placeholder: Any) -> Source | None:
    if isinstance(placeholder, str):
        return Source(value=placeholder)
    return Source.model_validate(placeholder) if isinstance(placeholder, dict) else None


def _default_text(ctx: Context, default: Source) -> str:
    if default.type == "constant":
        return "" if default.value is None else str(default.value)
    value = ctx.find([str(part) for part in default.selector])
    return "" if isinstance(value, Missing) else ctx.pool.masked(to_text(value))


def _options(ctx: Context, field: str, source: Source) -> list[str]:
    value = source.value if source.type == "constant" else ctx.value([str(part) for part in source.selector])
    if value is None:
        return []
    if not isinstance(value, list):
        raise NodeFailed(
            f'The options of the field "{field}" must be a list of texts, but {".".join(map(str, source.selector))} '
            "is none. Choose a variable of type array[string].",
            error_type="HumanInputNodeError",
            is_retryable=False,
        )
    return [to_text(option) for option in value]
