"""Closed segments in an object store: copied, released, read back, changed, restored, and never lost on the way."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.storage.objects import ObjectStore
from folkmoot.tape import archive, away, cut
from folkmoot.tape.copies import Copies, Copy, State, make
from folkmoot.tape.model import Codec, Note, Part, TapeAway, TapeDamaged, TapeMissing, TapeWriteError
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.redact import redact
from folkmoot.tape.redactions import Redaction
from folkmoot.tape.restore import restore
from folkmoot.tape.writer import TapeWriter

Steps = Callable[..., tuple[Part, ...]]
SECONDS = 21
SEGMENTS = 6  # of four seconds each
LATER_S = 4e9


class FlakyStore(ObjectStore):
    """The real one on a folder; can be away, and says what was put."""

    def __init__(self, inner: ObjectStore) -> None:
        super().__init__(inner._store, keeps_content_types=False)
        self.is_away = False
        self.put_keys: list[str] = []
        self.before_put: Callable[[str], None] = lambda _key: None

    async def put(self, key: str, content: bytes | Path, content_type: str) -> None:
        if self.is_away:
            raise OSError("the store is away")
        self.before_put(key)
        await super().put(key, content, content_type)
        self.put_keys.append(key)

    def read(self, key: str) -> bytes:
        if self.is_away:
            raise OSError("the store is away")
        return super().read(key)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FlakyStore]:
    opened = FlakyStore(ObjectStore.open(str(tmp_path / "store")))
    away.fetch_with(opened.read)
    yield opened
    away.fetch_with(None)


@pytest.fixture
def tape(tmp_path: Path, step_parts: Steps) -> Path:
    directory = tmp_path / "tapes" / "77"
    writer = written(directory, step_parts, 0, SECONDS * 10)
    writer.close()
    return directory


def written(directory: Path, step_parts: Steps, first: int, past_last: int) -> TapeWriter:
    writer = TapeWriter.open(directory, lambda: 1_700_000_000_000 + first * 100)
    for step in range(first, past_last):
        writer.append(step_parts(step), Note(speaking=(1 + step // 50,)))
    return writer


def whole(directory: Path) -> dict[str, Any]:
    """All that a reader can ask of a tape."""
    with TapeReader(directory) as reader:
        return {
            "sound": {codec: reader.read(reader.parts(codec, 0, reader.end_ms)) for codec in reader.codecs},
            "segments": {codec: reader.segments(codec) for codec in reader.codecs},
            "speech": reader.speech(0, reader.end_ms),
            "clip": cut.cut_clip(reader, 3_950, 9_000),
            "ended": reader.ended,
        }


def states(directory: Path, codec: Codec) -> list[State]:
    known = Copies.open(directory, codec, writable=False)
    assert known is not None
    found = [State(state) for state in known.states().tolist()]
    known.close()
    return found


async def copy_all(directory: Path, store: ObjectStore) -> None:
    while not (await archive.copy_some(directory, store)).complete:
        pass


async def released(directory: Path, store: ObjectStore) -> int:
    await copy_all(directory, store)
    return await archive.release(directory, store, LATER_S)


async def test_a_live_tape_is_copied_as_far_as_it_is_closed(
    tmp_path: Path, step_parts: Steps, store: FlakyStore
) -> None:
    directory = tmp_path / "tapes" / "77"
    writer = written(directory, step_parts, 0, 95)
    progress = await archive.copy_some(directory, store)
    assert (progress.complete, progress.waiting) == (False, 0)
    assert set(store.put_keys) == {
        *(f"tapes/77/{codec}/{number}" for codec in Codec for number in (0, 1)),
        "tapes/77/tape.json",
        "tapes/77/redactions",
    }
    writer.release()
    written(directory, step_parts, 95, 130).close()
    store.put_keys.clear()
    assert (await archive.copy_some(directory, store)).complete
    assert set(store.put_keys) == {f"tapes/77/{codec}/{n}" for codec in Codec for n in (2, 3)}
    store.put_keys.clear()
    assert (await archive.copy_some(directory, store)).complete
    assert store.put_keys == []


async def test_what_grows_with_the_sound_is_put_a_few_times_only(
    tmp_path: Path, step_parts: Steps, store: FlakyStore
) -> None:
    directory = tmp_path / "tapes" / "77"
    written(directory, step_parts, 0, 50).release()
    leaves = directory / "aac.leaves"
    for kilobytes in range(1, 401):
        leaves.write_bytes(bytes(kilobytes * 1000))
        await archive.copy_some(directory, store)
    put = store.put_keys.count("tapes/77/aac.leaves")
    assert 66 < put < 80  # each time while it is small
    written(directory, step_parts, 50, 51).close()
    leaves.write_bytes(bytes(400_001))
    await copy_all(directory, store)
    assert len(await store.get("tapes/77/aac.leaves")) == 400_001


async def test_a_store_that_is_away_loses_nothing(tape: Path, store: FlakyStore) -> None:
    store.is_away = True
    with pytest.raises(OSError, match="away"):
        await archive.copy_some(tape, store)
    assert State.COPIED not in states(tape, Codec.OPUS)
    store.is_away = False
    await copy_all(tape, store)
    assert states(tape, Codec.OPUS) == states(tape, Codec.AAC) == [State.COPIED] * SEGMENTS


async def test_what_was_released_is_read_from_the_store(tape: Path, store: FlakyStore) -> None:
    before = whole(tape)
    blocks = sum((tape / f"{codec}.mp4").stat().st_blocks for codec in Codec)
    assert await released(tape, store) > 0
    assert archive.is_released(tape)
    assert sum((tape / f"{codec}.mp4").stat().st_blocks for codec in Codec) < blocks
    assert whole(tape) == before
    store.is_away = True
    away.sound_of.cache_clear()
    with TapeReader(tape) as reader:
        assert reader.speech(0, reader.end_ms) == before["speech"]  # drawing a replay asks for nothing
        with pytest.raises(TapeAway):
            reader.read(reader.parts(Codec.AAC, 0, 100))


async def test_a_reader_from_before_the_release_goes_on(tape: Path, store: FlakyStore) -> None:
    with TapeReader(tape) as reader:
        refs = reader.parts(Codec.AAC, 0, reader.end_ms)
        sound = reader.read(refs)
        await released(tape, store)
        assert reader.read(refs) == sound


async def test_nothing_is_released_before_every_object_was_read_back(tape: Path, store: FlakyStore) -> None:
    await copy_all(tape, store)
    await store.put("tapes/77/aac/3", b"not it", "audio/mp4")
    assert await archive.release(tape, store, LATER_S) == 0
    assert not archive.is_released(tape)
    assert states(tape, Codec.AAC)[3] is State.WANTED
    assert await released(tape, store) > 0


async def test_nothing_is_released_soon_after_a_change(tape: Path, store: FlakyStore) -> None:
    await copy_all(tape, store)
    now_s = (tape / "aac.mp4").stat().st_mtime
    assert await archive.release(tape, store, now_s + archive.UNTOUCHED_S - 1) == 0
    assert not archive.is_released(tape)


async def test_an_object_that_is_not_what_was_put_is_not_played(tape: Path, store: FlakyStore) -> None:
    await released(tape, store)
    content = bytearray(await store.get("tapes/77/opus/0"))
    content[200] ^= 1
    await store.put("tapes/77/opus/0", bytes(content), "audio/mp4")
    with TapeReader(tape) as reader, pytest.raises(TapeDamaged, match="not what was put"):
        reader.read(reader.parts(Codec.OPUS, 0, 100))


async def test_a_released_range_is_fetched_changed_and_copied_anew(tape: Path, store: FlakyStore) -> None:
    await released(tape, store)
    with TapeReader(tape) as reader:
        ref = reader.parts(Codec.AAC, 9_000, 9_100)[0]
    archive.make_local(tape, Codec.AAC, ref.offset, ref.length)
    with (tape / "aac.mp4").open("r+b") as sound:
        sound.seek(ref.offset + ref.header_bytes)
        sound.write(b"\0" * 8)
    archive.mark_dirty(tape, Codec.AAC, ref.segment)
    with TapeReader(tape) as reader:
        changed = reader.read([ref])
        assert changed[ref.header_bytes :].startswith(b"\0" * 8)
    store.put_keys.clear()
    await copy_all(tape, store)
    assert store.put_keys == [f"tapes/77/aac/{ref.segment}"]
    await archive.release(tape, store, LATER_S)
    assert set(states(tape, Codec.AAC)) == {State.RELEASED}
    with TapeReader(tape) as reader:
        assert reader.read([ref]) == changed


async def test_a_range_is_taken_out_of_a_released_tape(recorded: Path, tmp_path: Path, store: FlakyStore) -> None:
    local, tape = (shutil.copytree(recorded, tmp_path / folder / "77") for folder in ("local", "tapes"))
    await released(tape, store)
    with TapeReader(local) as reader:
        said = reader.read(reader.parts(Codec.AAC, 13_000, 13_100))
    for directory in (local, tape):
        assert redact(directory, Redaction("7", 12_340, 15_080, "other", "host", 1)) == 15_080
    assert whole(tape) == whole(local)
    await released(tape, store)
    assert set(states(tape, Codec.AAC)) == {State.RELEASED}
    assert whole(tape) == whole(local)
    kept = b"".join([await store.get(key) for key in await store.keys("tapes/77")])
    assert said not in kept
    assert (tape / "redactions").read_bytes() in kept


async def test_what_is_being_taken_out_is_not_released(recorded: Path, tmp_path: Path, store: FlakyStore) -> None:
    tape = shutil.copytree(recorded, tmp_path / "tapes" / "77")
    await copy_all(tape, store)
    archive.make_local(tape, Codec.AAC, 0, 100_000)
    assert await archive.release(tape, store, LATER_S) == 0
    assert State.RELEASED not in states(tape, Codec.AAC)


async def test_what_came_back_loud_from_the_store_is_taken_out_again(
    recorded: Path, tmp_path: Path, store: FlakyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    tape, other = (shutil.copytree(recorded, tmp_path / folder / "77") for folder in ("tapes", "other"))
    decision = Redaction("7", 12_340, 15_080, "other", "host", 1)
    await copy_all(tape, store)

    def release(directory: Path, codec: Codec, segment: int) -> None:
        """As if nobody had marked the segment before it was changed."""
        opened = Copies.open(directory, codec, writable=True)
        assert opened is not None
        opened.set_state(segment, State.RELEASED)
        opened.close()
        archive_mark_dirty(directory, codec, segment)

    archive_mark_dirty = archive.mark_dirty
    with monkeypatch.context() as patched:
        patched.setattr(archive, "mark_dirty", release)
        with pytest.raises(TapeWriteError):
            await asyncio.to_thread(redact, tape, decision)
    redact(other, decision)
    await asyncio.to_thread(redact, tape, decision)
    assert whole(tape) == whole(other)
    await released(tape, store)
    assert whole(tape) == whole(other)


async def test_a_change_while_it_is_copied_is_copied_too(tape: Path, store: FlakyStore) -> None:
    def change(key: str) -> None:
        if key == "tapes/77/aac/2":
            store.before_put = lambda _key: None
            archive.mark_dirty(tape, Codec.AAC, 2)

    store.before_put = change
    await archive.copy_some(tape, store)
    assert states(tape, Codec.AAC)[2] is State.WANTED
    await copy_all(tape, store)
    assert store.put_keys.count("tapes/77/aac/2") == 2


async def test_a_recording_deleted_while_it_is_copied_leaves_nothing(tape: Path, store: FlakyStore) -> None:
    store.before_put = lambda _key: shutil.rmtree(tape, ignore_errors=True)
    with pytest.raises((TapeMissing, FileNotFoundError)):
        await archive.copy_some(tape, store)
    assert await store.keys("tapes/77") == []


async def test_deleting_leaves_other_tapes_alone(tape: Path, store: FlakyStore) -> None:
    await copy_all(tape, store)
    await store.put("tapes/770/opus/0", b"another's", "audio/mp4")
    await archive.delete(store, "77")
    assert await store.keys("tapes") == ["tapes/770/opus/0"]


async def test_a_lost_folder_is_made_anew(tape: Path, store: FlakyStore) -> None:
    before = whole(tape)
    (tape / "redactions").write_text("a journal\n")
    await copy_all(tape, store)
    shutil.rmtree(tape)
    assert await restore(tape, store) == {Codec.OPUS: SEGMENTS, Codec.AAC: SEGMENTS}
    assert whole(tape) == before
    assert (tape / "redactions").read_text() == "a journal\n"
    with pytest.raises(FileExistsError):
        await restore(tape, store)
    with pytest.raises(TapeMissing):
        await restore(tape.parent / "78", store)


async def test_a_lost_folder_is_made_anew_up_to_what_is_missing(tape: Path, store: FlakyStore) -> None:
    await copy_all(tape, store)
    await store.delete("tapes/77/aac/4")
    shutil.rmtree(tape)
    assert (await restore(tape, store))[Codec.AAC] == 4
    with TapeReader(tape) as reader:
        assert 15_900 <= reader.end_ms <= 16_100


KILLED = """
import asyncio, os, sys
from pathlib import Path
from folkmoot.storage.objects import ObjectStore
from folkmoot.tape import archive

class Deadly(ObjectStore):
    left = int(sys.argv[3])
    async def put(self, key, content, content_type):
        Deadly.left -= 1
        if Deadly.left < 0:
            os.kill(os.getpid(), 9)
        await super().put(key, content, content_type)

store = Deadly(ObjectStore.open(sys.argv[2])._store, False)
asyncio.run(archive.copy_some(Path(sys.argv[1]), store))
"""


@pytest.mark.parametrize("puts", [0, 7, 12])
async def test_a_kill_loses_nothing(tape: Path, tmp_path: Path, store: FlakyStore, puts: int) -> None:
    command = [sys.executable, "-c", KILLED, str(tape), str(tmp_path / "store"), str(puts)]
    assert subprocess.run(command, check=False, timeout=30).returncode == -9
    before = whole(tape)
    assert await released(tape, store) > 0
    assert whole(tape) == before


def test_a_damaged_list_of_copies_is_said(tape: Path, store: FlakyStore) -> None:
    (tape / "opus.copies").write_bytes(b"something else")
    with pytest.raises(TapeDamaged), TapeReader(tape) as reader:
        reader.read(reader.parts(Codec.OPUS, 0, 100))


async def test_who_reads_on_and_on_waits_for_no_single_object(tape: Path, store: FlakyStore) -> None:
    before = whole(tape)["sound"]
    await released(tape, store)
    away.sound_of.cache_clear()
    meet = threading.Barrier(3, timeout=10)

    def fetch(object_key: str) -> bytes:
        if int(object_key.rpartition("/")[2]) in (2, 3, 4):
            meet.wait()  # passes only if all three are asked for before any of them is there
        return store.read(object_key)

    away.fetch_with(fetch)
    with TapeReader(tape) as reader:
        pieces = [reader.read([segment]) for segment in reader.segments(Codec.AAC)]
    assert b"".join(pieces) == before[Codec.AAC]


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(1, 50), min_size=1, max_size=40),
    offset=st.integers(0, 500),
    length=st.integers(1, 300),
)
def test_the_copies_of_a_range_are_those_that_overlap_it(lengths: list[int], offset: int, length: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), Codec.AAC)
        known = Copies.open(Path(folder), Codec.AAC, writable=True)
        assert known is not None
        listed = []
        for segment, size in enumerate(lengths):
            listed.append(Copy(segment, 100 + sum(lengths[:segment]), size, State.COPIED, bytes([segment]) * 32))
            known.put(listed[-1])
        expected = [one for one in listed if one.offset < offset + length and one.offset + one.length > offset]
        assert list(known.overlapping(offset, length)) == expected
        known.close()
