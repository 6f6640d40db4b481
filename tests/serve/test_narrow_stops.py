"""One Space is stopped, and nothing else: removed, everything of it is over within half a second; muted, nobody is
heard and nobody loses anything; without its host it goes on."""

import asyncio
import time
from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete
from tests.serve import held_things as held
from tests.serve.account_keys import recorded_space
from tests.serve.held_things import Held
from tests.serve.moot import SPACES, Moot, Person, Talk
from tests.stage.peers import until
from tests.support.server import Server
from tests.support.waiting import PATIENCE_S, Starved

from folkmoot.gate import Acting, Action
from folkmoot.moderation.clips.actions import remove_clip
from folkmoot.moderation.spaces.actions import mute_space, remove_space, suspend_host
from folkmoot.storage.tables.bus import events

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
OVER_WITHIN_S = 0.5
CLIP_MS = 100_000  # more than sockets hold


async def decide(moot: Moot, work: object, *, tell: bool = True) -> float:
    """When (monotonic) it was committed. Without `tell` no event says so, as if it had been lost."""
    assert callable(work)

    async def decided(acting: Acting) -> None:
        await work(acting)
        if not tell:
            await acting.tx.connection.execute(delete(events).where(events.c.at_ms == acting.now_ms))

    await moot.people.gate.act(moot.people.gate.permit_system(Action.MODERATE, "test"), decided)
    return time.monotonic()


async def everything_open(talk: Talk, nobody: Person) -> list[Held]:
    live = f"{SPACES}/{talk.space['id']}"
    assert talk.guest.voice is not None
    return [
        held.connection("speaking", talk.guest.voice),
        held.connection("WHEP", await held.listening(nobody, talk.space)),
        await held.stream("stream of nobody's", nobody.http, f"{live}/listen?codec=opus"),
        await held.stream("stream", talk.guest.http, f"{live}/live.ogg"),
        await held.stream("events", talk.guest.http, f"{live}/events"),
        await held.waiting_playlist("playlist of nobody's", nobody.http, talk.space),
    ]


@pytest.mark.parametrize("told", [True, False], ids=["the event", "the event is lost"])
async def test_a_removed_space_is_over_for_everybody_at_once_and_no_other(moot: Moot, *, told: bool) -> None:
    host, guest = ("ada", "bela") if told else ("cleo", "dana")
    talk = await Talk.begin(await moot.person(host), await moot.person(guest))
    other = await moot.person(f"other_{host}")
    elsewhere = await other.open_space("Another room")
    await other.speak(elsewhere, 660)
    nobody = moot.nobody("127.0.9.1" if told else "127.0.9.2")
    going_on = await held.stream("elsewhere", nobody.http, f"{SPACES}/{elsewhere['id']}/listen?codec=opus")
    everything = await everything_open(talk, nobody)
    space_id = int(talk.space["id"])

    starved = Starved()
    committed_s = await decide(moot, partial(remove_space, space_id=space_id, reason="rule 4"), tell=told)

    await until(lambda: all(one.over_s() is not None for one in everything))
    late = {one.name: (one.over_s() or 0) - committed_s - starved.s() for one in everything}
    assert {name: s for name, s in late.items() if s > OVER_WITHIN_S} == {}
    for person in (talk.host, nobody):
        answer = await person.http.get(f"{SPACES}/{space_id}")
        assert (answer.status_code, answer.json()["code"]) == (410, "space_removed")
        assert (await person.http.get(f"{SPACES}/{space_id}/listen?codec=opus")).status_code == 410
    assert going_on.over_s() is None
    for one in (*everything, going_on):
        await one.close()


@pytest.mark.parametrize("told", [True, False], ids=["the event", "the event is lost"])
async def test_a_removed_clip_is_over_in_the_middle_of_a_fetch_and_no_other(
    moot: Moot, server: Server, *, told: bool
) -> None:
    engineer = await moot.person("iris" if told else "jana")
    recorded = await recorded_space(moot, server, engineer)
    clips = []
    for start_ms in (0, 1_000):
        asked = {"space": recorded, "start_ms": start_ms, "end_ms": start_ms + CLIP_MS}
        clip = (await engineer.http.post("/api/folkmoot/v1/clips", json=asked)).json()
        post = await engineer.http.post("/api/v1/statuses", json={"status": "x", "media_ids": [clip["media_id"]]})
        assert post.status_code == 200, post.text
        clips.append(clip)
    removed, other = (f"/media/{one['media_id']}.m4a" for one in clips)
    by_nobody = await held.slow_fetch("by nobody", server.base_url, removed, None)
    by_somebody = await held.slow_fetch("by its author", server.base_url, removed, engineer.token)
    going_on = await held.slow_fetch("another clip", server.base_url, other, None)

    remove = partial(remove_clip, clip_id=int(clips[0]["id"]), reason="rule 5")
    starved = Starved()
    committed_s = await decide(moot, remove, tell=told)

    everything = [by_nobody, by_somebody]
    await until(lambda: all(one.over_s() is not None for one in everything))
    late = {one.name: (one.over_s() or 0) - committed_s - starved.s() for one in everything}
    assert {name: s for name, s in late.items() if s > OVER_WITHIN_S} == {}
    assert going_on.over_s() is None
    for http in (engineer.http, moot.nobody("127.0.9.4").http):
        answer = await http.get(removed)
        assert (answer.status_code, answer.json()["code"]) == (410, "clip_removed")
        assert (await http.get(other)).status_code == 200
    for one in (*everything, going_on):
        await one.close()


async def is_silent(talk: Talk) -> bool:
    """Whether neither hears the other for a while."""
    assert talk.host.voice is not None
    assert talk.guest.voice is not None
    talk.host.voice.forget()
    talk.guest.voice.forget()
    await asyncio.sleep(0.4)
    return not (talk.host.voice.hears(880) or talk.guest.voice.hears(440))


async def muted(moot: Moot, talk: Talk, lasts_s: float) -> dict[str, Any] | None:
    """Muted for so long: what is said of it, as soon as nobody is heard. None if its end came before that."""
    until_ms = int((time.time() + lasts_s) * 1000)
    await decide(moot, partial(mute_space, space_id=int(talk.space["id"]), reason="a raid", until_ms=until_ms))
    while not await is_silent(talk):
        if time.time() * 1000 > until_ms:
            return None
    notices: list[dict[str, Any]] = (await talk.guest.look(talk.space))["notices"]
    return notices[0] if notices else None


async def test_a_muted_space_is_silent_and_goes_on_by_itself_afterwards(moot: Moot) -> None:
    talk = await Talk.begin(await moot.person("emil"), await moot.person("fina"))
    notice = await muted(moot, talk, 5) or await muted(moot, talk, 45)
    assert notice is not None
    assert notice["kind"] == "muted"
    assert "Reason: a raid" in notice["sentence"]
    assert talk.both_connected()
    async with asyncio.timeout(PATIENCE_S):
        while (await talk.guest.look(talk.space))["notices"]:
            await asyncio.sleep(0.1)
    await until(talk.both_hear)
    assert len((await talk.guest.look(talk.space))["stage"]) == 2


async def test_without_its_host_a_space_goes_on_and_says_so(moot: Moot) -> None:
    talk = await Talk.begin(await moot.person("gala"), await moot.person("hugo"))
    await talk.host.tell(talk.space, "make_co_host", account=talk.guest.id)
    nobody = moot.nobody("127.0.9.3")
    listening = await held.stream("stream", nobody.http, f"{SPACES}/{talk.space['id']}/listen?codec=opus")
    await decide(moot, partial(suspend_host, account_id=int(talk.host.id), reason="rule 3"))
    now = await nobody.look(talk.space)
    assert (now["state"], now["host"]["username"]) == ("live", "hugo")
    assert [one["sentence"] for one in now["notices"]] == [
        "The host was suspended by this server's moderators, and the Space goes on. @hugo hosts it now."
    ]
    assert listening.over_s() is None
    await decide(moot, partial(suspend_host, account_id=int(talk.guest.id), reason="rule 3"))
    await until(lambda: listening.over_s() is not None)
    answer = await nobody.http.get(f"{SPACES}/{talk.space['id']}")
    told = "This Space has ended: its host was suspended by this server's moderators."
    assert (answer.status_code, answer.json()["code"], answer.json()["error"]) == (410, "host_suspended", told)
    await listening.close()
