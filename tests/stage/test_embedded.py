"""The embedded engine with real WebRTC peers in process."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from functools import partial

import numpy as np
import pytest
from tests.stage.peers import Client, has_tone, until
from tests.support.waiting import Starved

from folkmoot.stage import peer
from folkmoot.stage.embedded import EmbeddedEngine
from folkmoot.stage.engine import OfferRefused, SeatEvent, SeatState
from folkmoot.stage.ice import IceSettings
from folkmoot.tape.opus import Pcm

pytestmark = pytest.mark.slow


class KeptMix:
    """A sink that keeps the full mix."""

    def __init__(self) -> None:
        self.ticks: list[tuple[int, Pcm | None, tuple[int, ...]]] = []

    def frame(self, tick: int, pcm: Pcm | None, speaking: tuple[int, ...]) -> None:
        self.ticks.append((tick, pcm, speaking))

    def last(self, count: int) -> Pcm:
        frames = [pcm if pcm is not None else np.zeros(960, np.int16) for _, pcm, _ in self.ticks[-count:]]
        return np.concatenate(frames)


class Stage:
    def __init__(self) -> None:
        self.mix = KeptMix()
        self.events: list[SeatEvent] = []
        self.engine = EmbeddedEngine(IceSettings(), self.mix, self.events.append, lambda: 0)

    async def join(self, seat: int, client: Client) -> None:
        async def answer(sdp: str) -> str:
            return (await self.engine.join(seat, sdp)).sdp

        await client.join(answer)

    def states(self, seat: int) -> list[SeatState]:
        return [event.state for event in self.events if event.seat == seat]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    one = Stage()
    yield one
    await one.engine.close()


async def test_two_hear_each_other_but_not_themselves(stage: Stage, clients: Callable[..., Client]) -> None:
    low, high = clients(440), clients(1000)
    await stage.join(1, low)
    await stage.join(2, high)
    await until(lambda: low.hears(1000) and high.hears(440))
    assert not low.hears(440)
    assert not high.hears(1000)
    assert has_tone(stage.mix.last(15), 440)
    assert has_tone(stage.mix.last(15), 1000)
    assert stage.states(1) == [SeatState.CONNECTED]
    # Who speaks travels in the CSRC list, without the listener's own seat.
    await until(lambda: low.contributing == {2} and high.contributing == {1})
    await until(lambda: set(stage.mix.ticks[-1][2]) == {1, 2})


async def test_no_codec_thread_of_aiortc_runs_for_the_stage(stage: Stage, clients: Callable[..., Client]) -> None:
    one = clients(440)
    await stage.join(1, one)
    await until(lambda: has_tone(stage.mix.last(15), 440))
    # The one decoder thread is the client's own.
    assert sum("decoder" in thread.name for thread in threading.enumerate()) == 1


async def test_mute_silences_and_unmute_brings_back(stage: Stage, clients: Callable[..., Client]) -> None:
    low, high = clients(440), clients(1000)
    await stage.join(1, low)
    await stage.join(2, high)
    await until(lambda: high.hears(440))
    stage.engine.set_muted(1, True)
    await until(lambda: not has_tone(stage.mix.last(10), 440))
    await until(lambda: not high.hears(440))
    assert has_tone(stage.mix.last(10), 1000)
    stage.engine.set_muted(1, False)
    await until(lambda: high.hears(440))


async def test_leave_closes_and_silences(stage: Stage, clients: Callable[..., Client]) -> None:
    low, high = clients(440), clients(1000)
    await stage.join(1, low)
    await stage.join(2, high)
    await until(lambda: high.hears(440))
    await stage.engine.leave(1)
    await until(lambda: not high.hears(440))
    assert stage.states(1) == [SeatState.CONNECTED, SeatState.LEFT]
    assert [seat.seat for seat in stage.engine.status().seats] == [2]
    await until(lambda: low.connection.connectionState == "closed")


async def test_a_peer_that_closes_is_lost(stage: Stage, clients: Callable[..., Client]) -> None:
    one = clients(440)
    await stage.join(1, one)
    await until(lambda: has_tone(stage.mix.last(15), 440))
    await one.close()
    await until(lambda: stage.states(1) == [SeatState.CONNECTED, SeatState.LOST])
    await until(lambda: not has_tone(stage.mix.last(10), 440))


async def test_a_newer_offer_replaces_the_connection(stage: Stage, clients: Callable[..., Client]) -> None:
    before, after, other = clients(440), clients(700), clients(1000)
    await stage.join(1, before)
    await stage.join(2, other)
    await until(lambda: other.hears(440))
    await stage.join(1, after)
    await until(lambda: other.hears(700) and not other.hears(440))
    assert SeatState.LOST not in stage.states(1)
    assert len(stage.engine.status().seats) == 2


async def test_an_offer_that_comes_to_nothing_silences_nobody(
    stage: Stage, clients: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other, hostile = clients(440), clients(1000), clients(700).connection
    await stage.join(1, one)
    await stage.join(2, other)
    await until(lambda: other.hears(440))
    over: list[str] = []
    monkeypatch.setattr(peer, "CONNECT_TIMEOUT_S", 0.3)
    hostile.addTransceiver("audio")
    await hostile.setLocalDescription(await hostile.createOffer())
    for name in ("first", "second", "third"):
        await stage.engine.join(1, hostile.localDescription.sdp, partial(over.append, name))
    await until(lambda: over == ["first", "second", "third"])
    other.forget()
    await until(lambda: len(other.heard) > 25)
    assert other.hears(440)
    assert one.connection.connectionState == "connected"
    assert stage.states(1) == [SeatState.CONNECTED]
    assert [seat.seat for seat in stage.engine.status().seats] == [1, 2]


async def test_what_waits_for_the_place_of_one_that_is_lost_has_it(
    stage: Stage, clients: Callable[..., Client]
) -> None:
    before, after, other = clients(440), clients(700), clients(1000)
    await stage.join(1, before)
    await stage.join(2, other)
    await until(lambda: other.hears(440))

    async def answer(sdp: str) -> str:
        answered = await stage.engine.join(1, sdp)
        current = stage.engine.current(1)
        assert current not in (None, answered.connection)
        await stage.engine.hang_up(str(current))
        return answered.sdp

    await after.join(answer)
    await until(lambda: other.hears(700) and not other.hears(440))
    assert stage.states(1) == [SeatState.CONNECTED, SeatState.LEFT, SeatState.CONNECTED]


async def listening(stage: Stage, told: list[str], ear: Client) -> str:
    """Somebody who only hears the mix; returns the connection's name."""
    names: list[str] = []

    async def answer(sdp: str) -> str:
        answered = await stage.engine.listen(sdp, partial(told.append, "on"), partial(told.append, "over"))
        names.append(answered.connection)
        return answered.sdp

    await ear.hear(answer)
    return names[0]


async def test_listeners_hear_the_whole_mix_of_one_encoder(stage: Stage, clients: Callable[..., Client]) -> None:
    await stage.join(1, clients(440))
    await stage.join(2, clients(1000))
    told: list[str] = []
    ears = [clients(0) for _ in range(3)]
    names = [await listening(stage, told, ear) for ear in ears]
    await until(lambda: all(ear.hears(440) and ear.hears(1000) for ear in ears))
    await until(lambda: all(ear.contributing == {1, 2} for ear in ears))
    before = stage.engine.status()
    await until(lambda: stage.engine.status().ticks >= before.ticks + 20)
    after = stage.engine.status()
    assert after.encodes - before.encodes <= 3 * (after.ticks - before.ticks + 1), (
        "two seats and one for all others"
    )
    assert told == ["on"] * 3
    await stage.engine.hang_up(names[0])
    await until(lambda: ears[0].connection.connectionState == "closed")
    assert told == ["on"] * 3 + ["over"]
    assert stage.states(1) == [SeatState.CONNECTED]
    for ear in ears:
        await ear.close()
    await until(lambda: told.count("over") == 3)


async def test_who_only_listens_is_not_heard(stage: Stage, clients: Callable[..., Client]) -> None:
    speaker, loud = clients(440), clients(1000)
    await stage.join(1, speaker)

    async def answer(sdp: str) -> str:
        return (await stage.engine.listen(sdp, lambda: None, lambda: None)).sdp

    await loud.join(answer)
    await until(lambda: loud.hears(440))
    speaker.forget()
    await until(lambda: len(stage.mix.ticks) > 50)
    assert not has_tone(stage.mix.last(25), 1000)
    sending = clients(700).connection
    sending.addTransceiver("audio", direction="sendonly")
    await sending.setLocalDescription(await sending.createOffer())
    with pytest.raises(OfferRefused, match="only sends"):
        await stage.engine.listen(sending.localDescription.sdp, lambda: None, lambda: None)


async def test_mixes_that_are_the_same_are_encoded_once(stage: Stage, clients: Callable[..., Client]) -> None:
    for seat in range(1, 4):
        await stage.join(seat, clients(440))
        stage.engine.set_muted(seat, True)
    await until(lambda: stage.mix.ticks[-1][1] is None)
    silent = len(stage.mix.ticks)
    await until(lambda: len(stage.mix.ticks) > silent + 60)  # the personal encoders outlast a pause of one second
    before = stage.engine.status()
    await until(lambda: stage.engine.status().ticks >= before.ticks + 10)
    after = stage.engine.status()
    assert after.encodes - before.encodes <= after.ticks - before.ticks + 1


async def test_an_offer_that_is_refused_leaves_nothing_behind(stage: Stage) -> None:
    with pytest.raises(OfferRefused, match="not a valid SDP"):
        await stage.engine.join(1, "no sdp at all")
    assert stage.engine.status().seats == []
    assert stage.events == []


async def test_a_peer_that_never_finishes_the_handshake_is_closed(
    stage: Stage, clients: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "CONNECT_TIMEOUT_S", 0.2)
    silent = clients(440).connection
    silent.addTransceiver("audio")
    await silent.setLocalDescription(await silent.createOffer())
    await stage.engine.join(1, silent.localDescription.sdp)
    await until(lambda: stage.states(1) == [SeatState.LOST])
    assert stage.engine.status().seats == []


async def test_a_peer_that_falls_silent_is_lost(
    stage: Stage, clients: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = clients(440)
    await stage.join(1, one)
    await until(lambda: has_tone(stage.mix.last(15), 440))
    monkeypatch.setattr(peer, "SILENT_TIMEOUT_S", 0.3)
    # The network is gone: nothing leaves the client any more, not even a goodbye.
    ice = one.connection.getSenders()[0].transport.transport._connection
    for protocol in ice._protocols:
        monkeypatch.setattr(protocol.transport, "sendto", lambda data, address=None: None)
    await until(lambda: stage.states(1) == [SeatState.CONNECTED, SeatState.LOST])


async def test_leaving_is_felt_within_100_ms(stage: Stage, clients: Callable[..., Client]) -> None:
    one = clients(440)
    await stage.join(1, one)
    await until(lambda: has_tone(stage.mix.last(15), 440))
    began_s, starved = time.monotonic(), Starved()
    leaving = asyncio.create_task(stage.engine.leave(1))
    await until(lambda: stage.mix.ticks[-1][1] is None)
    assert time.monotonic() - began_s - starved.s() < 0.5
    await leaving
