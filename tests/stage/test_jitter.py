"""The jitter buffer: whatever order, loss and doubling, it gives sound in order; and how good it is at loss."""

import contextlib
import functools
import random

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.stage.jitter import (
    TARGET_FRAMES_MAX,
    Due,
    JitterBuffer,
    Kind,
    opus_duration_samples,
)
from folkmoot.stage.source import SeatSource, SoundPacket
from folkmoot.tape.opus import Decoder, Encoder, OpusError

FRAME = b"\x78" + b"\0" * 20  # config 15 (hybrid, 20 ms), one frame
DTX = b"\x78"


def push(buffer: JitterBuffer, number: int, now_ms: float, payload: bytes = FRAME, first: int = 65_500) -> None:
    buffer.push((first + number) & 0xFFFF, (number * 960 - 5000) & 0xFFFFFFFF, payload, None, now_ms)


def run(arrivals: list[tuple[float, int]], ticks: int) -> tuple[JitterBuffer, list[Due]]:
    """Pulls every 20 ms; `arrivals` are (ms, packet number)."""
    buffer, waiting, pulled = JitterBuffer(), sorted(arrivals), []
    for tick in range(ticks):
        while waiting and waiting[0][0] <= tick * 20:
            at_ms, number = waiting.pop(0)
            push(buffer, number, at_ms)
        pulled.append(buffer.pull(tick * 20, talking=True))
    return buffer, pulled


@given(
    st.lists(st.tuples(st.floats(0, 3000), st.integers(0, 65_535), st.booleans()), max_size=200),
    st.lists(st.booleans(), max_size=300),
)
def test_any_packets_in_any_order_give_sound_in_order(
    arrivals: list[tuple[float, int, bool]], talking: list[bool]
) -> None:
    buffer = JitterBuffer()
    waiting = sorted(arrivals)
    played: list[int] = []
    for tick, talks in enumerate(talking):
        while waiting and waiting[0][0] <= tick * 20:
            at_ms, sequence, pause = waiting.pop(0)
            restarts_before = buffer.counts.received
            buffer.push(sequence, sequence * 960, DTX if pause else FRAME, None, at_ms)
            assert buffer.counts.received - restarts_before in (0, 1)
        due = buffer.pull(tick * 20, talking=talks)
        assert 0 <= due.duration_samples <= 5760
        assert buffer.depth_frames <= 500 + 64
        if due.kind in (Kind.PLAY, Kind.MERGE, Kind.RECOVER):
            played.append(due.sequence)
    counts = buffer.counts
    assert len(played) + counts.trimmed <= counts.received + counts.fec
    assert 2 <= buffer.target_frames <= TARGET_FRAMES_MAX


@given(
    st.lists(st.tuples(st.floats(0, 90), st.booleans(), st.booleans()), min_size=5, max_size=150),
    st.integers(0, 65_535),
)
def test_a_stream_with_jitter_loss_and_doubles_plays_each_packet_once_in_order(
    packets: list[tuple[float, bool, bool]], first: int
) -> None:
    arrivals: list[tuple[float, int]] = []
    for number, (jitter_ms, lost, doubled) in enumerate(packets):
        if not lost:
            arrivals += [(number * 20 + jitter_ms, number)] * (1 + doubled)
    buffer, pulled = run(arrivals, len(packets) + 40)
    numbers = [due.sequence for due in pulled if due.kind in (Kind.PLAY, Kind.MERGE)]
    assert numbers == sorted(set(numbers))
    # Nothing vanishes without being counted.
    counts = buffer.counts
    assert counts.received == len(numbers) + counts.trimmed
    assert counts.received + counts.late + counts.duplicates == len(arrivals)
    assert pulled[-1].kind is Kind.NOTHING


def test_an_even_stream_costs_two_frames_and_no_concealment() -> None:
    buffer, pulled = run([(number * 20 + 5, number) for number in range(200)], 200)
    assert [due.kind for due in pulled[:3]] == [Kind.NOTHING] * 3
    assert {due.kind for due in pulled[3:]} == {Kind.PLAY}
    assert buffer.counts.buffer_ms_mean() == pytest.approx(40, abs=1)
    assert buffer.counts.underruns == buffer.counts.plc == buffer.counts.fec == 0


def test_a_lost_packet_is_rebuilt_from_the_next_and_two_in_a_row_only_once() -> None:
    lost = {50, 80, 81}
    buffer, pulled = run([(n * 20 + 5, n) for n in range(150) if n not in lost], 150)
    assert (buffer.counts.fec, buffer.counts.plc, buffer.counts.underruns) == (2, 1, 0)
    assert [due.kind for due in pulled].count(Kind.CONCEAL) == 1


def test_uneven_arrival_deepens_the_buffer_and_evenness_makes_it_shallow_again() -> None:
    source = random.Random(1)
    uneven = [(number * 20 + source.random() * 100, number) for number in range(250)]
    even = [(number * 20 + 5.0, number) for number in range(250, 1000)]
    buffer, _ = run(uneven, 240)
    assert buffer.target_frames >= 5
    buffer, _ = run(uneven + even, 990)
    assert buffer.target_frames == 2
    assert buffer.depth_frames <= 4
    assert buffer.counts.trimmed > 0


def test_after_a_stall_a_burst_does_not_stay_as_delay() -> None:
    stalled = [(max(number * 20, 3000) if number > 100 else number * 20, number) for number in range(500)]
    buffer, _ = run([(at + 5.0, number) for at, number in stalled], 500)
    assert buffer.depth_frames <= 4
    assert buffer.counts.underruns <= 5


def test_underruns_are_only_those_of_a_talking_sender() -> None:
    for talking, expected in ((True, 5), (False, 0)):
        buffer = JitterBuffer()
        for number in range(3):
            push(buffer, number, number * 20)
        kinds = [buffer.pull(60 + tick * 20, talking=talking) for tick in range(10)]
        assert buffer.counts.underruns == expected
        assert [due.kind for due in kinds].count(Kind.CONCEAL) == 5
        assert kinds[7].last
        assert kinds[8].kind is Kind.NOTHING


def test_a_pause_of_the_sender_is_no_underrun() -> None:
    buffer = JitterBuffer()
    for number in range(4):
        push(buffer, number, number * 20, DTX if number == 3 else FRAME)
    for tick in range(24):
        assert buffer.pull(80 + tick * 20, talking=True).kind is not Kind.NOTHING
    assert buffer.counts.underruns == 0


def test_a_sender_that_begins_anew_is_heard_after_two_packets() -> None:
    buffer = JitterBuffer()
    for number in range(20):
        push(buffer, number, number * 20, first=100)
    for number in range(5):
        push(buffer, number, 400 + number * 20, first=30_000)
    buffer.pull(500, talking=True)
    assert buffer.counts.late == 1
    assert buffer.depth_frames == 3


def test_what_is_no_opus_is_ignored() -> None:
    buffer = JitterBuffer()
    for payload in (b"", b"\xff", b"\xff\x3f"):
        buffer.push(1, 0, payload, None, 0)
    assert buffer.counts.received == 0


@given(st.binary(min_size=1, max_size=40))
def test_durations_are_those_of_libopus(payload: bytes) -> None:
    with contextlib.suppress(OpusError):  # a valid first byte, and then nothing to decode
        decoded = len(Decoder().decode(payload))
        assert opus_duration_samples(payload) == decoded


# --- measured: sound against the lossless decode


@functools.cache
def speech_like(seconds: int) -> npt.NDArray[np.int16]:
    """Syllables of a gliding, filtered pulse train: what Opus codes in the mode it uses for voices."""
    rate, source = 48_000, np.random.default_rng(5)
    at = np.arange(seconds * rate) / rate
    pitch = 120 + 30 * np.sin(2 * np.pi * 0.7 * at) + 10 * np.sin(2 * np.pi * 3.1 * at)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    voice = np.zeros_like(at)
    for harmonic in range(1, 30):
        resonance = sum(
            np.exp(-(((harmonic * 120 - formant) / width) ** 2))
            for formant, width in ((500, 200), (1500, 300), (2500, 400))
        )
        voice += (resonance + 0.03) * np.sin(harmonic * phase) / harmonic**0.5
    syllables = np.clip(np.sin(2 * np.pi * 3.3 * at) + 0.4, 0, 1) ** 0.5
    mixed = voice * syllables + 0.002 * source.standard_normal(len(at))
    pcm: npt.NDArray[np.int16] = (mixed / np.abs(mixed).max() * 12_000).astype(np.int16)
    pcm.flags.writeable = False
    return pcm


@pytest.mark.parametrize(("loss", "correlation_min"), [(0.0, 0.9999), (0.03, 0.99), (0.08, 0.97)])
def test_sound_stays_intact_at_random_loss(loss: float, correlation_min: float) -> None:
    pcm = speech_like(12)
    encoder = Encoder(expected_loss_percent=10)
    packets = [encoder.encode(np.ascontiguousarray(pcm[i : i + 960])) for i in range(0, len(pcm) - 959, 960)]
    decoder = Decoder()
    lossless = np.concatenate([decoder.decode(packet) for packet in packets])
    source, chance = SeatSource(), random.Random(3)
    source.connected = True
    heard = []
    for tick, packet in enumerate(packets):
        if chance.random() >= loss:
            source.receive(SoundPacket(1, tick & 0xFFFF, tick * 960, packet, -20, tick * 20.0))
        frame, _ = source.frame(tick * 20.0 + 10, hushed=False)
        if frame is not None:
            heard.append(frame)
    sound = np.concatenate(heard).astype(float)
    counts = source.jitter.counts
    assert np.corrcoef(sound, lossless[: len(sound)])[0, 1] >= correlation_min
    assert len(packets) - len(heard) == 2  # frames of delay, and it never grew
    assert counts.buffer_ms_mean() <= 40
    assert counts.underruns == 0
