"""Where this installation is reached: every link shown is made here."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from tidemill.kit.settings import Settings


@dataclass(frozen=True)
class Links:
    """Base addresses without a trailing slash; all hold the path prefix unless a setting says otherwise."""

    console_api: str
    console_web: str
    service_api: str
    app_web: str
    files: str

    @property
    def v1(self) -> str:
        """Base URL that Service API clients are given."""
        return f"{self.service_api}/v1"

    @property
    def openai(self) -> str:
        """Base URL that OpenAI clients are given."""
        return f"{self.service_api}/openai/v1"


def links(settings: Settings, origin: str = "") -> Links:
    """The addresses of an installation.

    Args:
        origin: Scheme and host of the request at hand, used where no setting names an address.
    """
    base = (origin or f"http://{_shown_host(settings.host)}:{settings.port}").rstrip("/") + settings.path_prefix
    return Links(
        console_api=settings.console_api_url or base,
        console_web=settings.console_web_url or base,
        service_api=settings.service_api_url or base,
        app_web=settings.app_web_url or base,
        files=settings.files_url or settings.console_api_url or base,
    )


def links_of(connection: HTTPConnection) -> Links:
    """The addresses as seen by this request: behind a proxy, the host it was asked for."""
    settings: Settings = connection.app.state.settings
    return links(settings, f"{connection.url.scheme}://{connection.url.netloc}")


def _shown_host(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared with, not listened on
        return "localhost"
    return f"[{host}]" if ":" in host else host
