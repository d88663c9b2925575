"""Every setting: its name, type, default and meaning, and where its value came from.

Values come from, strongest first: the command line, the environment, `.env` in the working directory, `.env` in the
data folder, the default. `docs/reference/settings.md` is written from this file.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from dotenv import dotenv_values
from pydantic import AliasGenerator, Field, PrivateAttr, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from tidemill.kit.faults import StartFault
from tidemill.kit.paths import DataFolder, default_home
from tidemill.kit.spelling import misspelt

MASK = "********"
GROUPS = (
    "Data",
    "Server",
    "Addresses",
    "Database",
    "Storage",
    "Redis",
    "Mail",
    "Secrets",
    "Runs",
    "Code",
    "Uploads",
    "Requests",
)

# Secrets that ship in public example files: whoever reads those files could open everything.
KNOWN_SECRET_KEYS = frozenset(
    {
        "sk-9f73s3ljTXVcMT3Blb3ljTqtsKiGHXVcMT3BlbkFJLK7U",
        "lYkiYYT6owG+71oLerGzA7GXCgOT++6ovaezWAjpCjf+Sjc3ZtU+qUEi",
        "your-secret-key",
        "changeme",
        "change-me",
        "secret",
    }
)


# Read by the command line, the build and the tests. They are no settings of the server, and no slips either.
READ_ELSEWHERE = frozenset(
    {
        "TIDEMILL_MODEL_WINDOWS",
        "TIDEMILL_CONSOLE",
        "TIDEMILL_CHROMIUM",
        "TIDEMILL_SERVER",
        "TIDEMILL_SHARED",
        "TIDEMILL_SHOTS",
        "TIDEMILL_TEST_DATABASE",
        "TIDEMILL_TEST_REQUIRE",
    }
)


def _setting(default: Any, group: str, description: str, **more: Any) -> Any:
    return Field(default, description=description, json_schema_extra={"group": group}, **more)


def _environment_name(field: str) -> str:
    return field.upper()


class Settings(BaseSettings):
    """Settings of one process. Fields carry the lower-case form of their names, less the `TIDEMILL_` prefix."""

    model_config = SettingsConfigDict(
        alias_generator=AliasGenerator(validation_alias=_environment_name),
        populate_by_name=True,
        extra="ignore",
        frozen=True,
    )

    home: Path = _setting(
        None,
        "Data",
        "The data folder. Default: the user's data directory of the system.",
        validation_alias="TIDEMILL_HOME",
        validate_default=False,
    )

    deploy_env: str = _setting(
        "PRODUCTION", "Server", "Name of this environment. DEVELOPMENT and TESTING show a badge in the console."
    )
    host: str = _setting("127.0.0.1", "Server", "Address `serve` listens on.", validation_alias="TIDEMILL_HOST")
    port: int = _setting(5001, "Server", "Port `serve` listens on.", validation_alias="TIDEMILL_PORT", ge=0, le=65535)
    workers: int = _setting(1, "Server", "Server processes.", validation_alias="TIDEMILL_WORKERS", ge=1)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = _setting("WARNING", "Server", "What is logged.")
    session_days: int = _setting(30, "Server", "Days a sign-in lasts.", validation_alias="TIDEMILL_SESSION_DAYS", ge=1)

    path_prefix: str = _setting(
        "",
        "Addresses",
        "Path under which a proxy serves everything, e.g. `/tidemill`. The proxy may strip it or not.",
        validation_alias="TIDEMILL_PATH_PREFIX",
    )
    console_api_url: str = _setting("", "Addresses", "Public address of the console's API. Default: as requested.")
    console_web_url: str = _setting("", "Addresses", "Public address of the console. Default: as requested.")
    service_api_url: str = _setting(
        "", "Addresses", "Public address of the Service API, without `/v1`. Default: as requested."
    )
    app_web_url: str = _setting("", "Addresses", "Public address of published web apps. Default: as requested.")
    files_url: str = _setting("", "Addresses", "Public address in links to files. Default: as requested.")

    db_type: Literal["sqlite", "postgresql"] = _setting("sqlite", "Database", "`sqlite` or `postgresql`.")
    db_host: str = _setting("localhost", "Database", "Host of the PostgreSQL server.")
    db_port: int = _setting(5432, "Database", "Port of the PostgreSQL server.", ge=1, le=65535)
    db_username: str = _setting("postgres", "Database", "User of the PostgreSQL server.")
    db_password: SecretStr = _setting(SecretStr(""), "Database", "Password of that user.")
    db_database: str = _setting("tidemill", "Database", "Database on the PostgreSQL server. Must be Tidemill's alone.")
    sqlalchemy_pool_size: int = _setting(10, "Database", "Connections kept open.", ge=1)
    sqlalchemy_max_overflow: int = _setting(20, "Database", "Further connections under load.", ge=0)
    migration_enabled: bool = _setting(True, "Database", "Whether a start brings the database up to date.")

    storage_type: Literal["opendal", "local"] = _setting("opendal", "Storage", "Where files are kept.")
    opendal_scheme: Literal["fs"] = _setting("fs", "Storage", "OpenDAL service; `fs` is a local folder.")
    opendal_fs_root: str = _setting(
        "", "Storage", "Folder for files. Default: `files` in the data folder; required when STORAGE_TYPE is set."
    )

    redis_host: str = _setting("", "Redis", "Redis or Valkey server. Empty: everything stays in this process.")
    redis_port: int = _setting(6379, "Redis", "Its port.", ge=1, le=65535)
    redis_username: str = _setting("", "Redis", "Its user.")
    redis_password: SecretStr = _setting(SecretStr(""), "Redis", "Password of that user.")
    redis_db: int = _setting(0, "Redis", "Its database number.", ge=0)
    redis_use_ssl: bool = _setting(False, "Redis", "Whether to connect over TLS.")

    smtp_server: str = _setting("", "Mail", "SMTP server that sends forms to people. Empty: no mail is sent.")
    smtp_port: int = _setting(465, "Mail", "Its port.", ge=1, le=65535)
    smtp_username: str = _setting("", "Mail", "Its user.")
    smtp_password: SecretStr = _setting(SecretStr(""), "Mail", "Password of that user.")
    smtp_use_tls: bool = _setting(True, "Mail", "Whether to connect over TLS.")
    smtp_opportunistic_tls: bool = _setting(False, "Mail", "Whether TLS begins with STARTTLS, as on port 587.")
    mail_default_send_from: str = _setting("", "Mail", "Sender's address. Default: SMTP_USERNAME.")

    secret_key: SecretStr = _setting(
        SecretStr(""), "Secrets", "Key of everything encrypted and signed. Default: generated into the data folder."
    )
    previous_secret_keys: SecretStr = _setting(
        SecretStr(""),
        "Secrets",
        "Earlier SECRET_KEYs, comma separated: what they encrypted stays readable.",
        validation_alias="TIDEMILL_PREVIOUS_SECRET_KEYS",
    )
    init_password: SecretStr = _setting(
        SecretStr(""), "Secrets", "Asked by the first-run page instead of the one-time code printed at start."
    )

    workflow_max_execution_steps: int = _setting(500, "Runs", "Most nodes one run may execute.", ge=1)
    workflow_max_execution_time: int = _setting(1200, "Runs", "Longest time of one run, in seconds.", ge=1)
    workflow_call_max_depth: int = _setting(5, "Runs", "How deep workflows may call one another.", ge=1)
    app_max_active_requests: int = _setting(0, "Runs", "Most runs of one app at a time; 0 is no limit.", ge=0)
    record_calls: bool = _setting(
        True,
        "Runs",
        "Keep each run's outside calls with their answers, so that it can be saved as a cassette for tests.",
        validation_alias="TIDEMILL_RECORD_CALLS",
    )
    run_lease: float = _setting(
        30.0,
        "Runs",
        "Seconds of silence after which other processes go on with a process's runs. On the same machine they see at "
        "once when it has died.",
        validation_alias="TIDEMILL_RUN_LEASE",
        ge=3,
    )
    run_max_losses: int = _setting(
        5,
        "Runs",
        "How many processes in a row may die with a run, without its getting any further, before it is ended.",
        validation_alias="TIDEMILL_RUN_MAX_LOSSES",
        ge=0,
    )
    workflow_log_cleanup_enabled: bool = _setting(False, "Runs", "Whether traces of old runs are deleted.")
    workflow_log_retention_days: int = _setting(30, "Runs", "Days that traces are kept for, if they are deleted.", ge=1)

    sandbox_worker_timeout: int = _setting(15, "Code", "Longest time of one code node, in seconds.", ge=1)
    sandbox_memory: int = _setting(
        256,
        "Code",
        "Most memory of one code node, in MB, the interpreter included.",
        validation_alias="TIDEMILL_SANDBOX_MEMORY",
        ge=64,
        le=4000,
    )
    sandbox_output: int = _setting(
        10,
        "Code",
        "Largest result of one code node, in millions of characters of JSON.",
        validation_alias="TIDEMILL_SANDBOX_OUTPUT",
        ge=1,
        le=100,
    )
    sandbox_processes: int = _setting(
        2,
        "Code",
        "Most code nodes that run at a time in one server process, for each language; others wait.",
        validation_alias="TIDEMILL_SANDBOX_PROCESSES",
        ge=1,
    )
    sandbox_idle: int = _setting(
        60, "Code", "Seconds after which an idle sandbox process ends.", validation_alias="TIDEMILL_SANDBOX_IDLE", ge=1
    )
    sandbox_packages: str = _setting(
        "",
        "Code",
        "Folder of further Python packages for code nodes, as `pip install --target FOLDER` fills it.",
        validation_alias="TIDEMILL_SANDBOX_PACKAGES",
    )
    code_max_string_length: int = _setting(400000, "Code", "Longest text in a code node's output.", ge=1)
    code_max_string_array_length: int = _setting(30, "Code", "Most texts in an array of a code node's output.", ge=1)
    code_max_object_array_length: int = _setting(30, "Code", "Most objects in an array of a code node's output.", ge=1)
    code_max_number_array_length: int = _setting(
        1000, "Code", "Most numbers or booleans in an array of a code node's output.", ge=1
    )
    code_max_depth: int = _setting(5, "Code", "Deepest nesting of a code node's output.", ge=1)
    code_max_precision: int = _setting(20, "Code", "Most decimal places of a number in a code node's output.", ge=0)
    code_max_number: int = _setting(9223372036854775807, "Code", "Largest number in a code node's output.")
    code_min_number: int = _setting(-9223372036854775808, "Code", "Smallest number in a code node's output.")

    upload_file_size_limit: int = _setting(15, "Uploads", "Largest document, in MB.", ge=1)
    upload_image_file_size_limit: int = _setting(10, "Uploads", "Largest image, in MB.", ge=1)
    upload_audio_file_size_limit: int = _setting(50, "Uploads", "Largest audio file, in MB.", ge=1)
    upload_video_file_size_limit: int = _setting(100, "Uploads", "Largest video file, in MB.", ge=1)
    upload_file_batch_limit: int = _setting(5, "Uploads", "Most files in one upload.", ge=1)
    workflow_file_upload_limit: int = _setting(10, "Uploads", "Most files in one run's input.", ge=1)
    upload_file_extension_blacklist: str = _setting("", "Uploads", "Refused extensions, comma separated.")
    files_access_timeout: int = _setting(300, "Uploads", "Seconds a link to a file stays valid.", ge=1)

    egress_allow: str = _setting(
        "",
        "Requests",
        "Hosts, addresses or networks in private ranges that HTTP nodes may reach, comma separated.",
        validation_alias="TIDEMILL_EGRESS_ALLOW",
    )
    http_request_max_connect_timeout: int = _setting(
        10, "Requests", "Longest wait of an HTTP node to connect, in seconds.", ge=1
    )
    http_request_max_read_timeout: int = _setting(
        600, "Requests", "Longest wait of an HTTP node for data, in seconds.", ge=1
    )
    http_request_max_write_timeout: int = _setting(
        600, "Requests", "Longest wait of an HTTP node to send, in seconds.", ge=1
    )
    http_request_node_max_text_size: int = _setting(
        1048576, "Requests", "Largest text an HTTP node takes, in bytes.", ge=1
    )
    http_request_node_max_binary_size: int = _setting(
        10485760, "Requests", "Largest file an HTTP node takes, in bytes.", ge=1
    )
    sql_connections: SecretStr = _setting(
        SecretStr(""),
        "Requests",
        "Databases that the SQL tool may read: NAME=URL, divided by blanks; sqlite:////path or postgresql://...",
        validation_alias="TIDEMILL_SQL_CONNECTIONS",
    )
    api_tool_default_connect_timeout: int = _setting(
        10, "Requests", "Longest wait of an OpenAPI tool to connect, in seconds.", ge=1
    )
    api_tool_default_read_timeout: int = _setting(
        60, "Requests", "Longest wait of an OpenAPI tool for data, in seconds.", ge=1
    )
    mcp_stdio_allowed: str = _setting(
        "",
        "Requests",
        "Command lines that workspaces may start as MCP servers, exact, divided by `;`. Words `NAME=` before one are "
        "environment variables that they may set.",
        validation_alias="TIDEMILL_MCP_STDIO_ALLOWED",
    )
    ollama_host: str = _setting("", "Requests", "Address of a local Ollama. Default: looked for on this machine.")

    _sources: dict[str, str] = PrivateAttr(default_factory=dict[str, str])
    _warnings: list[str] = PrivateAttr(default_factory=list[str])

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # `load` reads the sources itself: it must know which one each value came from.
        return (init_settings,)

    @field_validator("path_prefix")
    @classmethod
    def _normal_prefix(cls, value: str) -> str:
        return f"/{value.strip('/')}" if value.strip("/") else ""

    @field_validator("console_api_url", "console_web_url", "service_api_url", "app_web_url", "files_url")
    @classmethod
    def _whole_url(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in ("http", "https"):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")

    @property
    def folder(self) -> DataFolder:
        return DataFolder(self.home)

    @property
    def redis_url(self) -> str:
        """Where Redis is; empty without one."""
        if not self.redis_host:
            return ""
        scheme = "rediss" if self.redis_use_ssl else "redis"
        user, password = quote(self.redis_username, safe=""), quote(self.redis_password.get_secret_value(), safe="")
        login = f"{user}:{password}@" if user or password else ""
        return f"{scheme}://{login}{self.redis_host}:{self.redis_port}/{self.redis_db}"

    @property
    def storage_root(self) -> Path:
        """Folder for files; a relative one is taken from the data folder."""
        return self.home / self.opendal_fs_root if self.opendal_fs_root else self.folder.files

    def source(self, field: str) -> str:
        """Where a field's value was read, in words: "the environment", a file's path, "default"."""
        return self._sources.get(field, "default")

    def explain(self) -> list[ExplainedSetting]:
        """Every setting with its value (secrets masked) and where it was read."""
        return [
            ExplainedSetting(environment_name(field), self._shown(field), self.source(field))
            for field in type(self).model_fields
        ]

    def warnings(self) -> list[str]:
        """One sentence per name that looks like a setting spelt wrongly."""
        return list(self._warnings)

    def fault(
        self, field: str, problem: str, mend: str, *, value: str | None = None, source: str | None = None
    ) -> StartFault:
        """The start fault of one setting, with its value and source filled in unless given."""
        shown = self._shown(field) if value is None else value
        return StartFault(environment_name(field), shown, source or self.source(field), problem, mend)

    def _shown(self, field: str) -> str:
        value = getattr(self, field)
        if isinstance(value, SecretStr):
            return MASK if value.get_secret_value() else ""
        return str(value).lower() if isinstance(value, bool) else str(value)


class ExplainedSetting:
    """A line of `tidemill config`."""

    __slots__ = ("name", "source", "value")

    def __init__(self, name: str, value: str, source: str) -> None:
        self.name, self.value, self.source = name, value, source


def environment_name(field: str) -> str:
    """The name a field has in the environment and in `.env`."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else _environment_name(field)


def setting_names() -> dict[str, str]:
    """Environment name -> field."""
    return {environment_name(field): field for field in Settings.model_fields}


def load(
    *,
    home: Path | None = None,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    options: Mapping[str, str] | None = None,
) -> Settings:
    """Read the settings of this process and note where each came from.

    Args:
        home: The data folder of `--data`; before TIDEMILL_HOME and the system's default.
        environ: The environment; the process's own by default.
        cwd: The working directory whose `.env` is read; the process's own by default.
        options: Further options of the command line, by environment name.

    Raises:
        StartFault: A value is not one the setting can have, or SECRET_KEY is a publicly known one.
    """
    environ = os.environ if environ is None else environ
    cwd = Path.cwd() if cwd is None else cwd
    local = _read_env_file(cwd / ".env")
    folder = _find_home(home, environ, local, cwd)
    kept = {} if folder.env_file == cwd / ".env" else _read_env_file(folder.env_file)
    names = setting_names()
    values: dict[str, str | Path] = {}
    sources: dict[str, str] = {}
    layers: list[tuple[str, Mapping[str, str]]] = [
        (str(folder.env_file), kept),
        (str(cwd / ".env"), local),
        ("the environment", environ),
        ("the command line", options or {}),
    ]
    for source, layer in layers:
        for name in layer.keys() & names.keys():
            # An empty line in an example file means "not set"; only the storage root may not be blanked silently.
            if layer[name] != "" or name == "OPENDAL_FS_ROOT":
                values[names[name]] = layer[name]
                sources[names[name]] = source
    values["home"] = folder.home
    sources.setdefault("home", "default")
    if home is not None:
        sources["home"] = "the command line"
    settings = _validate(values, sources)
    settings._warnings.extend(misspelt(layers[:3], {*names, *READ_ELSEWHERE}))
    return settings


def with_secret_key(settings: Settings) -> Settings:
    """The same settings with a secret key: the one set, or the data folder's, made there (mode 0600) at first start.

    Raises:
        StartFault: The data folder cannot be written.
    """
    if settings.secret_key.get_secret_value():
        return settings
    path = settings.folder.secret_key
    try:
        settings.folder.create()
        key = _read_or_create_secret(path)
    except OSError as error:
        raise settings.fault(
            "home", f"the data folder cannot be written ({error.strerror})", "Choose a folder that can be."
        ) from error
    copy = settings.model_copy(update={"secret_key": SecretStr(key)})
    copy._sources["secret_key"] = str(path)
    return copy


def _read_or_create_secret(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        key = secrets.token_urlsafe(48)
        file.write(key)
    return key


def _read_env_file(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    return {name: value for name, value in dotenv_values(path, interpolate=False).items() if value is not None}


def _find_home(home: Path | None, environ: Mapping[str, str], local: Mapping[str, str], cwd: Path) -> DataFolder:
    named = home or environ.get("TIDEMILL_HOME") or local.get("TIDEMILL_HOME") or default_home()
    return DataFolder((cwd / Path(named).expanduser()).absolute())


def _validate(values: Mapping[str, Any], sources: dict[str, str]) -> Settings:
    try:
        settings = Settings.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        named = str(first["loc"][0])
        field = setting_names().get(named, named)
        raise StartFault(
            environment_name(field),
            str(values.get(field, "")),
            sources.get(field, "default"),
            str(first["msg"]).removeprefix("Value error, ").lower(),
            "Correct or remove it.",
        ) from error
    settings._sources.update(sources)
    key = settings.secret_key.get_secret_value()
    if key in KNOWN_SECRET_KEYS or (key and len(key) < 16):
        problem = "is a publicly known key" if key in KNOWN_SECRET_KEYS else "is shorter than 16 characters"
        raise settings.fault(
            "secret_key", problem, "Remove it to have one generated, or set the output of `openssl rand -base64 42`."
        )
    return settings
