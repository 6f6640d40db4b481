"""Which tapes the worker copies, and what it does when the store or a tape is of no use."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.support.people import People

from folkmoot.bench.tape import parts_of_step
from folkmoot.gate import Acting, Action, Gate
from folkmoot.recordings.actions import close_recording
from folkmoot.serve.archive import LOOK_AGAIN_EVERY_S, Archivist
from folkmoot.serve.places import Places, places
from folkmoot.settings import Settings
from folkmoot.spaces import actions
from folkmoot.spaces import commands as c
from folkmoot.spaces.model import Draft
from folkmoot.storage.database import Database
from folkmoot.storage.objects import ObjectStore
from folkmoot.tape import archive
from folkmoot.tape.model import Note
from folkmoot.tape.redact import redact
from folkmoot.tape.redactions import Redaction
from folkmoot.tape.writer import TapeWriter


@pytest.fixture
def where(tmp_path: Path, sqlite_template: Path) -> Places:
    made = places(Settings(data=str(tmp_path)))
    made.make()
    (tmp_path / "folkmoot.db").write_bytes(sqlite_template.read_bytes())
    return made


class Evening:
    """Spaces of one host after another, with sound; and the archivist."""

    def __init__(self, where: Places, local_days: int) -> None:
        self.database = Database(where.database_url)
        self.store = ObjectStore.open(str(where.data / "bucket"))
        self.now_s = 1_000.0
        self.archivist = Archivist(self.database, where.tapes, self.store, local_days, lambda: self.now_s)
        self._where = where
        self._people = People(Gate(self.database))
        self._names = iter(["hana", "rosa", "mia", "nora"])

    async def live(self, *, recorded: bool) -> int:
        host_id = await self._people.create(next(self._names))

        async def work(acting: Acting) -> int:
            draft = Draft(title="A talk", recorded=recorded)
            space = await actions.create(acting, draft, page_url="https://moot.example/s")
            await actions.command(acting, space.id, c.Start())
            return space.id

        return await self._people.act(host_id, Action.OPEN_SPACE, work)

    def sound(self, space_id: int, *, ends: bool) -> Path:
        directory = self._where.tape(space_id)
        writer = TapeWriter.open(directory, lambda: 1_700_000_000_000)
        for step in range(50):
            writer.append(parts_of_step(step), Note())
        (writer.close if ends else writer.release)()
        return directory

    async def end(self, space_id: int) -> None:
        async def work(acting: Acting) -> None:
            await actions.observe(acting, space_id, c.Stop())
            await close_recording(acting, space_id, 5_000)

        await self._people.system(work)

    async def copied(self) -> set[str]:
        return {key.split("/")[1] for key in await self.store.keys("tapes")}


async def test_only_recorded_spaces_are_copied(where: Places) -> None:
    evening = Evening(where, local_days=30)
    recorded, private = await evening.live(recorded=True), await evening.live(recorded=False)
    for space_id in (recorded, private):
        evening.sound(space_id, ends=False)
    await evening.archivist.round()
    assert await evening.copied() == {str(recorded)}
    await evening.end(private)
    await evening.archivist.round()
    assert await evening.copied() == {str(recorded)}
    await evening.database.close()


async def test_a_damaged_tape_holds_up_no_other(where: Places) -> None:
    evening = Evening(where, local_days=30)
    damaged, good = await evening.live(recorded=True), await evening.live(recorded=True)
    (evening.sound(damaged, ends=False) / "tape.json").write_text("not a header")
    evening.sound(good, ends=False)
    with capture_logs() as logs:
        await evening.archivist.round()
        await evening.archivist.round()
    assert await evening.copied() == {str(good)}
    assert [entry["event"] for entry in logs].count("archive.tape_unreadable") == 1
    await evening.database.close()


async def test_what_was_taken_out_later_is_copied_within_a_minute(where: Places) -> None:
    evening = Evening(where, local_days=30)
    space_id = await evening.live(recorded=True)
    directory = evening.sound(space_id, ends=True)
    await evening.end(space_id)
    await evening.archivist.round()
    before = await evening.store.get(f"tapes/{space_id}/aac/0")
    redact(directory, Redaction("1", 1_000, 2_000, "other", "host", 1))
    await evening.archivist.round()
    assert await evening.store.get(f"tapes/{space_id}/aac/0") == before
    evening.now_s += LOOK_AGAIN_EVERY_S
    await evening.archivist.round()
    assert await evening.store.get(f"tapes/{space_id}/aac/0") != before
    await evening.database.close()


@pytest.mark.parametrize(("local_days", "is_released"), [(0, True), (1, False)])
async def test_sound_leaves_this_disk_when_its_days_are_over(
    where: Places, monkeypatch: pytest.MonkeyPatch, local_days: int, is_released: bool
) -> None:
    monkeypatch.setattr(archive, "UNTOUCHED_S", -1.0)
    evening = Evening(where, local_days)
    space_id = await evening.live(recorded=True)
    directory = evening.sound(space_id, ends=True)
    await evening.end(space_id)
    with capture_logs() as logs:
        for _ in range(3):
            await evening.archivist.round()
    assert archive.is_released(directory) is is_released
    assert [entry["event"] for entry in logs].count("archive.released") == int(is_released)
    await evening.database.close()
