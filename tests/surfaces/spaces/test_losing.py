"""Who may hear a Space no more hears it no more: what is open ends, and nothing old opens it again."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.surfaces.conftest import FakeStages, Person, person
from tests.surfaces.spaces.conftest import SPACES, Hall

from folkmoot.audience.request import Admission, ListenRefusal, ListenRequest
from folkmoot.gate import Action, Refused, Stamp, Standing
from folkmoot.gate.model import audience_subject, member_subject, seat_subject, space_subject
from folkmoot.gate.queries import counters
from folkmoot.serve.places import Places
from folkmoot.serve.worker import WorkerProcess
from folkmoot.spaces import actions, queries
from folkmoot.spaces import commands as c
from folkmoot.spaces.model import Draft
from folkmoot.storage.database import Database
from folkmoot.storage.events import Event
from folkmoot.storage.tables import bus
from folkmoot.surfaces.spaces.listen import Admitter


class Evening:
    """A hall, the worker that hears of what happens, and a door for listeners."""

    def __init__(self, hall: Hall, worker: WorkerProcess) -> None:
        self.hall = hall
        self.client = hall.client
        self.services = hall.services
        self._worker = worker
        self._heard = 0

    async def do(self, who: Person, space_id: str, **command: Any) -> httpx.Response:
        return await self.client.post(f"{SPACES}/{space_id}/commands", json=command, headers=who.headers)

    async def told(self, who: Person, space_id: str, **command: Any) -> None:
        answer = await self.do(who, space_id, **command)
        assert answer.status_code == 200, answer.text

    async def relate(self, who: Person, verb: str, whom: Person) -> None:
        answer = await self.client.post(f"/api/v1/accounts/{whom.id}/{verb}", headers=who.headers)
        assert answer.status_code == 200, answer.text

    async def join(self, who: Person, space_id: str) -> httpx.Response:
        return await self.client.post(f"{SPACES}/{space_id}/join", headers=who.headers)

    async def ticket(self, who: Person, space_id: str) -> str:
        answer = await self.join(who, space_id)
        assert answer.status_code == 200, answer.text
        ticket: str = answer.json()["ticket"]
        return ticket

    async def listen(self, space_id: str, ticket: str | None = None) -> Admission | ListenRefusal:
        return await Admitter(self.services)(
            ListenRequest(int(space_id), "opus", ticket, None, None, None, "127.0.0.1")
        )

    async def settle(self) -> None:
        """The worker hears of everything that happened since."""
        async with self.services.database.read() as read:
            statement = select(bus.events).where(bus.events.c.id > self._heard).order_by(bus.events.c.id)
            rows = (await read.connection.execute(statement)).all()
        for row in rows:
            self._heard = row.id
            await self._worker.on_event(Event(row.id, row.kind, row.payload, row.at_ms, 0))

    async def is_cut_off(self, admission: Admission | ListenRefusal) -> bool:
        """Whether what was admitted then has ended."""
        assert isinstance(admission, Admission)
        stamps = [Stamp(subject, counter) for subject, counter in admission.stamps]
        async with self.services.database.read() as read:
            try:
                await self.services.gate.check(read, stamps)
            except Refused:
                return True
        return False

    async def counter(self, subject: str) -> int:
        async with self.services.database.read() as read:
            return (await counters(read, [subject]))[subject]


@pytest.fixture
async def evening(hall: Hall, database_url: str, tmp_path: Path) -> AsyncIterator[Evening]:
    places = Places(
        data=tmp_path,
        run=tmp_path / "run",
        doorbells=tmp_path / "doorbells",
        tapes=hall.services.tapes_directory,
        keys=tmp_path / "keys",
        media=tmp_path / "media",
        database_url=database_url,
    )
    places.make()
    worker = WorkerProcess(places, "https://moot.example")
    yield Evening(hall, worker)
    await worker.close()


@pytest.fixture
async def carol(people: People) -> Person:
    return await person(people, "carol")


@pytest.mark.parametrize("audience", ["public", "followed"])
@pytest.mark.parametrize("host_blocks", [True, False])
async def test_a_block_ends_what_a_mere_listener_hears(
    evening: Evening, alice: Person, bob: Person, audience: str, host_blocks: bool
) -> None:
    await evening.relate(alice, "follow", bob)
    space_id = await evening.hall.live(alice, audience=audience)
    ticket = await evening.ticket(bob, space_id)
    held = await evening.listen(space_id, ticket)
    await evening.relate(*((alice, "block", bob) if host_blocks else (bob, "block", alice)))
    refused = await evening.listen(space_id, ticket)
    assert isinstance(refused, ListenRefusal), "before the worker heard of it"
    await evening.settle()
    assert await evening.is_cut_off(held)


async def test_an_unfollow_ends_what_only_the_follow_let_hear(
    evening: Evening, alice: Person, bob: Person, carol: Person
) -> None:
    for listener in (bob, carol):
        await evening.relate(alice, "follow", listener)
    followed, public = await evening.hall.live(alice, audience="followed"), await evening.hall.live(bob)
    await evening.told(alice, followed, do="invite", account=str(carol.id), role="listener")
    ticket = await evening.ticket(bob, followed)
    held = await evening.listen(followed, ticket)
    guest = await evening.listen(followed, await evening.ticket(carol, followed))
    elsewhere = await evening.listen(public, await evening.ticket(alice, public))
    for listener in (bob, carol):
        await evening.relate(alice, "unfollow", listener)
    assert isinstance(await evening.listen(followed, ticket), ListenRefusal)
    await evening.settle()
    assert await evening.is_cut_off(held)
    assert not await evening.is_cut_off(guest), "who is a guest is one without being followed"
    assert not await evening.is_cut_off(elsewhere)


async def test_an_invitation_taken_back_ends_a_guests_hearing(evening: Evening, alice: Person, bob: Person) -> None:
    space_id = await evening.hall.live(alice, audience="followed")
    await evening.told(alice, space_id, do="invite", account=str(bob.id), role="listener")
    ticket = await evening.ticket(bob, space_id)
    held = await evening.listen(space_id, ticket)
    await evening.told(alice, space_id, do="uninvite", account=str(bob.id))
    assert await evening.is_cut_off(held)
    assert isinstance(await evening.listen(space_id, ticket), ListenRefusal)


async def speak(evening: Evening, host: Person, who: Person, space_id: str) -> None:
    await evening.told(who, space_id, do="ask", recording_consent=True)
    await evening.told(host, space_id, do="let_up", account=str(who.id))


async def test_a_new_host_of_a_followed_space_has_an_audience_of_their_own(
    evening: Evening, alice: Person, bob: Person, carol: Person
) -> None:
    for listener in (bob, carol):
        await evening.relate(alice, "follow", listener)
    space_id = await evening.hall.live(alice, audience="followed")
    await speak(evening, alice, bob, space_id)
    ticket = await evening.ticket(carol, space_id)
    held = await evening.listen(space_id, ticket)
    await evening.told(alice, space_id, do="hand_over", account=str(bob.id))
    assert await evening.is_cut_off(held)
    assert isinstance(await evening.listen(space_id, ticket), ListenRefusal)
    assert await evening.counter(seat_subject(int(space_id), 1)) == 0, "who speaks is not interrupted"
    assert await evening.counter(space_subject(int(space_id))) == 0
    assert await evening.counter(audience_subject(int(space_id))) == 1


async def test_a_suspended_host_without_co_hosts_is_heard_by_nobody(
    evening: Evening, stages: FakeStages, people: People, alice: Person, bob: Person
) -> None:
    space_id = await evening.hall.live(alice)
    await speak(evening, alice, bob, space_id)
    held = await evening.listen(space_id)
    offer = {**bob.headers, "Content-Type": "application/sdp"}
    assert (await evening.client.post(f"{SPACES}/{space_id}/whip", content="v=0", headers=offer)).status_code == 201
    stamps = stages.calls[-1][-1]
    assert isinstance(stamps, tuple)
    await people.put(alice.id, Standing.SUSPENDED)
    await evening.settle()
    assert await evening.is_cut_off(held)
    assert space_subject(int(space_id)) in {stamp.subject for stamp in stamps}
    assert await evening.counter(space_subject(int(space_id))) == 1
    assert (await evening.client.post(f"{SPACES}/{space_id}/whip", content="v=0", headers=offer)).status_code == 404


async def test_nobody_is_handed_a_second_live_space(evening: Evening, alice: Person, bob: Person) -> None:
    space_id = await evening.hall.live(alice)
    await speak(evening, alice, bob, space_id)
    await evening.hall.live(bob)
    answer = await evening.do(alice, space_id, do="hand_over", account=str(bob.id))
    assert (answer.status_code, answer.json()["code"]) == (409, "already_live")
    assert (await evening.do(alice, space_id, do="hand_over", account=str(alice.id))).status_code == 422


async def test_whom_the_new_host_blocks_leaves_the_stage(
    evening: Evening, alice: Person, bob: Person, carol: Person
) -> None:
    space_id = await evening.hall.live(alice)
    await speak(evening, alice, bob, space_id)
    await speak(evening, alice, carol, space_id)
    await evening.relate(carol, "block", bob)
    await evening.settle()
    assert carol.id in await _on_stage(evening, space_id)
    await evening.told(alice, space_id, do="hand_over", account=str(bob.id))
    assert await _on_stage(evening, space_id) == {alice.id, bob.id}
    assert await evening.counter(member_subject(int(space_id), carol.id)) == 1


async def _on_stage(evening: Evening, space_id: str) -> set[int]:
    async with evening.services.database.read() as read:
        space = await queries.by_id(read, int(space_id))
    assert space is not None
    return {member.account_id for member in space.stage}


async def test_who_was_removed_from_a_closed_space_finds_nothing_of_it(
    evening: Evening, alice: Person, bob: Person, carol: Person
) -> None:
    for listener in (bob, carol):
        await evening.relate(alice, "follow", listener)
    space_id = await evening.hall.live(alice, audience="followed")
    clip = (await evening.hall.clip(carol, space_id, 2_000, 5_000)).json()
    body = {"status": "listen", "media_ids": [clip["media_id"]]}
    post = (await evening.client.post("/api/v1/statuses", json=body, headers=carol.headers)).json()
    seen = (await evening.client.get(f"/api/v1/statuses/{post['id']}", headers=bob.headers)).json()
    assert len(seen["media_attachments"]) == 1
    await evening.told(alice, space_id, do="remove", account=str(bob.id))
    for path in ("", "/seats", "/events", "/hls/index.m3u8"):
        assert (await evening.client.get(f"{SPACES}/{space_id}{path}", headers=bob.headers)).status_code == 404, (
            path
        )
    assert (await evening.join(bob, space_id)).status_code == 404
    left = (await evening.client.get(f"/api/v1/statuses/{post['id']}", headers=bob.headers)).json()
    assert left["media_attachments"] == []


async def test_who_was_removed_from_a_public_space_sees_it_and_hears_nothing_as_oneself(
    evening: Evening, alice: Person, bob: Person
) -> None:
    space_id = await evening.hall.live(alice)
    await evening.told(alice, space_id, do="remove", account=str(bob.id))
    assert (await evening.client.get(f"{SPACES}/{space_id}", headers=bob.headers)).json()["you"]["removed"]
    for answer in (
        await evening.join(bob, space_id),
        await evening.client.get(f"{SPACES}/{space_id}/hls/index.m3u8", headers=bob.headers),
        await evening.hall.clip(bob, space_id, 2_000, 5_000),
        await evening.client.post(f"{SPACES}/{space_id}/reactions", json={"emoji": "🔥"}, headers=bob.headers),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "removed")


async def test_hosts_are_named_to_whom_they_may_be(
    evening: Evening, alice: Person, bob: Person, carol: Person
) -> None:
    space_id = await evening.hall.live(alice)
    await speak(evening, alice, bob, space_id)
    await evening.told(alice, space_id, do="make_co_host", account=str(bob.id))
    await evening.relate(bob, "block", carol)
    seen = (await evening.client.get(f"{SPACES}/{space_id}", headers=carol.headers)).json()
    assert seen["host_ids"] == [str(alice.id)]
    assert (await evening.client.get(f"{SPACES}/{space_id}")).json()["host_ids"] == [str(alice.id), str(bob.id)]


async def test_time_passes_in_more_spaces_than_fit_one_statement(
    people: People, database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("folkmoot.gate.queries.BATCH_MAX", 3)
    host = await people.create("host")
    made = []
    for number in range(8):
        draft = Draft(title=f"Evening {number}")
        create = partial(actions.create, draft=draft, page_url="http://moot.test/spaces")
        made.append((await people.act(host, Action.OPEN_SPACE, create)).id)
    await people.act(host, Action.TAKE_PART, lambda acting: actions.command(acting, made[5], c.Start()))
    async with database.read() as read:
        assert [space.id for space in await queries.by_ids(read, made)] == made
        assert await queries.due_ids(read) == []
    clock.advance_ms(60_000)
    async with database.read() as read:
        assert await queries.due_ids(read) == [made[5]]
    await people.system(lambda acting: actions.observe(acting, made[5], c.Stop()))
    async with database.read() as read:
        assert await queries.due_ids(read) == []
