"""Uploads on their way into the object store: a folder, or a bucket of a real S3 server."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import uploads
from tests.support.s3 import BUCKET, S3Server

from folkmoot.media.depot import Depot
from folkmoot.media.model import Piece, Processed, Purpose, Unusable
from folkmoot.media.processing import Workshop
from folkmoot.storage.objects import ObjectStore


@pytest.fixture
def bucket() -> Iterator[ObjectStore]:
    server = S3Server()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield ObjectStore.open(f"s3://{BUCKET}/folder")
    server.stop()


async def _nobody(_percent: int) -> None: ...


@pytest.mark.slow
async def test_what_is_made_is_in_the_bucket(bucket: ObjectStore, tmp_path: Path) -> None:
    depot = Depot(bucket, Workshop(tmp_path / "work", 1))
    made = await depot.at_once(io.BytesIO(uploads.photograph()), Purpose.ATTACHMENT, "files/1")
    assert sorted(await bucket.keys("files")) == sorted(made.keys)
    kept = await bucket.get(made.original.key)
    assert (len(kept), kept[:3]) == (made.original.size_bytes, b"\xff\xd8\xff")
    film = uploads.film()
    assert await depot.keep(io.BytesIO(film), "uploads/2") == len(film)
    later = await depot.later("uploads/2", "files/2", _nobody)
    assert (await bucket.head(later.original.key)).size_bytes == later.original.size_bytes
    assert not list((tmp_path / "work").iterdir())


async def test_of_what_is_refused_nothing_is_kept(tmp_path: Path) -> None:
    store = ObjectStore.open(str(tmp_path / "media"))
    depot = Depot(store, Workshop(tmp_path / "work", 1))
    with pytest.raises(Unusable):
        await depot.at_once(io.BytesIO(uploads.DRAWING), Purpose.ATTACHMENT, "files/1")
    assert await store.keys("files") == []
    assert not list((tmp_path / "work").iterdir())


async def test_an_upload_that_is_gone_is_said_so(tmp_path: Path) -> None:
    depot = Depot(ObjectStore.open(str(tmp_path / "media")), Workshop(tmp_path / "work", 1))
    with pytest.raises(FileNotFoundError):
        await depot.later("uploads/2", "files/2", _nobody)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "linked.jpeg", "twice.jpeg", "folder.d", "none.jpeg"])
async def test_only_files_that_were_made_there_are_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whatever a decoder says that was taken over."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"a key")

    async def taken_over(_self: Workshop, bench: Path, *_: object) -> Processed:
        (bench / "linked.jpeg").symlink_to(secret)
        (bench / "twice.jpeg").hardlink_to(secret)
        (bench / "folder.d").mkdir()
        return Processed(kind="image", original=Piece(name, "image/jpeg"))

    monkeypatch.setattr(Workshop, "process", taken_over)
    store = ObjectStore.open(str(tmp_path / "media"))
    with pytest.raises(Unusable):
        await Depot(store, Workshop(tmp_path / "work", 1)).at_once(io.BytesIO(b""), Purpose.ATTACHMENT, "files/1")
    assert await store.keys("files") == []
