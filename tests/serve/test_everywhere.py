"""One account holds all that can be held, and is suspended: within half a second everything is over, for good.

Over stays what it was after every process has been killed, in any order, after the event was lost, and after the
lift: back in is by signing in anew, and then everything opens.
"""

import asyncio
import contextlib
import io
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import av
import httpx
import numpy as np
import psutil
import pytest
import pytest_asyncio
from sqlalchemy import delete
from tests.serve import held_things as held
from tests.serve.account_keys import REFUSED, Keys, make_keys, recorded_space
from tests.serve.held_things import Held
from tests.serve.moot import SPACES, Moot, Person
from tests.stage.peers import has_tone, until
from tests.support.server import Server
from tests.support.uploads import A_FILE
from tests.support.waiting import PATIENCE_S, Starved

from folkmoot.gate import Acting, Action
from folkmoot.moderation import actions as moderation
from folkmoot.moderation.many import decide_about
from folkmoot.moderation.spaces.actions import suspend_host
from folkmoot.storage.tables.bus import events

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
]
OVER_WITHIN_MS = 500
MANY = 5
MINUTE_MS = 60_000  # the most that one request may ask for


class Evening:
    """Two Spaces that are live and one that is over: the account speaks in the first and listens to the second."""

    def __init__(self, moot: Moot, server: Server) -> None:
        self.moot = moot
        self.server = server
        self.spaces: list[dict[str, Any]] = []
        self.hosts: list[Person] = []
        self.recorded = ""
        self._nobody = moot.nobody("127.0.7.3").http

    @classmethod
    async def begin(cls, moot: Moot, server: Server) -> "Evening":
        evening = cls(moot, server)
        for name, frequency in (("hana", 440), ("rosa", 550)):
            host = await moot.person(name)
            evening.hosts.append(host)
            evening.spaces.append(await host.open_space(f"{name}'s Space"))
            await host.speak(evening.spaces[-1], frequency)
        evening.recorded = await recorded_space(moot, server, await moot.person("olaf"))
        return evening

    async def on_stage(self, person: Person) -> None:
        await person.tell(self.spaces[0], "ask", recording_consent=True)
        await self.hosts[0].tell(self.spaces[0], "let_up", account=person.id)
        voice = await person.speak(self.spaces[0], 880)
        host = self.hosts[0].voice
        assert host is not None
        await until(lambda: host.hears(880) and voice.hears(440))

    async def is_on_stage(self, person: Person) -> bool:
        now = await self.hosts[0].look(self.spaces[0])
        return any(one["account"] is None or one["account"]["id"] == person.id for one in now["stage"])

    async def tape(self, from_ms: int) -> tuple[int, bytes]:
        """The first Space's, up to now, as whoever steps back in it gets it: where it ends, and the sound."""
        path = f"{SPACES}/{self.spaces[0]['id']}/media/opus"
        sound = (await self._nobody.get(f"{path}/init.mp4")).content
        while True:
            answer = await self._nobody.get(path, params={"from_ms": from_ms, "to_ms": from_ms + MINUTE_MS})
            if answer.status_code == 416:  # it ended with a whole minute
                return from_ms, sound
            assert answer.status_code == 200, answer.text
            sound += answer.content
            end_ms = int(answer.headers["folkmoot-range-ms"].partition("-")[2])
            if end_ms < from_ms + MINUTE_MS:
                return end_ms, sound
            from_ms = end_ms

    async def hold_everything(self, person: Person, keys: Keys) -> list[Held]:
        """With the account's own credentials, by every kind of connection."""
        await self.on_stage(person)
        base_url, http = self.server.base_url, person.http
        live = f"{SPACES}/{self.spaces[1]['id']}"
        assert person.voice is not None
        return [
            held.connection("speaking", person.voice),
            held.connection("WHEP", await held.listening(person, self.spaces[1])),
            await held.stream("stream", http, f"{live}/listen?codec=opus"),
            await held.stream("stream by ticket", self.moot.nobody("127.0.7.1").http, keys.listen),
            await held.stream("live.ogg", http, f"{live}/live.ogg"),
            await held.stream("events", http, f"{live}/events"),
            await held.stream("events where it speaks", http, f"{SPACES}/{self.spaces[0]['id']}/events"),
            await held.waiting_playlist("playlist", http, self.spaces[1]),
            await held.slow_fetch("download", base_url, f"{SPACES}/{self.recorded}/download", person.token),
            await held.slow_fetch("clip by signed link", base_url, keys.media, None),
            held.upload("post", base_url, "/api/v1/statuses", person.token, b'{"status": "half of it"}'),
            held.upload("new Space", base_url, SPACES, person.token, b'{"title": "half of it"}'),
            held.upload("file", base_url, "/api/v2/media", person.token, A_FILE[1], A_FILE[0]),
            await held.web_socket("WebSocket", base_url, person.token),
        ]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def evening(moot: Moot, server: Server) -> Evening:
    return await Evening.begin(moot, server)


async def suspend(moot: Moot, person: Person, *, tell: bool) -> float:
    """When (monotonic) it was committed. Without `tell` no event says so, as if it had been lost."""

    async def work(acting: Acting) -> None:
        await moderation.suspend(acting, int(person.id), reason="a link to an address")
        if not tell:
            await acting.tx.connection.execute(delete(events).where(events.c.at_ms == acting.now_ms))

    await moot.people.gate.act(moot.people.gate.permit_system(Action.MODERATE, "test"), work)
    return time.monotonic()


async def require_dead(keys: Keys) -> None:
    """Every key is refused, whenever a process answers."""
    for name, attempt in keys.attempts.items():
        answer = await answered(attempt)
        assert answer.status_code == REFUSED.get(name, 401), (name, answer.status_code, answer.text[:200])


async def answered(attempt: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(httpx.TransportError):
                answer = await attempt()
                if answer.status_code < 500:
                    return answer
            await asyncio.sleep(0.05)


async def kill_all(server: Server, order: list[str]) -> AsyncIterator[str]:
    """Each process in its turn, as it is back."""
    for name in order:
        before = server.child(name)
        before.kill()
        await until(partial(_is_back, server, name, before))
        yield name


def _is_back(server: Server, name: str, before: psutil.Process) -> bool:
    return server.children().get(name, before).pid != before.pid


@pytest.mark.parametrize("told", [True, False], ids=["the event", "the event is lost"])
async def test_everything_is_over_at_once_and_stays_so(evening: Evening, *, told: bool) -> None:
    moot, server = evening.moot, evening.server
    person, keys = await make_keys(moot, server, "nils" if told else "nora", evening.spaces[1], evening.recorded)
    begun_ms, _ = await evening.tape(0)
    everything = await evening.hold_everything(person, keys)
    await keys.take_seat_keys(evening.spaces[0])
    assert [one.name for one in everything if one.over_s() is not None] == []

    starved = Starved()
    committed_s = await suspend(moot, person, tell=told)
    waited_s, _ = await asyncio.gather(waited_until_over(everything, starved), require_dead(keys))
    gone_s = committed_s + waited_s
    after_ms = {one.name: round(((one.over_s() or 0.0) - gone_s) * 1000) for one in everything}
    assert max(after_ms.values()) <= OVER_WITHIN_MS, after_ms
    await left_the_stage(evening, person)
    _, sound = await evening.tape(begun_ms)
    assert (is_in(sound, 880), is_in(sound, 1_234)) == (True, False), "what was said in another's Space stays"

    for _ in range(2):
        order = random.sample(sorted(server.children()), len(server.children()))
        async for name in kill_all(server, order):
            await require_dead(keys)
            assert not await evening.is_on_stage(person), f"back on stage after {name} of {order}"

    await moot.people.system(lambda acting: moderation.reinstate(acting, int(person.id)))
    await require_dead(keys)
    await back_in(evening, person, keys)
    for one in everything:
        await one.close()


async def waited_until_over(everything: list[Held], starved: Starved) -> float:
    """For how long a processor was waited for until everything was over."""
    await held.all_over(everything)
    return starved.s()


def is_in(sound: bytes, frequency: float) -> bool:
    """Whether some half second of it has this tone."""
    with av.open(io.BytesIO(sound), "r") as container:
        wave = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)]) * 32_768
    return any(has_tone(piece, frequency) for piece in np.array_split(wave, len(wave) // 24_000 + 1))


async def left_the_stage(evening: Evening, person: Person) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await evening.is_on_stage(person):
            await asyncio.sleep(0.05)


async def back_in(evening: Evening, person: Person, keys: Keys) -> None:
    """Signed in anew, everything opens as before."""
    for host, space, frequency in zip(evening.hosts, evening.spaces, (440, 550), strict=True):
        assert host.voice is not None
        await host.voice.close()
        await host.speak(space, frequency)
    again = await keys.sign_in_anew()
    assert (await again.http.get(f"/api/v1/statuses/{keys.post_id}")).status_code == 200
    fresh = Keys(evening.moot, evening.server, again, keys.password)
    await fresh.take(evening.spaces[1], keys.post_id)
    everything = await evening.hold_everything(again, fresh)
    for one in everything:
        await one.close()
    await again.tell(evening.spaces[0], "step_down")


async def test_many_by_one_command_are_each_over_with_their_own_decision(evening: Evening) -> None:
    """It decides in several transactions, so that others write in between."""
    moot, space = evening.moot, evening.spaces[1]
    everything: dict[int, list[Held]] = {}
    for number in range(MANY):
        person = await moot.person(f"many_{number}")
        everything[int(person.id)] = [
            await held.stream("events", person.http, f"{SPACES}/{space['id']}/events"),
            await held.waiting_playlist("playlist", person.http, space),
        ]
    gate = moot.people.gate
    permit = gate.permit_system(Action.MODERATE, "test")
    committed_s: dict[int, float] = {}
    starved = Starved()
    decide, each_too_long = partial(suspend_host, reason="spam"), iter(range(2 * MANY + 2))
    async for batch in decide_about(gate, permit, list(everything), decide, clock_s=lambda: next(each_too_long)):
        committed_s |= dict.fromkeys(batch.decided, time.monotonic())
    assert len(set(committed_s.values())) == MANY
    await held.all_over([one for of_one in everything.values() for one in of_one])
    waited_s = starved.s()
    after_ms = {
        (one.name, account_id): round(((one.over_s() or 0.0) - committed_s[account_id] - waited_s) * 1000)
        for account_id, of_one in everything.items()
        for one in of_one
    }
    assert max(after_ms.values()) <= OVER_WITHIN_MS, after_ms
    for of_one in everything.values():
        for one in of_one:
            await one.close()
