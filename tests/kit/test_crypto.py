"""Secrets at rest and signatures."""

from __future__ import annotations

import pytest

from tidemill.kit.crypto import SecretUnreadable, Vault, digest
from tidemill.kit.db import new_id

ONE, OTHER = new_id(), new_id()


def test_what_is_encrypted_for_a_workspace_opens_for_it_alone():
    vault = Vault("a key of some length")
    token = vault.encrypt(ONE, "sk-secret")

    assert vault.decrypt(ONE, token) == "sk-secret"
    assert "sk-secret" not in token
    with pytest.raises(SecretUnreadable, match="SECRET_KEY has changed"):
        vault.decrypt(OTHER, token)


def test_a_previous_key_still_opens_and_verifies():
    old = Vault("the key before this one")
    rotated = Vault("a key of some length", ["the key before this one"])

    assert rotated.decrypt(ONE, old.encrypt(ONE, "kept")) == "kept"
    assert rotated.verify("file", "id|1", old.sign("file", "id|1"))
    with pytest.raises(SecretUnreadable):
        old.decrypt(ONE, rotated.encrypt(ONE, "new"))


def test_a_signature_holds_for_one_purpose_and_one_message():
    vault = Vault("a key of some length")
    signature = vault.sign("csrf", "session")

    assert vault.verify("csrf", "session", signature)
    assert not vault.verify("file", "session", signature)
    assert not vault.verify("csrf", "another", signature)


def test_a_digest_is_sha256_in_hex():
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
