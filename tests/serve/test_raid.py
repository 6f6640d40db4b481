"""A raid: hundreds ask to speak at once. A queue with an end, a lock, and a host who is still heard."""

import asyncio
import time
from collections import Counter
from typing import Any

import httpx
import pytest
from tests.serve.moot import SPACES, Moot, Person, Talk, sentence_of
from tests.stage.peers import until
from tests.support.waiting import PATIENCE_S, Starved

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
]
RAIDERS = 250
ASKING_MAX = 200
ANSWERS_WITHIN_S = 3.0


async def all_ask(moot: Moot, space: dict[str, Any], tokens: list[str]) -> Counter[str]:
    """How their asks were answered, by code."""
    crowd = moot.nobody("127.0.9.1").http
    places = asyncio.Semaphore(40)

    async def ask(token: str) -> str:
        async with places:
            headers = {"Authorization": f"Bearer {token}"}
            body = {"do": "ask", "recording_consent": True}
            answer = await crowd.post(f"{SPACES}/{space['id']}/commands", json=body, headers=headers)
        return "asking" if answer.status_code == 200 else sentence_of(answer, 422, 429, 503)

    return Counter(await asyncio.gather(*map(ask, tokens)))


async def timed(person: Person, space: dict[str, Any], do: str, **fields: Any) -> float:
    began_s, starved = time.monotonic(), Starved()
    await person.tell(space, do, **fields)
    return time.monotonic() - began_s - starved.s()


async def ended_replay(person: Person, space: dict[str, Any]) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        while (found := await person.look(space))["replay"] is None:
            await asyncio.sleep(0.05)
    return found


async def test_a_raid(moot: Moot, talk: Talk) -> None:
    tokens = await moot.crowd("raider", RAIDERS)
    asked = asyncio.create_task(all_ask(moot, talk.space, tokens))
    async with talk.undisturbed():
        took_s = [await timed(talk.host, talk.space, "edit", title=title) for title in ("Calm", "Calmer")]
        found = await asked
    assert found == {"asking": ASKING_MAX, "queue_full": RAIDERS - ASKING_MAX}
    assert max(took_s) < ANSWERS_WITHIN_S
    shown = await talk.host.look(talk.space)
    assert shown["title"] == "Calmer"
    assert len(shown["asking"]) == ASKING_MAX

    assert await timed(talk.host, talk.space, "lock") < ANSWERS_WITHIN_S
    late = await all_ask(moot, talk.space, tokens[-20:])
    assert late["asking"] == 0, late
    refused = await talk.host.order(talk.space, "let_up", account=shown["asking"][0]["account"]["id"])
    assert sentence_of(refused, 422) == "room_locked"
    assert len((await talk.host.look(talk.space))["stage"]) == 2

    await panic(talk)


async def panic(talk: Talk) -> None:
    """Ends the stage at once, and keeps the recording."""
    assert talk.host.voice is not None
    assert talk.guest.voice is not None
    began_s, starved = time.monotonic(), Starved()
    over = await talk.host.tell(talk.space, "panic")
    assert over["state"] == "ended"
    assert over["stage"] == []
    await until(lambda: not talk.both_connected())
    assert time.monotonic() - began_s - starved.s() < ANSWERS_WITHIN_S
    replay = (await ended_replay(talk.host, talk.space))["replay"]
    assert replay["duration_ms"] > 2_000
    clip = {"space": talk.space["id"], "start_ms": 500, "end_ms": 2_000}
    assert (await talk.guest.http.post("/api/folkmoot/v1/clips", json=clip)).status_code == 201


async def test_a_hundred_shout_over_http(moot: Moot) -> None:
    """A hundred with reactions, joins, looks and posts; the two on another stage hear each other."""
    talk = await Talk.begin(await moot.person("vera"), await moot.person("walt"), "Shouted at")
    tokens = await moot.crowd("shouter", 100)
    crowd = moot.nobody("127.0.9.2").http
    path = f"{SPACES}/{talk.space['id']}"

    places = asyncio.Semaphore(20)  # what this process can do besides speaking

    async def shout(token: str) -> list[int]:
        headers = {"Authorization": f"Bearer {token}"}
        async with places:
            sent: list[httpx.Response] = [
                await crowd.post(f"{path}/reactions", json={"emoji": "👏"}, headers=headers),
                await crowd.post(f"{path}/join", headers=headers),
                await crowd.get(path, headers=headers),
                await crowd.post("/api/v1/statuses", json={"status": "Boo!"}, headers=headers),
            ]
        return [answer.status_code for answer in sent]

    async with talk.undisturbed():
        statuses = Counter(status for many in await asyncio.gather(*map(shout, tokens)) for status in many)
    assert set(statuses) <= {200, 202, 429, 503}, statuses
