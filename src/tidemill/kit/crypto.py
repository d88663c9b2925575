"""Secrets: what is encrypted at rest, what is kept as a digest only, and what is signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class SecretUnreadable(Exception):
    """A stored secret that none of the known keys opens."""


def digest(secret: str) -> str:
    """SHA-256 of a secret, in hex. Ours have over 128 random bits: a fast unsalted hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same(left: str, right: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


class Vault:
    """Encrypts per workspace and signs, with keys derived from SECRET_KEY.

    What was written under one of `previous` keys stays readable; new values use `secret_key`.
    """

    def __init__(self, secret_key: str, previous: Sequence[str] = ()) -> None:
        self._keys = (secret_key, *previous)
        self._of_workspace = lru_cache(maxsize=1024)(self._derive_fernet)

    def encrypt(self, workspace_id: UUID, text: str) -> str:
        """Ciphertext that only this workspace's key opens."""
        return self._of_workspace(workspace_id).encrypt(text.encode()).decode()

    def decrypt(self, workspace_id: UUID, token: str) -> str:
        """Open what `encrypt` made.

        Raises:
            SecretUnreadable: It was written under another SECRET_KEY or for another workspace.
        """
        try:
            return self._of_workspace(workspace_id).decrypt(token.encode()).decode()
        except InvalidToken as error:
            raise SecretUnreadable(
                "A stored secret cannot be read. SECRET_KEY has changed since it was saved: "
                "put the old key back, name it in TIDEMILL_PREVIOUS_SECRET_KEYS, or enter the secret again."
            ) from error

    def sign(self, purpose: str, message: str) -> str:
        """A signature of `message`, url-safe, valid for `purpose` only."""
        return self._signature(self._keys[0], purpose, message)

    def verify(self, purpose: str, message: str, signature: str) -> bool:
        """Whether `sign` made this signature, under the present key or a previous one."""
        return any(same(self._signature(key, purpose, message), signature) for key in self._keys)

    def _signature(self, key: str, purpose: str, message: str) -> str:
        tag = hmac.digest(_derive(key, b"sign:" + purpose.encode()), message.encode(), "sha256")
        return base64.urlsafe_b64encode(tag).rstrip(b"=").decode()

    def _derive_fernet(self, workspace_id: UUID) -> MultiFernet:
        info = b"workspace:" + workspace_id.bytes
        return MultiFernet([Fernet(base64.urlsafe_b64encode(_derive(key, info))) for key in self._keys])


@lru_cache(maxsize=256)
def _derive(key: str, info: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"tidemill:" + info).derive(key.encode())
