"""The job that processes an upload: done twice, begun twice, and for a file that is gone meanwhile."""

import io
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import select
from tests.support.square import Square

from folkmoot.gate import Action, Refused
from folkmoot.media.depot import Depot, Made, Stored
from folkmoot.media.model import Piece, Processed, Unusable
from folkmoot.media.processing import Watch, Workshop
from folkmoot.posts.files import actions, queries
from folkmoot.posts.files.model import Media, MediaDetails, upload_key
from folkmoot.posts.files.processing import RETRY, Processing
from folkmoot.storage.discarding import DELETE_OBJECTS
from folkmoot.storage.jobs import Job
from folkmoot.storage.objects import ObjectStore
from folkmoot.storage.tables.bus import jobs

MADE = Processed(
    kind="video", original=Piece("original.mp4", "video/mp4", 64, 48), blurhash="L", duration_ms=500, has_sound=True
)


class FakeDepot(Depot, frozen=True):
    """Says two percents, then makes something, or says why not."""

    refuses: str = ""

    async def later(self, key: str, folder: str, watch: Watch) -> Made:
        await self.objects.get(key)
        await watch(40)
        await watch(60)
        if self.refuses:
            raise Unusable(self.refuses)
        return Made(
            MADE,
            Stored(f"{folder}/original.mp4", "video/mp4", 9, 64, 48),
            Stored(f"{folder}/s.jpeg", "image/jpeg", 3),
        )


class Upload:
    """One that waits for its job."""

    def __init__(self, square: Square, account_id: int, depot: FakeDepot) -> None:
        self.square = square
        self.account_id = account_id
        self.depot = depot

    async def keep(self, details: MediaDetails = MediaDetails()) -> None:  # noqa: B008
        await self.depot.keep(io.BytesIO(b"as it came"), upload_key(7))
        file = Media(
            id=7,
            account_id=self.account_id,
            kind="video",
            content_type="video/mp4",
            object_key=upload_key(7),
            size_bytes=10,
            description="",
            details=replace(details, percent=0),
            created_at_ms=0,
        )
        await self.square.act(self.account_id, Action.UPLOAD, lambda acting: actions.add_upload(acting, file))

    async def run(self, attempt: int = 1, **depot: str) -> None:
        given = replace(self.depot, **depot)
        processing = Processing(self.square.gate, given, self.square.database.clock_ms)
        await processing.run(Job(1, actions.QUEUE, actions.PROCESS, {"media": "7"}, attempt))

    async def file(self) -> Media | None:
        async with self.square.database.read() as read:
            return await queries.by_id(read, 7)

    async def discarded(self) -> list[str]:
        async with self.square.database.read() as read:
            found = await read.connection.execute(select(jobs.c.payload).where(jobs.c.kind == DELETE_OBJECTS))
            return sorted(key for payload in found.scalars() for key in payload["keys"])


@pytest.fixture
async def upload(square: Square, tmp_path: Path) -> Upload:
    depot = FakeDepot(ObjectStore.open(str(tmp_path / "media")), Workshop(tmp_path / "work", 1))
    return Upload(square, await square.person("alice"), depot)


async def test_what_was_made_takes_the_place_of_the_upload(upload: Upload) -> None:
    await upload.keep()
    await upload.run()
    file = await upload.file()
    assert file is not None
    assert file.details.is_ready
    assert (file.object_key, file.size_bytes, file.details.width) == ("files/7/original.mp4", 9, 64)
    assert await upload.discarded() == [upload_key(7)]
    await upload.run()
    assert await upload.file() == file


async def test_one_attaches_what_is_processed_only(upload: Upload) -> None:
    await upload.keep()
    with pytest.raises(Refused, match="have not finished processing"):
        await upload.square.say(upload.account_id, "look", media_ids=(7,))
    await upload.run()
    await upload.square.say(upload.account_id, "look", media_ids=(7,))


async def test_how_far_it_is_can_be_read(upload: Upload) -> None:
    await upload.keep()
    with pytest.raises(ZeroDivisionError):
        # A process that dies in the middle.
        await replace(upload.depot).later(upload_key(7), "files/7", _dies_after(upload))
    file = await upload.file()
    assert file is not None
    assert file.details.percent == 40
    await upload.run()
    done = await upload.file()
    assert done is not None
    assert done.details.percent is None


def _dies_after(upload: Upload) -> Watch:
    async def watch(percent: int) -> None:
        await upload.square.act(
            upload.account_id, Action.UPLOAD, lambda acting: actions.note_progress(acting, 7, percent)
        )
        raise ZeroDivisionError

    return watch


async def test_what_nothing_can_be_made_of_says_why(upload: Upload) -> None:
    await upload.keep()
    await upload.run(refuses="Too long")
    file = await upload.file()
    assert file is not None
    assert (file.details.failure, file.details.percent, file.details.is_ready) == ("Too long", None, False)


async def test_a_store_that_is_away_is_waited_for_and_then_said(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise ConnectionResetError

    await upload.keep()
    monkeypatch.setattr(FakeDepot, "later", away)
    with pytest.raises(ConnectionResetError):
        await upload.run(attempt=RETRY.attempts_max - 1)
    file = await upload.file()
    assert file is not None
    assert file.details.percent == 0
    await upload.run(attempt=RETRY.attempts_max)
    file = await upload.file()
    assert file is not None
    assert "away for too long" in file.details.failure
    assert file.details.percent is None


async def test_an_upload_that_is_lost_says_so(upload: Upload) -> None:
    await upload.keep()
    await upload.depot.objects.delete(upload_key(7))
    await upload.run()
    file = await upload.file()
    assert file is not None
    assert "lost" in file.details.failure


async def test_what_was_made_of_a_file_that_is_gone_goes_too(upload: Upload) -> None:
    await upload.keep()
    await upload.square.act(upload.account_id, Action.UPLOAD, lambda acting: actions.delete_own(acting, 7))
    made = await upload.depot.later(upload_key(7), "files/7", _nobody)
    assert not await upload.square.act(
        upload.account_id, Action.UPLOAD, lambda acting: actions.complete(acting, 7, made)
    )
    assert await upload.discarded() == ["files/7/original.mp4", "files/7/s.jpeg", upload_key(7)]


async def _nobody(_percent: int) -> None: ...


async def test_a_preview_and_a_focus_of_its_owners_stay(upload: Upload) -> None:
    own = Stored("files/7/preview-1/original.jpeg", "image/jpeg", 5)
    await upload.keep(MediaDetails(preview=own, preview_version=1, focus=(0.5, -0.5)))
    await upload.run()
    file = await upload.file()
    assert file is not None
    assert (file.details.preview, file.details.focus) == (own, (0.5, -0.5))
    assert await upload.discarded() == ["files/7/s.jpeg", upload_key(7)]
