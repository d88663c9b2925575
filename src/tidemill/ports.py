"""What a node may ask of the outside world. Adapters and domains implement these; tests use small fakes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias, TypeVar, cast

import msgspec

from tidemill.engine.events import Usage
from tidemill.engine.node import RunInfo
from tidemill.engine.values import File, Value
from tidemill.llm.types import ChatModel, EmbeddingModel, MediaPart, ModelRef

P = TypeVar("P")


class Models(Protocol):
    async def chat(self, ref: ModelRef) -> ChatModel:
        """The model ready for use. Raises `ModelNotConfigured` naming provider and model."""
        ...

    async def embedding(self, ref: ModelRef) -> EmbeddingModel: ...


class HttpPart(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a multipart body: a text `value`, or a file's `data`."""

    name: str
    value: str | None = None
    data: bytes = b""
    filename: str = ""
    mime_type: str = ""


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`query` and `headers` keep repeats and order. One of `body`, `form`, `parts` at most. Times in seconds.

    `private_headers` names further headers that a redirect to another host does not take along.
    """

    method: str
    url: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    form: tuple[tuple[str, str], ...] | None = None
    parts: tuple[HttpPart, ...] | None = None
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 600.0
    write_timeout_s: float = 600.0
    verify_tls: bool = True
    max_body_bytes: int = 10 * 1024 * 1024
    private_headers: tuple[str, ...] = ()


class HttpResponse(msgspec.Struct, frozen=True, kw_only=True):
    """Header names are lower case; the body is whole."""

    status: int
    headers: dict[str, str]
    body: bytes
    url: str


class HttpFailed(Exception):
    """No response: refused by the egress guard, unreachable, too slow or too large. One sentence."""


class EgressRefused(HttpFailed):
    """The guard does not let requests go there. Names the host and the setting that would allow it."""


class Http(Protocol):
    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send through the egress guard, following redirects. Raises `HttpFailed`."""
        ...


class Templates(Protocol):
    def render_now(self, source: str, values: Mapping[str, Value], *, max_chars: int) -> str | None:
        """Like `render`, for a template that is harmless enough to be rendered here and now; None if it is not."""
        ...

    async def render(self, source: str, values: Mapping[str, Value], *, max_chars: int) -> str:
        """Render Jinja text on copies of plain values. Raises `TemplateFailed`; bounded in time and memory."""
        ...


class TemplateFailed(Exception):
    """The template is wrong, or went over a limit. One sentence."""


class Files(Protocol):
    async def read(self, file: File) -> bytes:
        """The bytes of a file the run may see. Raises `FileUnavailable`."""
        ...

    async def save(self, *, filename: str, mime_type: str, data: bytes) -> File:
        """Keep bytes a node made."""
        ...

    async def media(self, file: File, *, detail: Literal["low", "high", "auto"] = "auto") -> MediaPart:
        """A file as a model reads it. Raises `FileUnavailable`."""
        ...


class FileUnavailable(Exception):
    """The file does not exist, is not the caller's, or cannot be fetched."""


class PastCall(msgspec.Struct, frozen=True, kw_only=True):
    """A tool call of an earlier turn. `arguments` is JSON text."""

    name: str
    arguments: str
    observation: str


class PastThought(msgspec.Struct, frozen=True, kw_only=True):
    """A round of an agent in an earlier turn; the one without calls said the answer."""

    thought: str
    calls: tuple[PastCall, ...] = ()


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One stored exchange of a conversation, with the thoughts of an agent app."""

    query: str
    answer: str
    files: tuple[File, ...] = ()
    thoughts: tuple[PastThought, ...] = ()


class History(Protocol):
    async def turns(self, limit: int) -> Sequence[Turn]:
        """The last `limit` completed turns of this run's conversation, oldest first; empty without one."""
        ...


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A retrieved piece of a document, in the shape the retrieval node's `result` items have."""

    content: str
    title: str
    metadata: dict[str, Any]
    files: tuple[File, ...] = ()


class Knowledge(Protocol):
    async def retrieve(
        self, *, query: str, dataset_ids: Sequence[str], options: Mapping[str, Any]
    ) -> Sequence[Passage]: ...


class CodeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A program with an entry function `main`. Python: `inputs` are its keyword arguments; JavaScript: one object."""

    language: Literal["python3", "javascript"]
    code: str
    inputs: dict[str, Any]


class CodeFailed(Exception):
    """The program is wrong, went over a limit, or broke its interpreter. One sentence; the interpreter's message."""


class CodeLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What the outputs of a code node may be. Lengths in characters and items; a depth of 1 is a flat object."""

    string_chars: int = 400_000
    string_items: int = 30
    object_items: int = 30
    number_items: int = 1000
    depth: int = 5
    precision_digits: int = 20
    least_number: int = -(2**63)
    largest_number: int = 2**63 - 1


class Sandbox(Protocol):
    @property
    def limits(self) -> CodeLimits:
        """What outputs may be."""
        ...

    async def run(self, request: CodeRequest) -> Any:
        """What `main` returned, as JSON data. Fresh state per call, no network, no files. Raises `CodeFailed`."""
        ...


ToolKind: TypeAlias = Literal["builtin", "plugin", "api", "workflow", "app", "mcp", "dataset-retrieval"]
ParameterType: TypeAlias = Literal[
    "string", "number", "boolean", "select", "secret-input", "file", "files", "array", "object", "model-selector",
    "app-selector", "any",
]  # fmt: skip


class ToolRef(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as app files name it. `provider` is the file's `provider_id` or name, in any of its spellings."""

    kind: ToolKind
    provider: str
    name: str
    credential_id: str = ""
    provider_name: str = ""


class ToolParameter(msgspec.Struct, frozen=True, kw_only=True):
    """`form` "llm": a model fills it in; "form": the app's author does. `schema` narrows arrays and objects."""

    name: str
    type: ParameterType = "string"
    label: str = ""
    description: str = ""
    form: Literal["llm", "form"] = "llm"
    is_required: bool = False
    default: Any = None
    options: tuple[str, ...] = ()
    schema: dict[str, Any] | None = None


class ToolSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool is and takes. `is_read_only` tools may be repeated freely after a crash."""

    provider: str
    name: str
    label: str
    description: str
    parameters: tuple[ToolParameter, ...] = ()
    output_schema: dict[str, Any] | None = None
    is_read_only: bool = False


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """The circumstances of one call. The same call keeps its `idempotency_key` when it is repeated after a crash.

    `depth` counts workflows called as tools around this call.
    """

    info: RunInfo
    ports: Mapping[type, object]
    idempotency_key: str
    credentials: Mapping[str, str] = {}
    timezone: str = "UTC"
    depth: int = 0

    def port(self, kind: type[P]) -> P:
        """The run's implementation of a port. Raises `ToolFailed` when it has none."""
        found = self.ports.get(kind)
        if found is None:
            raise ToolFailed(f"This run has no {kind.__name__.lower()} to offer, which the tool needs.")
        return cast(P, found)


class ToolMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a tool's result.

    text: `text`. json: `data`. file: `file`. link: `text` is the address. variable: `name` and `data`;
    with `is_piece`, `text` is the next piece of the streamed variable `name`. log: `name` and `data`. Whatever
    the kind, `usage` is what the tool spent on models: whoever calls it adds that to its own.
    """

    kind: Literal["text", "json", "file", "link", "variable", "log"]
    text: str = ""
    data: Any = None
    name: str = ""
    file: File | None = None
    is_piece: bool = False
    usage: Usage | None = None


class ToolFailed(Exception):
    """The tool could not do its work. One sentence. `error_type` is what traces show."""

    def __init__(self, message: str, *, error_type: str = "ToolInvokeError") -> None:
        super().__init__(message)
        self.error_type = error_type


class ToolMissing(ToolFailed):
    """No such provider or tool here, or it lacks credentials. Names it and says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message, error_type="ToolNodeError")


class Tool(Protocol):
    @property
    def spec(self) -> ToolSpec: ...

    def call(self, arguments: Mapping[str, Value], call: ToolCall) -> AsyncIterator[ToolMessage]:
        """Run it on arguments already cast to their declared types. Raises `ToolFailed`."""
        ...


class Tools(Protocol):
    async def find(self, ref: ToolRef) -> Tool:
        """The tool ready for use, its credentials bound. Raises `ToolMissing`."""
        ...


class McpServers(Protocol):
    async def tools(self, config: str) -> Sequence[Tool]:
        """The tools of servers that an app names itself: one address, or JSON of them by name. Raises `ToolFailed`."""
        ...


class HumanForm(msgspec.Struct, frozen=True, kw_only=True):
    """A form for a person. `content` is rendered Markdown; `expires_at` in Unix seconds.

    `inputs`, `actions` and `deliveries` are JSON data in the shapes of the app file, options and defaults resolved.
    """

    node_id: str
    node_title: str
    content: str
    inputs: list[dict[str, Any]]
    actions: list[dict[str, Any]]
    deliveries: list[dict[str, Any]]
    expires_at: float


class OpenForm(msgspec.Struct, frozen=True, kw_only=True):
    """A form that waits. The token opens its page and its API."""

    form_id: str
    token: str
    expires_at: float


class HumanAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a form. `values` holds every field; at a timeout they are empty and so is `action_id`.

    `content` is the text that the person read.
    """

    form_id: str
    content: str = ""
    action_id: str = ""
    values: dict[str, Any] = {}
    is_timeout: bool = False


class Humans(Protocol):
    async def ask(self, place: str, form: HumanForm) -> HumanAnswer | OpenForm:
        """The answer given to this run's form at `place`, or the open form, made if it is not there yet."""
        ...


class DocumentFailed(Exception):
    """The text of a document cannot be had: an unknown or broken format, or a limit. One sentence."""


class DocumentUnsupported(DocumentFailed):
    """Nothing here reads such files; names the extension."""


class Documents(Protocol):
    async def text(self, *, filename: str, mime_type: str, data: bytes) -> str:
        """The text of a document, tables as Markdown; bounded in time and memory. Raises `DocumentFailed`."""
        ...


class WorkFailed(Exception):
    """A piece of work went over its limits, or could not be started. One sentence."""


class Workshop(Protocol):
    async def run(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function of `tools`, found by its module and name, in a process of its own with limits.

        Arguments and result are JSON data and bytes. Raises `WorkFailed`, and what the function raises as `ToolFailed`.
        """
        ...


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A message ready to go, and the SMTP server that takes it. `message` is the whole of RFC 5322."""

    host: str
    port: int
    security: Literal["none", "starttls", "tls"]
    username: str
    password: str
    sender: str
    recipients: tuple[str, ...]
    message: bytes


class MailFailed(Exception):
    """The server cannot be reached, or refuses the sender or all recipients. One sentence."""


class Mailer(Protocol):
    async def send(self, mail: Mail) -> None:
        """Hand a message to its server, through the egress guard. Raises `MailFailed`."""
        ...


class SqlRows(msgspec.Struct, frozen=True, kw_only=True):
    """What a query gave: plain JSON values; `is_cut` when there were more rows than were asked for."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    is_cut: bool = False


class DatabaseFailed(Exception):
    """No such connection, or the statement is wrong, writes, or takes too long. One sentence."""


class Databases(Protocol):
    async def query(self, connection: str, statement: str, *, max_rows: int) -> SqlRows:
        """Run one statement, read-only, on a connection that the administrator named; "" is the only one there is.

        Raises `DatabaseFailed`.
        """
        ...
