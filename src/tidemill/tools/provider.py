"""How a built-in provider and its tools are written: one file per provider, one function per tool."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from tidemill.engine.values import File, Value
from tidemill.ports import Files, ToolCall, ToolMessage, ToolMissing, ToolParameter, ToolSpec

ToolFunction: TypeAlias = Callable[["Arguments", ToolCall], AsyncIterator[ToolMessage]]


class CredentialField(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider must know to be used. `environment` is where runs without a server find it."""

    name: str
    label: str
    is_required: bool = True
    is_secret: bool = True
    help: str = ""
    environment: str = ""
    default: str = ""
    options: tuple[str, ...] = ()


class Arguments:
    """The arguments of a call, already cast, read by the type the tool declares for them."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values

    def text(self, name: str, default: str = "") -> str:
        value = self._values.get(name)
        return default if value is None else str(value)

    def number(self, name: str, default: float = 0) -> int | float:
        value = self._values.get(name)
        return value if isinstance(value, (int, float)) else default

    def whole(self, name: str, default: int = 0, *, least: int, most: int) -> int:
        """A whole number, brought into its range."""
        return min(max(int(self.number(name, default)), least), most)

    def flag(self, name: str, default: bool = False) -> bool:
        value = self._values.get(name)
        return default if value is None else bool(value)

    def items(self, name: str) -> list[Any]:
        value = self._values.get(name)
        return value if isinstance(value, list) else []

    def file(self, name: str) -> File | None:
        value = self._values.get(name)
        return value if isinstance(value, File) else None

    def files(self, name: str) -> list[File]:
        return [item for item in self.items(name) if isinstance(item, File)]

    def has(self, name: str) -> bool:
        return self._values.get(name) not in (None, "", [], {})

    def raw(self, name: str) -> Value:
        return self._values.get(name)


class BuiltinTool:
    """One tool of a provider. Implements `ports.Tool`; credentials come with the call."""

    def __init__(self, spec: ToolSpec, provider: Provider, function: ToolFunction, aliases: Sequence[str]) -> None:
        self.spec = spec
        self.provider = provider
        self.aliases = tuple(aliases)
        self._function = function

    @property
    def credential_fields(self) -> tuple[CredentialField, ...]:
        return self.provider.credential_fields

    async def call(self, arguments: Mapping[str, Value], call: ToolCall) -> AsyncIterator[ToolMessage]:
        """Run it on arguments already cast. Raises `ToolFailed`, and `ToolMissing` when a credential is not there."""
        self._check_credentials(call.credentials)
        async for message in self._function(Arguments(arguments), call):
            yield message

    def _check_credentials(self, given: Mapping[str, str]) -> None:
        missing = [field for field in self.credential_fields if field.is_required and not given.get(field.name)]
        if missing:
            names = ", ".join(field.label for field in missing)
            variables = ", ".join(field.environment for field in missing if field.environment)
            hint = f" (for `tidemill run`: set {variables})" if variables else ""
            raise ToolMissing(
                f"The tool {self.spec.name} of the provider {self.provider.name} needs credentials: {names}. "
                f"Add them to the provider among the workspace's tools{hint}."
            )


class BoundTool:
    """A built-in tool with its credentials; fields left empty have their defaults. Implements `ports.Tool`."""

    def __init__(self, tool: BuiltinTool, credentials: Mapping[str, str]) -> None:
        self.spec = tool.spec
        self._tool = tool
        self._credentials = {
            field.name: credentials.get(field.name) or field.default for field in tool.credential_fields
        }

    def call(self, arguments: Mapping[str, Value], call: ToolCall) -> AsyncIterator[ToolMessage]:
        """Run it on arguments already cast. Raises `ToolFailed`."""
        return self._tool.call(arguments, msgspec.structs.replace(call, credentials=self._credentials))


class Provider:
    """A built-in provider. `aliases` are other spellings that app files use for it: bare names and whole ids."""

    def __init__(
        self,
        name: str,
        label: str,
        description: str,
        *,
        aliases: Sequence[str] = (),
        credentials: Sequence[CredentialField] = (),
    ) -> None:
        self.name = name
        self.label = label
        self.description = description
        self.aliases = tuple(aliases)
        self.credential_fields = tuple(credentials)
        self.tools: dict[str, BuiltinTool] = {}

    def tool(
        self,
        name: str,
        label: str,
        description: str,
        *parameters: ToolParameter,
        is_read_only: bool = True,
        aliases: Sequence[str] = (),
        output_schema: dict[str, Any] | None = None,
    ) -> Callable[[ToolFunction], ToolFunction]:
        """Declare the function below as a tool of this provider."""

        def declare(function: ToolFunction) -> ToolFunction:
            spec = ToolSpec(
                provider=self.name,
                name=name,
                label=label,
                description=description,
                parameters=parameters,
                output_schema=output_schema,
                is_read_only=is_read_only,
            )
            self.tools[name] = BuiltinTool(spec, self, function, aliases)
            return function

        return declare

    def find(self, name: str) -> BuiltinTool | None:
        """The tool of that name or alias."""
        found = self.tools.get(name)
        return found or next((tool for tool in self.tools.values() if name in tool.aliases), None)


# ---------------------------------------------------------------- short words for the providers' files


def text(value: str) -> ToolMessage:
    return ToolMessage(kind="text", text=value)


def json_data(value: Any) -> ToolMessage:
    return ToolMessage(kind="json", data=value)


def variable(name: str, value: Any) -> ToolMessage:
    return ToolMessage(kind="variable", name=name, data=value)


def log(name: str, value: Any) -> ToolMessage:
    return ToolMessage(kind="log", name=name, data=value)


async def saved(call: ToolCall, *, filename: str, mime_type: str, data: bytes) -> ToolMessage:
    """Keep bytes as a file of the run."""
    file = await call.port(Files).save(filename=filename, mime_type=mime_type, data=data)
    return ToolMessage(kind="file", file=file)


def asked(name: str, description: str, *, label: str = "", **rest: Any) -> ToolParameter:
    """A parameter that a model fills in: a text unless `type` says otherwise, required unless it has a default."""
    rest.setdefault("is_required", "default" not in rest)
    return ToolParameter(name=name, label=label or _label(name), description=description, **rest)


def optional(name: str, description: str, *, label: str = "", **rest: Any) -> ToolParameter:
    """A parameter that a model may fill in."""
    return ToolParameter(name=name, label=label or _label(name), description=description, **rest)


def setting(name: str, description: str = "", *, label: str = "", **rest: Any) -> ToolParameter:
    """A parameter that the app's author sets."""
    return ToolParameter(name=name, label=label or _label(name), description=description, form="form", **rest)


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()
