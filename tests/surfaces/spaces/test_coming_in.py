"""Many who come without an account share one answer of the gate, and lose what it gave as if each had asked."""

import asyncio

import psycopg
import pytest
from sqlalchemy.exc import OperationalError
from tests.support.waiting import PATIENCE_S
from tests.surfaces.conftest import Person
from tests.surfaces.spaces.conftest import Hall

from folkmoot.audience.leases import Leases
from folkmoot.audience.request import Admission, ListenRefusal, ListenRequest
from folkmoot.gate import Stamp, Viewer
from folkmoot.gate.actions import revoke
from folkmoot.gate.model import audience_subject
from folkmoot.gate.queries import counters
from folkmoot.spaces.model import Space
from folkmoot.storage.database import DatabaseBusy
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.shared import SHARED_S
from folkmoot.surfaces.spaces.listen import Admitter

CROWD = 50


class Counting(Admitter):
    """Counts how often the gate is asked; what it answered may be overtaken by what happens next."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.asked = 0
        self.answered = asyncio.Event()
        self.goes_on = asyncio.Event()

    async def _heard(self, viewer: Viewer, space_id: int) -> tuple[Space, tuple[Stamp, ...]]:
        self.asked += 1
        heard = await super()._heard(viewer, space_id)
        self.answered.set()
        await self.goes_on.wait()
        return heard


@pytest.fixture
def door(hall: Hall) -> Counting:
    return Counting(hall.services)


def crowd(door: Admitter, space_id: str) -> list[asyncio.Task[Admission | ListenRefusal]]:
    request = ListenRequest(int(space_id), "opus", None, None, None, None, "192.0.2.1")
    return [asyncio.ensure_future(door(request)) for _ in range(CROWD)]


async def test_a_crowd_asks_once_and_who_comes_later_anew(hall: Hall, door: Counting, alice: Person) -> None:
    space_id = await hall.live(alice)
    door.goes_on.set()
    admissions = await asyncio.gather(*crowd(door, space_id))
    assert all(isinstance(one, Admission) for one in admissions)
    assert door.asked == 1
    await asyncio.sleep(2 * SHARED_S)
    await asyncio.gather(*crowd(door, space_id))
    assert door.asked == 2
    assert len(await asyncio.gather(*crowd(door, "404"))) == CROWD


async def test_a_right_that_ends_meanwhile_ends_for_all_who_share(
    hall: Hall, door: Counting, alice: Person
) -> None:
    space_id = await hall.live(alice)
    coming = crowd(door, space_id)
    await asyncio.wait_for(door.answered.wait(), PATIENCE_S)
    await hall.people.system(lambda acting: revoke(acting, audience_subject(int(space_id))))
    door.goes_on.set()
    for admission in await asyncio.gather(*coming):
        assert isinstance(admission, Admission)
        async with hall.services.database.read() as read:
            now = await counters(read, [subject for subject, _ in admission.stamps])
        workers = Leases()
        workers.raise_counters(now)
        assert not workers.hold(1, admission.stamps)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (
            OperationalError("SELECT 1", None, psycopg.OperationalError("server closed the connection")),
            "database_away",
        ),
        (DatabaseBusy(), "busy"),
    ],
)
async def test_while_the_database_is_away_a_crowd_is_told_to_come_back(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    async def fail(*_: object) -> None:
        raise error

    door = Admitter(hall.services)
    monkeypatch.setattr(door, "_heard", fail)
    for refusal in await asyncio.gather(*crowd(door, "1")):
        assert isinstance(refusal, ListenRefusal)
        assert (refusal.status, refusal.code) == (503, code)
        assert refusal.retry_after_s
