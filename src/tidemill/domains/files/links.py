"""Signed links to files: whoever holds one may read that file until it expires."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from tidemill.engine.values import FILE_MARK
from tidemill.kit.crypto import Vault

PURPOSE = "file-preview"


class FileLinks:
    """Makes and checks links. `base_url` is where files are served, without a slash at its end."""

    def __init__(
        self, vault: Vault, *, base_url: str, lifetime_s: int = 300, clock: Callable[[], float] = time.time
    ) -> None:
        self._vault = vault
        self._base_url = base_url
        self._lifetime_s = lifetime_s
        self._clock = clock

    @property
    def base_url(self) -> str:
        return self._base_url

    def at(self, base_url: str) -> FileLinks:
        """The same links under another address."""
        if base_url == self._base_url:
            return self
        return FileLinks(self._vault, base_url=base_url, lifetime_s=self._lifetime_s, clock=self._clock)

    def url(self, file_id: UUID | str) -> str:
        """A fresh link."""
        timestamp, nonce = str(int(self._clock())), secrets.token_hex(8)
        sign = self._vault.sign(PURPOSE, f"{file_id}|{timestamp}|{nonce}")
        return f"{self._base_url}/files/{file_id}/file-preview?timestamp={timestamp}&nonce={nonce}&sign={sign}"

    def is_valid(self, file_id: UUID, *, timestamp: str, nonce: str, sign: str) -> bool:
        """Whether a link was made here and has not expired."""
        if not timestamp.isdecimal() or not 0 <= self._clock() - int(timestamp) <= self._lifetime_s:
            return False
        return self._vault.verify(PURPOSE, f"{file_id}|{timestamp}|{nonce}", sign)

    def renewed(self, value: Any) -> Any:
        """A stored value with the links of its files made anew."""
        if isinstance(value, list):
            return [self.renewed(item) for item in value]
        if isinstance(value, dict):
            if value.get("dify_model_identity") == FILE_MARK and value.get("related_id"):
                return {**value, "url": self.url(value["related_id"])}
            return {key: self.renewed(item) for key, item in value.items()}
        return value
