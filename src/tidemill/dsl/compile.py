"""From an app file, of whatever mode and version, to what a run needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from tidemill.dsl.app_file import AGENT_MODE, MODEL_MODES, AppFile
from tidemill.dsl.features import Features, fill_placeholders, read_features
from tidemill.dsl.model_apps import model_app_graph, with_packages
from tidemill.dsl.models import ModelUse, model_uses
from tidemill.dsl.moderation import Moderation, read_moderation
from tidemill.dsl.problems import DslInvalid, Problem
from tidemill.dsl.structure import graph_problems
from tidemill.dsl.upgrade import upgrade
from tidemill.dsl.uploads import Uploads, read_uploads
from tidemill.dsl.variables import Variable, read_variables
from tidemill.engine.errors import GraphInvalid
from tidemill.engine.graph import EdgeSpec, Graph, NodeSpec
from tidemill.engine.values import Selector, Value, ValueType, VariablePool
from tidemill.nodes._trigger import Trigger
from tidemill.nodes.start import Config as StartConfig
from tidemill.nodes.start import InputVariable, validate_inputs

InputField: TypeAlias = InputVariable
_TEXT_KINDS: Final = frozenset({"text-input", "paragraph", "select", "string"})
_FORM_KINDS: Final = {"string": "text-input"}


class CompiledApp(msgspec.Struct, frozen=True, kw_only=True):
    """An app ready to run, shared by all its runs.

    `start_id` is the node a run begins at; `inputs` its form. `environment` and `conversation` are the
    file's variables with their values there.
    """

    mode: str
    graph: Graph
    start_id: str
    inputs: tuple[InputField, ...]
    environment: tuple[Variable, ...]
    conversation: tuple[Variable, ...]
    features: Features
    models: tuple[ModelUse, ...]
    uploads: Uploads
    moderation: Moderation | None = None
    written_form: tuple[Mapping[str, Any], ...] = ()

    @property
    def opening_statement(self) -> str:
        return self.features.opening_statement

    @property
    def trigger(self) -> Trigger | None:
        """The trigger that a run begins at; None when it begins with a form."""
        node = self.graph.nodes[self.start_id].node
        return node if isinstance(node, Trigger) else None

    @property
    def is_chat(self) -> bool:
        """Whether a run answers a message of a conversation."""
        return self.mode in ("advanced-chat", "chat", "agent-chat", AGENT_MODE)

    def opening(self, inputs: Mapping[str, Any]) -> str:
        """The opening statement with the values of the form in it."""
        return fill_placeholders(self.features.opening_statement, inputs)

    def start_inputs(
        self, raw: Mapping[str, Any], *, defaults_from: Mapping[str, Any] | None = None
    ) -> dict[str, Value]:
        """Check the inputs of a run; unknown ones are dropped. Where a trigger begins, they are its payload.

        `defaults_from` holds the inputs of an earlier run of the conversation, taken where `raw` has none.

        Raises:
            InputInvalid: Something required is missing, or a value is not what its field takes.
        """
        given = {name: value for name, value in raw.items() if value is not None}
        if (trigger := self.trigger) is not None:
            return trigger.payload(given)
        return validate_inputs(self.inputs, {**(defaults_from or {}), **given})

    def pool(
        self,
        inputs: Mapping[str, Value],
        *,
        system: Mapping[str, Value],
        conversation: Mapping[str, Value] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> VariablePool:
        """The variables a run starts with.

        Args:
            inputs: What `start_inputs` gave.
            system: The `sys` variables by name; the start node shows them as `sys.<name>` too.
            conversation: Values of the conversation so far, by name; others have the file's.
            environment: Values that replace the file's, by name: decrypted secrets for example.
        """
        given = environment or {}
        kept = conversation or {}
        env = {item.name: _environment_value(item, given.get(item.name)) for item in self.environment}
        secrets = [str(env[item.name]) for item in self.environment if item.type is ValueType.SECRET]
        types: dict[Selector, ValueType] = {("conversation", item.name): item.type for item in self.conversation}
        return VariablePool(
            {
                "sys": system,
                "env": env,
                "conversation": {item.name: kept.get(item.name, item.value) for item in self.conversation},
                self.start_id: {**inputs, **{f"sys.{name}": value for name, value in system.items()}},
            },
            types=types,
            secrets=secrets,
        )

    def form(self) -> list[dict[str, Any]]:
        """The input form as `/parameters` tells it: one mapping of kind to field for each input."""
        fields: list[dict[str, Any]] = []
        for field, written in zip(self.inputs, self.written_form, strict=True):
            kind = _FORM_KINDS.get(field.type, field.type)
            default = field.default if field.default is not None else "" if field.type in _TEXT_KINDS else None
            told = {
                "label": field.label or field.variable,
                "variable": field.variable,
                "required": field.required,
                "default": default,
            }
            fields.append({kind: {**written, **told, "type": kind}})
        return fields


def compile(app: AppFile) -> CompiledApp:
    """Build the graph of an app and everything around it.

    Raises:
        DslInvalid: The graph cannot run: a cycle, no start, a node whose configuration is wrong...
    """
    problems = graph_problems(app)
    if problems:
        raise DslInvalid.of(problems)
    nodes, edges = app_graph(app)
    try:
        graph = Graph.build(nodes, edges)
    except GraphInvalid as error:
        raise DslInvalid.of([Problem(sentence, None, "bad_graph") for sentence in error.problems]) from error
    start_id = next((node_id for node_id in graph.roots if graph.nodes[node_id].type == "start"), graph.roots[0])
    config = graph.nodes[start_id].node.config
    inputs: tuple[InputField, ...] = config.variables if isinstance(config, StartConfig) else ()
    data = next(spec.data for spec in nodes if spec.id == start_id)
    variables = read_variables(app)
    features = app_features(app)
    return CompiledApp(
        mode=app.mode,
        graph=graph,
        start_id=start_id,
        inputs=inputs,
        environment=variables.environment,
        conversation=variables.conversation,
        features=features,
        models=model_uses(app),
        # Of a workflow's features only the names are kept: no message goes in or out.
        moderation=None if app.mode == "workflow" else read_moderation(features.sensitive_word_avoidance),
        uploads=read_uploads(features.file_upload, is_workflow=app.mode == "workflow"),
        written_form=_written_form(data.get("variables"), len(inputs)),
    )


def app_graph(app: AppFile) -> tuple[list[NodeSpec], list[EdgeSpec]]:
    """The nodes and edges of an app of any mode, in today's form and not yet checked."""
    if app.mode in MODEL_MODES or app.mode == AGENT_MODE:
        return model_app_graph(app)
    nodes, edges = upgrade(app)
    return with_packages(app, nodes), edges


def app_features(app: AppFile) -> Features:
    """The features of an app of any mode."""
    section = app.model_settings if app.mode in MODEL_MODES else app.workflow.get("features")
    return read_features(section if isinstance(section, Mapping) else {})


def _written_form(variables: Any, count: int) -> tuple[Mapping[str, Any], ...]:
    written: Sequence[Any] = variables if isinstance(variables, list) else []
    return tuple(item for item in written if isinstance(item, dict))[:count]


def _environment_value(variable: Variable, given: str | None) -> Value:
    if given is None:
        return variable.value
    if not variable.type.is_number:
        return given
    try:
        return float(given) if any(sign in given for sign in ".eE") else int(given)
    except ValueError:
        return variable.value
