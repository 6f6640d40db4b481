"""The object store, on a directory and on a store behind a URL."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import obstore
import pytest
from hypothesis import given
from hypothesis import strategies as st
from obstore.exceptions import GenericError

from folkmoot.storage.objects import ObjectStore


@pytest.fixture(params=["directory", "url"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return ObjectStore.open(str(tmp_path / "media") if request.param == "directory" else "memory:///")


async def test_what_was_put_is_got(objects: ObjectStore) -> None:
    await objects.put("clips/1.m4a", b"first", "audio/mp4")
    await objects.put("clips/1.m4a", b"0123456789", "audio/mp4")
    assert await objects.get("clips/1.m4a") == b"0123456789"
    assert (await objects.head("clips/1.m4a")).size_bytes == 10


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0, 4, b"0123"), (8, 99, b"89"), (5, None, b"56789"), (10, None, b""), (50, 60, b"")],
)
async def test_ranges_are_half_open_and_end_with_the_object(
    objects: ObjectStore, start: int, end: int | None, expected: bytes
) -> None:
    await objects.put("a", b"0123456789", "text/plain")
    assert await objects.get("a", start, end) == expected


@pytest.mark.parametrize("objects", ["directory"], indirect=True)
async def test_a_file_is_streamed_in_pieces(objects: ObjectStore, tmp_path: Path) -> None:
    content = bytes(range(256)) * 4096
    (tmp_path / "source").write_bytes(content)
    await objects.put("a", tmp_path / "source", "audio/mp4")
    pieces = [piece async for piece in objects.stream("a")]
    assert len(pieces) > 1
    assert b"".join(pieces) == content


async def test_what_is_not_there_is_said(objects: ObjectStore) -> None:
    with pytest.raises(FileNotFoundError):
        await objects.get("a")
    with pytest.raises(FileNotFoundError):
        await objects.head("a")
    await objects.put("a", b"", "text/plain")
    await objects.delete("a")
    await objects.delete("a")
    with pytest.raises(FileNotFoundError):
        await objects.head("a")


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a//b", "../a", "a/../b", "a/.hidden", "a\\b", "a\n", "ü", "a" * 501]
)
async def test_other_keys_are_refused(objects: ObjectStore, key: str) -> None:
    with pytest.raises(ValueError, match="Not the key"):
        await objects.put(key, b"", "text/plain")


@given(key=st.text(alphabet="a./\\_-\0 %", max_size=12))
async def test_no_key_leads_out_of_the_directory(key: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.getbasetemp() / "objects"
    objects = ObjectStore.open(str(root / "media"))
    try:
        await objects.put(key, b"x", "text/plain")
    except ValueError:
        return
    assert (root / "media" / key).resolve().is_relative_to(root / "media")
    assert [path.name for path in root.iterdir()] == ["media"]
    await objects.delete(key)


@pytest.mark.parametrize("work", ["put", "get", "head", "delete", "keys", "read"])
async def test_a_store_that_is_away_is_an_os_error(
    objects: ObjectStore, work: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise GenericError("connection refused\nand more")

    for name in ("put_async", "get_async", "head_async", "delete_async", "list", "get"):
        monkeypatch.setattr(obstore, name, away)
    asked: dict[str, Callable[[], Awaitable[object]]] = {
        "put": lambda: objects.put("a/b", b"content", "audio/mp4"),
        "get": lambda: objects.get("a/b"),
        "head": lambda: objects.head("a/b"),
        "delete": lambda: objects.delete("a/b"),
        "keys": lambda: objects.keys("a"),
        "read": lambda: asyncio.to_thread(objects.read, "a/b"),
    }
    with pytest.raises(OSError, match=r"connection refused$"):
        await asked[work]()
