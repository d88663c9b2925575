"""The part of the LLM node's configuration that makes the prompt."""

from __future__ import annotations

from typing import Literal

from tidemill.engine.templates import selectors
from tidemill.engine.values import Selector
from tidemill.nodes._shapes import Binding, LooseText, Memory, SelectorField, Shape, Vision


class PromptText(Shape):
    """One message of a prompt, or the whole prompt of a completion model."""

    role: Literal["system", "user", "assistant"] = "user"
    text: LooseText = ""
    edition_type: str = "basic"
    jinja2_text: LooseText = ""

    @property
    def is_jinja(self) -> bool:
        return self.edition_type == "jinja2"


class ContextChoice(Shape):
    enabled: bool = False
    variable_selector: SelectorField = ()


class PromptConfig(Shape):
    jinja2_variables: tuple[Binding, ...] = ()


class PromptSettings(Shape):
    """The part of the node's configuration that makes the prompt."""

    prompt_template: tuple[PromptText, ...] | PromptText = ()
    prompt_config: PromptConfig = PromptConfig()
    memory: Memory | None = None
    context: ContextChoice = ContextChoice()
    vision: Vision = Vision()

    def reads(self) -> tuple[Selector, ...]:
        template = self.prompt_template
        texts = [item.text for item in (template if isinstance(template, tuple) else (template,)) if not item.is_jinja]
        if self.memory:
            texts.append(self.memory.query_prompt_template or "{{#sys.query#}}")
        found = [selector for text in texts for selector in selectors(text)]
        found += [binding.value_selector for binding in self.prompt_config.jinja2_variables if binding.value_selector]
        if self.context.enabled and self.context.variable_selector:
            found.append(self.context.variable_selector)
        if self.vision.enabled:
            found.append(vision_selector(self.vision))
        return tuple(dict.fromkeys(found))


def vision_selector(vision: Vision) -> Selector:
    """Which files the model sees; the user's by default."""
    selector = vision.configs.get("variable_selector")
    return (
        tuple(str(part) for part in selector) if isinstance(selector, (list, tuple)) and selector else ("sys", "files")
    )
