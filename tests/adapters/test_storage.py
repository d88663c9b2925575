"""Files in a local folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidemill.adapters.storage import KeyNotFound, LocalStorage, StorageError


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "files")


async def test_what_is_written_is_read_under_a_key_made_here(storage: LocalStorage, tmp_path: Path):
    key = await storage.write(b"tide")

    assert await storage.read(key) == b"tide"
    assert (tmp_path / "files" / key).stat().st_mode & 0o077 == 0
    assert await storage.write(b"tide") != key


async def test_a_part_can_be_read(storage: LocalStorage):
    key = await storage.write(b"0123456789")

    chunks = [chunk async for chunk in await storage.open(key, start=2, length=3)]

    assert b"".join(chunks) == b"234"


async def test_what_was_deleted_is_gone_and_may_be_deleted_again(storage: LocalStorage):
    key = await storage.write(b"tide")

    await storage.delete(key)
    await storage.delete(key)

    with pytest.raises(KeyNotFound):
        await storage.read(key)


@pytest.mark.parametrize("key", ["../../etc/passwd", "/etc/passwd", "ab/cd/..", "a"])
async def test_a_key_of_somebody_elses_making_is_refused(storage: LocalStorage, key: str):
    with pytest.raises(StorageError, match="not a key"):
        await storage.read(key)


async def test_a_link_in_the_place_of_a_file_is_not_followed(storage: LocalStorage, tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    key = await storage.write(b"tide")
    path = tmp_path / "files" / key
    path.unlink()
    path.symlink_to(secret)

    with pytest.raises(StorageError, match="symbolic link"):
        await storage.read(key)


async def test_a_link_in_the_place_of_a_folder_is_not_followed(storage: LocalStorage, tmp_path: Path):
    key = await storage.write(b"tide")
    folder = tmp_path / "files" / key[:2]
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StorageError, match="symbolic link"):
        await storage.read(key)


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "files").write_text("a file")

    with pytest.raises(StorageError, match="files"):
        await LocalStorage(tmp_path / "files").check()
