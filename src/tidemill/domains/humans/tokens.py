"""What opens a form: made from its id and SECRET_KEY, so that neither the database nor a journal holds it."""

from __future__ import annotations

import base64
import binascii
from uuid import UUID

from tidemill.kit.crypto import Vault

_PURPOSE = "human-form"
# 16 bytes without padding.
_ID_LENGTH = 22


class FormTokens:
    """Makes and reads the tokens of forms. They are as hard to guess as the key they are signed with."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def of(self, form_id: UUID | str) -> str:
        """The token of a form: letters, digits, `-` and `_`."""
        known = form_id if isinstance(form_id, UUID) else UUID(form_id)
        written = base64.urlsafe_b64encode(known.bytes).rstrip(b"=").decode()
        return written + self._vault.sign(_PURPOSE, str(known))

    def form_id(self, token: str) -> UUID | None:
        """The form that a token opens; None for one that we did not make."""
        written, signature = token[:_ID_LENGTH], token[_ID_LENGTH:]
        try:
            form_id = UUID(bytes=base64.urlsafe_b64decode(written + "=="))
        except (ValueError, binascii.Error):
            return None
        return form_id if self._vault.verify(_PURPOSE, str(form_id), signature) else None
