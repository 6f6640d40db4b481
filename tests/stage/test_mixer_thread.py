"""The mixer thread's own decisions: FEC only for those who lose, change-overs between encoders."""

import asyncio
from collections import deque

import numpy as np
from tests.stage.peers import until
from tests.stage.test_jitter import speech_like

from folkmoot.stage.mixer_thread import Delivery, MixerThread, _MixEncoder
from folkmoot.stage.source import SeatSource
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


async def test_ticks_follow_the_clock_and_the_loop_is_called_once_a_tick() -> None:
    sink, delivered = NoSink(), list[tuple[int, list[Delivery]]]()
    mixer = MixerThread(asyncio.get_running_loop(), lambda tick, what: delivered.append((tick, what)), sink)
    for seat in (1, 2):
        source = SeatSource()
        source.connected = True
        mixer.add(seat, source)
    mixer.start()
    await until(lambda: len(delivered) >= 10)
    mixer.close()
    assert [tick for tick, _ in delivered] == sink.numbers[: len(delivered)]
    assert all([one.seat for one in what] == [1, 2] for _, what in delivered)
    assert mixer.figures().encodes == mixer.figures().ticks
