"""One seat and several programs, bad offers, and listeners by WHEP, at a whole server with real peers."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from tests.serve.moot import SDP, SPACES, Moot, Person, Talk, sentence_of
from tests.stage.peers import Client, until
from tests.support.waiting import PATIENCE_S, Starved

from folkmoot.gate import Standing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
]
RESUME = "Folkmoot-Resume-Token"
OFFERS_MAX = 60  # ten at once, and one more every two seconds that it takes


class Program:
    """Something that speaks or listens by itself, with no account's credential."""

    def __init__(self, base_url: str, frequency: float = 0) -> None:
        self.http = httpx.AsyncClient(base_url=base_url, timeout=PATIENCE_S)
        self.voice = Client(frequency)
        self.answer = httpx.Response(0)

    async def speak(self, space_id: str, token: str) -> httpx.Response:
        headers = {**SDP, "Authorization": f"Bearer {token}"}

        async def answer(offer: str) -> str:
            self.answer = await self.http.post(f"{SPACES}/{space_id}/whip", content=offer, headers=headers)
            assert self.answer.status_code == 201, self.answer.text
            return self.answer.text

        await self.voice.join(answer)
        return self.answer

    async def hear(self, space_id: str) -> None:
        async def answer(offer: str) -> str:
            self.answer = await self.http.post(f"{SPACES}/{space_id}/whep", content=offer, headers=SDP)
            assert self.answer.status_code == 201, self.answer.text
            return self.answer.text

        await self.voice.hear(answer)

    async def close(self) -> None:
        await self.voice.close()
        await self.http.aclose()


@pytest_asyncio.fixture(loop_scope="module")
async def programs(moot: Moot) -> AsyncIterator[list[Program]]:
    made = [Program(moot.server.base_url, 660), Program(moot.server.base_url, 1500)]
    yield made
    for one in made:
        await one.close()


async def publishing_token(person: Person, space_id: str) -> str:
    answer = await person.http.post(f"{SPACES}/{space_id}/whip/tokens")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


async def test_what_connects_last_is_heard_and_the_other_is_told(
    moot: Moot, talk: Talk, programs: list[Program]
) -> None:
    space_id, studio, again = talk.space["id"], programs[0], programs[1]
    assert talk.host.voice is not None
    assert talk.guest.voice is not None
    offered = await talk.guest.http.post(f"{SPACES}/{space_id}/whip", content=await offer(), headers=SDP)
    resume = offered.headers[RESUME]
    await studio.speak(space_id, await publishing_token(talk.guest, space_id))
    host = talk.host.voice
    await until(lambda: host.hears(660) and not host.hears(880))
    bearer = {**SDP, "Authorization": f"Bearer {resume}"}
    refused = await studio.http.post(f"{SPACES}/{space_id}/whip", content=await offer(), headers=bearer)
    assert sentence_of(refused, 409) == "seat_taken_over"
    assert "another program" in refused.json()["error"]
    host.forget()
    await until(lambda: host.hears(660))
    # The program's own connection goes on by its resume token, and a replay of that opens nothing.
    resumed = await again.speak(space_id, studio.answer.headers[RESUME])
    await until(lambda: host.hears(1500) and not host.hears(660))
    bearer = {**SDP, "Authorization": f"Bearer {studio.answer.headers[RESUME]}"}
    replayed = await studio.http.post(f"{SPACES}/{space_id}/whip", content=await offer(), headers=bearer)
    assert sentence_of(replayed, 401) == "seat_token_over"
    assert resumed.headers[RESUME] not in moot.server.log.read_text()
    await talk.guest.voice.close()
    await talk.guest.speak(talk.space, 880)
    await until(talk.both_hear)


async def offer() -> str:
    """An offer that nobody follows up."""
    one = Client(0)
    one.connection.addTrack(one.tone)
    await one.connection.setLocalDescription(await one.connection.createOffer())
    text: str = one.connection.localDescription.sdp
    await one.close()
    return text


async def test_offers_that_come_to_nothing_silence_nobody(talk: Talk) -> None:
    whip = f"{SPACES}/{talk.space['id']}/whip"
    hostile = await offer()
    sections = hostile + "m=audio 9 UDP/TLS/RTP/SAVPF 96\r\n" * 100
    async with talk.undisturbed():
        answers = [
            await talk.guest.http.post(whip, content=content, headers=SDP)
            for content in [sections, "garbage", "v=0\r\n" + "a=" + "x" * 60_000]
        ]
        while answers[-1].status_code != 429 and len(answers) < OFFERS_MAX:
            answers.append(await talk.guest.http.post(whip, content=hostile, headers=SDP))
        statuses = [answer.status_code for answer in answers]
        await asyncio.sleep(2)  # what waits for its handshake goes on waiting
    assert statuses[:3] == [422] * 3
    assert set(statuses[3:]) == {201, 429}
    assert statuses[-1] == 429
    assert int(answers[-1].headers["retry-after"]) >= 1


async def test_listeners_by_whep_end_with_the_right_to_listen(
    moot: Moot, talk: Talk, programs: list[Program]
) -> None:
    listener, alone = programs[0], await moot.person("solveig")
    space = await alone.open_space("Alone", recorded=False)
    await alone.speak(space, 440)
    await listener.hear(space["id"])
    await until(lambda: listener.voice.hears(440))

    async def listeners() -> int:
        return int((await alone.look(space))["listener_count"])

    async with asyncio.timeout(PATIENCE_S):
        while await listeners() != 1:
            await asyncio.sleep(0.05)
    began_s, starved = time.monotonic(), Starved()
    await moot.people.put(int(alone.id), Standing.SUSPENDED)
    await until(lambda: listener.voice.connection.connectionState == "closed")
    # The host is gone, and the Space with them: half a second is promised, and closing takes DTLS a moment.
    assert time.monotonic() - began_s - starved.s() < 1.0
    async with talk.undisturbed():
        await asyncio.sleep(1)
