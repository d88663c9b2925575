"""Password hashes: argon2id, a few at a time, since each takes 64 MiB while it is computed."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_CHARS = 8
MAX_CHARS = 256

_hasher = PasswordHasher()


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")


async def hash_password(password: str) -> str:
    """The hash to store."""
    return await asyncio.get_running_loop().run_in_executor(_pool(), _hasher.hash, password)


async def matches(password_hash: str, password: str) -> bool:
    """Whether `password` made this hash. An empty hash never matches, after the same time."""
    return await asyncio.get_running_loop().run_in_executor(_pool(), _matches, password_hash, password)


def _matches(password_hash: str, password: str) -> bool:
    # Without an account the work is done all the same, so that timing does not tell who has one.
    try:
        return _hasher.verify(password_hash or _decoy(), password) and bool(password_hash)
    except (VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=1)
def _decoy() -> str:
    return _hasher.hash("nobody's password")
