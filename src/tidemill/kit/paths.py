"""Where things are kept: everything of one installation lies in one data folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path


def default_home() -> Path:
    """The user's data folder for this program; never inside the Python environment."""
    return user_data_path("tidemill", appauthor=False)


@dataclass(frozen=True)
class DataFolder:
    """The data folder and the names in it."""

    home: Path

    @property
    def database(self) -> Path:
        return self.home / "tidemill.db"

    @property
    def files(self) -> Path:
        return self.home / "files"

    @property
    def secret_key(self) -> Path:
        return self.home / "secret_key"

    @property
    def env_file(self) -> Path:
        return self.home / ".env"

    def create(self) -> None:
        """Make the folder, readable by its owner only."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
