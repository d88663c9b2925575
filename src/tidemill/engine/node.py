"""What a node type is, and what it may do while it runs.

A node type is one file in `nodes/`: a `NodeConfig`, an output and a `Node` subclass with `run`.
Defining the class registers it under its `type`. A node never sees a database, a request, settings
or another node; it asks the outside world through a port: `ctx.port(Models)`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar, get_args, get_origin

import msgspec
from pydantic import BaseModel, ConfigDict, ValidationError

from tidemill.engine.errors import GraphInvalid
from tidemill.engine.events import CallRecorded, Event, Usage
from tidemill.engine.templates import Segment
from tidemill.engine.values import Missing, Selector, TextForm, Value, VariablePool

C = TypeVar("C", bound="NodeConfig")
O = TypeVar("O")  # noqa: E741 - the output's type
P = TypeVar("P")


class NodeConfig(BaseModel):
    """Base of a node's configuration. Unknown keys are ignored here and kept by the file they came from."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, arbitrary_types_allowed=True, defer_build=True
    )


class NodeOutput(msgspec.Struct, frozen=True, kw_only=True):
    """Base of a node's output when its names are fixed; a node whose names are configured returns a dict."""


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Who and what a run is for. Empty strings where it does not apply."""

    run_id: str
    app_id: str = ""
    workflow_id: str = ""
    user_id: str = ""
    conversation_id: str = ""


class NodePaused(Exception):
    """A node waits for the world (a form to be filled): the run pauses when nothing else can proceed."""

    def __init__(self, reason: dict[str, Any]) -> None:
        super().__init__("paused")
        self.reason = reason
        self.node_id = ""


class RoundResult(msgspec.Struct, frozen=True, kw_only=True):
    """How one round of a container ended: its variables, and the error when a child failed."""

    pool: VariablePool
    error: str | None = None
    error_type: str | None = None
    has_ended: bool = False  # a loop-end node was reached
    steps: int = 0
    usage: Usage = Usage()


class Context(Protocol):
    """What a running node may see and do."""

    node_id: str
    execution_id: str
    pool: VariablePool

    @property
    def place(self) -> str:
        """Where in the run this is, the same after a recovery: "llm" or "loop[3]/llm"."""
        ...

    @property
    def info(self) -> RunInfo: ...

    def find(self, selector: Sequence[str]) -> Value | Missing:
        """The value, or MISSING."""
        ...

    def value(self, selector: Sequence[str]) -> Value:
        """The value. Raises `VariableNotFound`."""
        ...

    def render(self, template: str, form: TextForm = "text") -> str:
        """The text of a `{{#...#}}` template."""
        ...

    def port(self, kind: type[P]) -> P:
        """The run's implementation of a port. Raises `NodeFailed` naming the port when it has none.

        An implementation with a method `at(ctx)` is asked for what this node is to use.
        """
        ...

    def record(
        self, *, inputs: Mapping[str, Value] | None = None, process: Mapping[str, Value] | None = None, **metadata: Any
    ) -> None:
        """Keep what went in and what happened inside, for the trace. Later calls add to earlier ones."""
        ...

    def spend(self, usage: Usage) -> None:
        """Add the usage of a model call to this node and the run."""
        ...

    async def stream(self, name: str, text: str) -> None:
        """Give the next piece of output `name` to whoever shows it now; waits while readers are behind."""
        ...

    def emit(self, kind: type[Event], /, **fields: Any) -> None:
        """Emit an event of this node; `seq`, `at` and `node_id` are filled in."""
        ...

    async def settle(self) -> None:
        """Return when what this node recorded so far is durable: a step with an effect that must not be repeated."""
        ...

    def recorded_calls(self) -> Sequence[CallRecorded]:
        """Calls to the outside world that this node made before the run was cut off, in their order."""
        ...

    def take(self, handle: str) -> None:
        """Choose the outgoing handle (branch nodes)."""
        ...

    def assign(self, selector: Selector, value: Value) -> None:
        """Write a conversation or loop variable."""
        ...

    def end_container(self) -> None:
        """End the container after this round (loop-end)."""
        ...

    async def run_round(self, index: int, pool: VariablePool) -> RoundResult:
        """Run the sub-graph of this container once on `pool`."""
        ...


# Every node type known, by (type, version). Filled by defining classes.
REGISTRY: dict[tuple[str, str], type[Node[Any, Any]]] = {}


class Node(Generic[C, O]):
    """A node of a graph, built once per graph and run many times; it holds no state of a run.

    Class attributes:
        type, title, version: Name in files, English title, configuration version.
        is_effectful: It touches the outside world; its result is journaled before successors start,
            and recovery takes the recorded result instead of running it again.
        is_inline: `run` never waits; the scheduler runs it in place, with no task of its own.
        is_brief: `run_now` usually has the result at once; only when it has not, `run` gets a task. Without effects.
        is_container: It runs the sub-graph of its children (iteration, loop).
        is_silent: It only marks where a round begins: it does nothing, counts as no step and is not told.
        is_branch: It chooses its outgoing handle with `ctx.take`.
        is_root: A run can begin here.
        honours_retry: `retry_config` applies (model, code, HTTP and tool nodes).
        streams: Names of the outputs it gives piece by piece.
    """

    type: ClassVar[str] = ""
    title: ClassVar[str] = ""
    version: ClassVar[str] = "1"
    is_effectful: ClassVar[bool] = False
    is_inline: ClassVar[bool] = False
    is_brief: ClassVar[bool] = False
    is_container: ClassVar[bool] = False
    is_silent: ClassVar[bool] = False
    is_branch: ClassVar[bool] = False
    is_root: ClassVar[bool] = False
    honours_retry: ClassVar[bool] = False
    streams: ClassVar[frozenset[str]] = frozenset()
    config_type: ClassVar[type[NodeConfig]] = NodeConfig

    def __init__(self, node_id: str, config: C, *, title: str = "") -> None:
        self.id = node_id
        self.config = config
        self.label = title or self.title

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for base in getattr(cls, "__orig_bases__", ()):
            if get_origin(base) is Node:
                config_type = get_args(base)[0]
                if isinstance(config_type, type):
                    cls.config_type = config_type
        if cls.type:
            REGISTRY[cls.type, cls.version] = cls

    @classmethod
    def parse(cls, node_id: str, data: Mapping[str, Any], *, title: str = "") -> Node[Any, Any]:
        """Read the configuration of one node.

        Raises:
            GraphInvalid: One sentence per fault, each naming the node and the field.
        """
        try:
            config = cls.config_type.model_validate(data)
        except ValidationError as error:
            name = title or cls.title
            raise GraphInvalid(
                [
                    f'Node "{name}" ({node_id}), {".".join(str(part) for part in fault["loc"]) or "configuration"}: '
                    f"{fault['msg']}."
                    for fault in error.errors()
                ]
            ) from error
        return cls(node_id, config, title=title)  # type: ignore[arg-type]

    @abstractmethod
    async def run(self, ctx: Context) -> O:
        """Do the node's work and return its outputs. Raises `NodeFailed` with a sentence."""

    def run_now(self, ctx: Context) -> O | None:
        """What `run` would return, if it can be had without waiting (`is_brief`); None if it cannot."""
        del ctx
        return None

    def handles(self) -> tuple[str, ...]:
        """The outgoing handles a branch node can choose; ("source",) for all others."""
        return ("source",)

    def reads(self) -> tuple[Selector, ...]:
        """Selectors that this node reads (for checks, the problem list and the variable picker)."""
        return ()

    def writes(self) -> tuple[Selector, ...]:
        """Variables of others that this node may write (assigner)."""
        return ()

    def response(self) -> tuple[Segment, ...] | None:
        """The text this node shows to the user, in order (answer, end); None for all others."""
        return None

    def child_start(self) -> str | None:
        """Id of the first child of a container."""
        return None
