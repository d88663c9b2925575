"""Files in a local folder. Keys are made here, random and plain ASCII; names that users give never reach the disk."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO, Protocol

CHUNK_BYTES = 256 * 1024
_KEY = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{32}")


class StorageError(Exception):
    """The storage could not do what was asked. One sentence."""


class KeyNotFound(StorageError):
    """Nothing is stored under a key."""


class Storage(Protocol):
    """Where the bytes of files are kept, by key."""

    async def write(self, data: bytes) -> str:
        """Keep bytes and return their key. They are durable and whole, or not there."""
        ...

    async def read(self, key: str) -> bytes:
        """Raises `KeyNotFound`."""
        ...

    async def open(self, key: str, *, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """The bytes in chunks. Raises `KeyNotFound` before the first."""
        ...

    async def delete(self, key: str) -> None:
        """Remove; removing what is not there is fine."""
        ...


class LocalStorage:
    """A folder. Symbolic links below its root are refused, whatever made them."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    async def check(self) -> None:
        """Write, read and delete a small file. Raises `StorageError` naming the folder."""
        try:
            key = await self.write(b"tidemill")
            await self.read(key)
            await self.delete(key)
        except OSError as error:
            raise StorageError(f"Files cannot be kept in {self._root}: {error.strerror}.") from error

    async def write(self, data: bytes) -> str:
        return await asyncio.to_thread(self._write, data)

    async def read(self, key: str) -> bytes:
        return await asyncio.to_thread(self._read, key)

    async def open(self, key: str, *, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        file = await asyncio.to_thread(self._open, key)
        return self._chunks(file, start, length)

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(self._delete, key)

    async def _chunks(self, file: BinaryIO, start: int, length: int | None) -> AsyncIterator[bytes]:
        left = length
        try:
            if start:
                file.seek(start)
            while left is None or left > 0:
                size = CHUNK_BYTES if left is None else min(CHUNK_BYTES, left)
                chunk = await asyncio.to_thread(file.read, size)
                if not chunk:
                    return
                if left is not None:
                    left -= len(chunk)
                yield chunk
        finally:
            file.close()

    def _write(self, data: bytes) -> str:
        name = secrets.token_hex(16)
        key = f"{name[:2]}/{name[2:4]}/{name}"
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._refuse_links(path.parent)
        partial = path.with_suffix(".part")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        return key

    def _read(self, key: str) -> bytes:
        with self._open(key) as file:
            return file.read()

    def _open(self, key: str) -> BinaryIO:
        path = self._path(key)
        self._refuse_links(path.parent)
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        try:
            if path.is_symlink():
                raise StorageError("A symbolic link lies in the file storage; it is not followed.")
            return os.fdopen(os.open(path, flags), "rb")
        except FileNotFoundError as error:
            raise KeyNotFound("The file's bytes are no longer in storage.") from error

    def _delete(self, key: str) -> None:
        path = self._path(key)
        self._refuse_links(path.parent)
        path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise StorageError("This is not a key of the file storage.")
        return self._root / key

    def _refuse_links(self, folder: Path) -> None:
        while folder != self._root and self._root in folder.parents:
            try:
                mode = os.lstat(folder).st_mode
            except FileNotFoundError:
                return
            if not stat.S_ISDIR(mode):
                raise StorageError("A symbolic link lies in the file storage; it is not followed.")
            folder = folder.parent
