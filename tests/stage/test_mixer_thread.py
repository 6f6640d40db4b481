"""The mixer thread's own decisions: FEC only for those who lose, change-overs between encoders."""

import asyncio
from collections import deque
from collections.abc import Callable

import numpy as np
import pytest
from tests.stage.meters import click_ratio
from tests.stage.peers import until
from tests.stage.test_jitter import speech_like
from tests.stage.test_source import tone_packets

from folkmoot.stage.mixer_thread import Delivery, MixerThread, _MixEncoder
from folkmoot.stage.source import SeatSource, SoundPacket
from folkmoot.tape.opus import Decoder, Pcm


class NoSink:
    def __init__(self) -> None:
        self.numbers: list[int] = []

    def frame(self, tick: int, pcm: Pcm | None, speaking: tuple[int, ...]) -> None:
        self.numbers.append(tick)


def error_of_rebuilt_frames(loss_percent: float) -> float:
    """How far frames rebuilt from their successor are from the originals, relative to their loudness."""
    pcm = speech_like(4)
    frames = [np.ascontiguousarray(pcm[at : at + 960]) for at in range(0, len(pcm) - 959, 960)]
    encoder = _MixEncoder()
    packets = [encoder.encode(tick, frame, deque(), loss_percent) for tick, frame in enumerate(frames)]
    whole, losing, error, power = Decoder(), Decoder(), 0.0, 0.0
    for at, packet in enumerate(packets):
        right = whole.decode(packet).astype(float)
        lost = at % 7 == 3 and at + 1 < len(packets)
        got = losing.decode_fec(packets[at + 1]) if lost else losing.decode(packet)
        if lost:
            error += float(((got - right) ** 2).sum())
            power += float((right**2).sum())
    return error / power


def test_a_listener_who_loses_packets_gets_fec_and_others_do_not_pay() -> None:
    assert error_of_rebuilt_frames(3.0) < 0.5 * error_of_rebuilt_frames(0.0)


def made(seats: int) -> tuple[MixerThread, NoSink, list[tuple[int, list[Delivery]]]]:
    """Not started: whoever is in a hurry, or late, ticks by hand."""
    sink, delivered = NoSink(), list[tuple[int, list[Delivery]]]()
    mixer = MixerThread(asyncio.get_running_loop(), lambda tick, what: delivered.append((tick, what)), sink)
    for seat in range(1, seats + 1):
        source = SeatSource()
        source.connected = True
        mixer.add(seat, source)
    return mixer, sink, delivered


async def test_ticks_follow_the_clock_and_the_loop_is_called_once_a_tick() -> None:
    mixer, sink, delivered = made(2)
    mixer.start()
    await until(lambda: len(delivered) >= 8)
    mixer.close()
    assert [tick for tick, _ in delivered] == sink.numbers[: len(delivered)]
    assert all([one.seat for one in what] == [1, 2] for _, what in delivered)


async def test_silence_is_encoded_for_200_ms_and_then_costs_a_packet_in_400_ms() -> None:
    mixer, sink, delivered = made(3)
    for tick in range(45):
        mixer._tick(tick, tick * 20.0)
    await until(lambda: len(delivered) == 12)
    assert mixer.figures().encodes == 10
    assert sink.numbers == list(range(45))
    assert [tick for tick, _ in delivered[10:]] == [19, 39]
    assert {one.payload for _, what in delivered[10:] for one in what} == {b"\xf8"}
    decoder = Decoder()
    for tick, what in delivered:
        assert not decoder.decode(what[0].payload).any(), tick
        if tick >= 10:
            assert not np.concatenate([decoder.conceal() for _ in range(19)]).any()


def test_coming_back_from_silence_is_as_if_silence_had_been_encoded() -> None:
    pcm, quiet = speech_like(2), np.zeros(960, np.int16)
    frames = [quiet] * 40 + [np.ascontiguousarray(pcm[at : at + 960]) for at in range(0, len(pcm) - 959, 960)]
    heard = deque([quiet] * 3, maxlen=3)
    always, saving, sent = _MixEncoder(), _MixEncoder(), []
    whole = [always.encode(tick, frame, heard, 0.0) for tick, frame in enumerate(frames)]
    for tick, frame in enumerate(frames):
        if tick < 10 or tick >= 40:
            sent.append(saving.encode(tick, frame, heard, 0.0))
    one, other = Decoder(), Decoder()
    right = np.concatenate([one.decode(packet) for packet in whole])[40 * 960 :].astype(float)
    got = np.concatenate([other.decode(packet) for packet in sent])[10 * 960 :].astype(float)
    assert np.corrcoef(right, got)[0, 1] > 0.995


class Pcms:
    """A sink that keeps the mix."""

    def __init__(self) -> None:
        self.frames: list[Pcm] = []

    def frame(self, tick: int, pcm: Pcm | None, speaking: tuple[int, ...]) -> None:
        self.frames.append(pcm if pcm is not None else np.zeros(960, np.int16))


def mute(mixer: MixerThread, source: SeatSource) -> None:
    source.muted = True


def leave(mixer: MixerThread, source: SeatSource) -> None:
    mixer.remove(1)


def disconnect(mixer: MixerThread, source: SeatSource) -> None:
    source.connected = False


def replace(mixer: MixerThread, source: SeatSource) -> None:
    """As the engine does it: the older connection is closed, the newer one takes the seat."""
    source.connected = False
    after = SeatSource()
    after.connected = True
    mixer.add(1, after)


@pytest.mark.parametrize("change", [mute, leave, disconnect, replace])
async def test_whatever_ends_a_seats_sound_ends_it_without_a_click(
    change: Callable[[MixerThread, SeatSource], None],
) -> None:
    sink, source = Pcms(), SeatSource()
    mixer = MixerThread(asyncio.get_running_loop(), lambda tick, what: None, sink)
    source.connected = True
    mixer.add(1, source)
    packets = tone_packets(200, 100)
    for tick in range(80):
        source.receive(SoundPacket(1, tick, tick * 960, packets[tick], None, tick * 20.0))
        if tick == 60:
            change(mixer, source)
        mixer._tick(tick, tick * 20.0 + 5)
    sound = np.concatenate(sink.frames)
    audible = np.flatnonzero(np.abs(sound) > 100)
    assert 60 * 960 < audible[-1] < 62 * 960
    assert max(click_ratio(sound, place) for place in range(59 * 960, 62 * 960, 480)) < 2
