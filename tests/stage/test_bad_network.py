"""The receive path on bad networks and with bad clocks: what comes out against what was said, on a simulated clock.

Loss and jitter patterns are fixed: made once by a seeded generator, the same in every run.
"""

import random
from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stage.meters import click_ratio
from tests.stage.test_jitter import speech_like

from folkmoot.stage.drift import DriftEstimator
from folkmoot.stage.jitter import JitterBuffer, JitterCounts
from folkmoot.stage.resample import Resampler
from folkmoot.stage.source import SeatSource, SoundPacket
from folkmoot.tape.opus import Decoder, Encoder, Pcm

pytestmark = pytest.mark.slow  # seconds of coding

Sound = npt.NDArray[np.float64]
WINDOW = 2880
SPECTRUM = 32_768
TICK_AFTER_MS = 7.0
SOUND = b"\x78" + b"\0" * 20  # 20 ms by its first byte


class Sent(msgspec.Struct):
    """What a mixer got of a sender, and what a listener without a network between them would have heard."""

    heard: Pcm
    lossless: Pcm
    source: SeatSource


class Moment(msgspec.Struct, frozen=True):
    """What a jitter buffer was like."""

    drift: float
    rate: float
    depth_frames: int
    counts: JitterCounts


def send(
    said: Pcm,
    *,
    fast: float = 0.0,
    dtx: bool = False,
    delays_ms: Callable[[int], float] = lambda number: 0.0,
    lost: Callable[[int], bool] = lambda number: False,
) -> Sent:
    """Sends 20 ms packets by a clock that runs `fast` (0.01: 1%), each delayed or lost by its number."""
    encoder, decoder = Encoder(expected_loss_percent=0 if dtx else 10, dtx=dtx), Decoder()
    packets = [encoder.encode(np.ascontiguousarray(said[at : at + 960])) for at in range(0, len(said) - 959, 960)]
    lossless = np.concatenate([decoder.decode(packet) for packet in packets])
    # A packet that isn't sent has no number; one that is lost has.
    gone = [lost(n) for n in range(len(packets))]
    numbers = np.cumsum([not (dtx and one) for one in gone])
    arrivals = sorted((n * 20 / (1 + fast) + delays_ms(n), n) for n in range(len(packets)) if not gone[n])
    source, heard, waiting = SeatSource(), [], iter([*arrivals, (float("inf"), 0)])
    source.connected = True
    at_ms, number = next(waiting)
    for tick in range(int(len(packets) / (1 + fast))):
        now_ms = tick * 20 + TICK_AFTER_MS
        while at_ms <= now_ms:
            source.receive(SoundPacket(1, int(numbers[number]) & 0xFFFF, number * 960, packets[number], -20, at_ms))
            at_ms, number = next(waiting)
        pcm, _ = source.frame(now_ms, hushed=False)
        heard.append(pcm if pcm is not None else np.zeros(960, np.int16))
    return Sent(np.concatenate(heard), lossless, source)


def likeness(sent: Sent, fast: float = 0.0, from_s: float = 3.0) -> tuple[Sound, Sound]:
    """For each 60 ms with sound in them: the correlation with what was said, and how late they are (ms)."""
    at = np.arange(int(len(sent.lossless) / (1 + fast))) * (1 + fast)
    said = np.interp(at, np.arange(len(sent.lossless)), sent.lossless)
    found, delays = [], []
    for start in range(int(from_s * 48_000), len(sent.heard) - WINDOW, WINDOW):
        piece = sent.heard[start : start + WINDOW].astype(float)
        if np.sqrt((piece**2).mean()) < 1200:
            continue
        near = said[start - 19_200 : start + WINDOW]
        products = np.fft.irfft(np.fft.rfft(near, SPECTRUM) * np.conj(np.fft.rfft(piece, SPECTRUM)), SPECTRUM)
        products = products[: len(near) - WINDOW + 1]
        powers = np.cumsum(np.concatenate([[0.0], near**2]))
        powers = powers[WINDOW:] - powers[:-WINDOW]
        best = int(np.argmax(products / np.sqrt(np.maximum(powers, powers.max() / 20 + 1))))
        found.append(np.corrcoef(near[best : best + WINDOW], piece)[0, 1])
        delays.append((19_200 - best) / 48)
    return np.array(found), np.array(delays)


def jitter(most_ms: float, seed: int = 5) -> Callable[[int], float]:
    chance = random.Random(seed)
    return lambda number: chance.random() * most_ms


def bursts(to_bad: float, to_good: float, seed: int = 2) -> Callable[[int], bool]:
    """Gilbert and Elliott: a state in which everything is lost, entered and left by chance."""
    chance, bad = random.Random(seed), False

    def lost(number: int) -> bool:
        nonlocal bad
        bad = chance.random() >= to_good if bad else chance.random() < to_bad
        return bad

    return lost


@pytest.mark.parametrize("seed", [1, 2])
def test_8_percent_of_random_loss_leaves_speech_intact(seed: int) -> None:
    chance = random.Random(seed)
    sent = send(speech_like(14), lost=lambda number: chance.random() < 0.08)
    found, delays = likeness(sent)
    assert found.mean() > 0.98
    assert np.mean(found > 0.9) > 0.95
    assert delays.max() < 70
    assert sent.source.jitter.counts.underruns <= 2


def test_bursts_of_60_ms_are_bridged_and_leave_no_delay_behind() -> None:
    sent = send(speech_like(14), lost=bursts(0.02, 0.4))
    found, delays = likeness(sent)
    assert np.median(found) > 0.99
    assert np.mean(found > 0.9) > 0.88
    assert np.median(delays) < 65
    assert delays[-1] < 65


@pytest.mark.parametrize(("most_ms", "intact", "late_most"), [(40.0, 0.99, 0.01), (200.0, 0.98, 0.04)])
def test_jitter_costs_delay_and_not_sound(most_ms: float, intact: float, late_most: float) -> None:
    sent = send(speech_like(14), delays_ms=jitter(most_ms))
    found, delays = likeness(sent, from_s=5.0)
    counts = sent.source.jitter.counts
    assert found.mean() > intact
    assert delays.max() < most_ms + 60
    assert counts.late < late_most * counts.received


def test_200_ms_of_jitter_with_loss_and_half_a_percent_of_drift_is_still_speech() -> None:
    chance = random.Random(4)
    sent = send(speech_like(14), fast=0.005, delays_ms=jitter(200.0), lost=lambda number: chance.random() < 0.03)
    found, _ = likeness(sent, from_s=5.0)  # played at our pace: the drift can't be told from the jitter yet
    assert np.mean(found > 0.9) > 0.9


# --- clocks


@pytest.mark.parametrize("fast", [0.005, -0.005, 0.02, -0.02])
def test_a_clock_that_is_off_is_followed_without_a_gap(fast: float) -> None:
    sent = send(speech_like(13), fast=fast)
    found, delays = likeness(sent, fast, from_s=9.0)
    counts = sent.source.jitter.counts
    assert sent.source.jitter.drift == pytest.approx(fast, abs=0.0005)
    assert np.median(found) > 0.985
    assert counts.underruns + counts.plc + counts.trimmed <= 8  # in the first seconds, before it is known
    assert abs(delays[-1] - delays[len(delays) // 2]) < 25


def cents_off(heard: Pcm, frequency: float) -> Sound:
    """How far a tone is from its pitch in each 20 ms, every 5 ms, by how its phase turns."""
    turned = heard * np.exp(-2j * np.pi * frequency * np.arange(len(heard)) / 48_000)
    places = turned[: len(turned) // 240 * 240].reshape(-1, 240).mean(axis=1)
    turns_a_second = np.angle(places[4:] * np.conj(places[:-4])) / (2 * np.pi * 0.02)
    cents: Sound = 1200 * np.log2(1 + turns_a_second / frequency)
    return cents


def a_tone(seconds: int) -> Pcm:
    return (np.sin(2 * np.pi * 1000 * np.arange(seconds * 48_000) / 48_000) * 8000).astype(np.int16)


def test_the_pitch_stays_where_it_is() -> None:
    sent = send(a_tone(14), fast=0.005, delays_ms=jitter(1.0))
    off = cents_off(sent.heard[11 * 48_000 :], 1005)
    assert np.abs(off).max() < 3  # trained ears hear 10 to 20 in speech
    assert all(click_ratio(sent.heard, place) < 2 for place in range(11 * 48_000, 13 * 48_000, 24_000))


# --- waits that depend on each other, as those in a queue do


def in_order(delays_ms: Callable[[int], float]) -> Callable[[int], float]:
    """No packet overtakes the one before; numbers are asked for one after the other."""
    last_ms = -1e9

    def delayed(number: int) -> float:
        nonlocal last_ms
        last_ms = max(number * 20 + delays_ms(number), last_ms)
        return last_ms - number * 20

    return delayed


def wandering(step_ms: float, most_ms: float, seed: int) -> Callable[[int], float]:
    """A queue that fills and drains by chance."""
    chance, wait_ms = random.Random(seed), 0.0

    def wait(number: int) -> float:
        nonlocal wait_ms
        wait_ms = min(most_ms, max(0.0, wait_ms + chance.uniform(-step_ms, step_ms)))
        return wait_ms

    return in_order(wait)


def filling(seconds: float, most_ms: float) -> Callable[[int], float]:
    """A queue that somebody's download fills, again and again."""
    shaken = jitter(10.0)
    return in_order(lambda number: number / 50 % seconds / seconds * most_ms + shaken(number))


def stalling(stall_ms: float, every: int) -> Callable[[int], float]:
    return in_order(lambda number: max(0.0, stall_ms - number % every * 20))


WAITS: dict[str, Callable[[int], Callable[[int], float]]] = {
    "40 ms in order": lambda seed: in_order(jitter(40.0, seed)),
    "100 ms in order": lambda seed: in_order(jitter(100.0, seed)),
    "200 ms in order": lambda seed: in_order(jitter(200.0, seed)),
    "wandering to 40 ms": lambda seed: wandering(6.0, 40.0, seed),
    "wandering to 80 ms": lambda seed: wandering(10.0, 80.0, seed),
    "wandering to 200 ms": lambda seed: wandering(25.0, 200.0, seed),
    "filling to 150 ms": lambda seed: filling(2.0 * seed, 150.0),
    "stalls of 150 ms": lambda seed: stalling(150.0, 60 + seed),
    "30 ms": lambda seed: jitter(30.0, seed),
    "200 ms": lambda seed: jitter(200.0, seed),
}


def moments(seconds: int, fast: float, delays_ms: Callable[[int], float]) -> list[Moment]:
    """A buffer on a simulated clock, without any sound: what it was like once a second."""
    arrivals = sorted((n * 20 / (1 + fast) + delays_ms(n), n) for n in range(int(seconds * 50 * (1 + fast))))
    buffer, waiting, owed, seen = JitterBuffer(), iter([*arrivals, (float("inf"), 0)]), 0.0, []
    at_ms, number = next(waiting)
    for tick in range(seconds * 50):
        now_ms = tick * 20 + TICK_AFTER_MS
        while at_ms <= now_ms:
            buffer.push(number & 0xFFFF, number * 960, SOUND, None, at_ms)
            at_ms, number = next(waiting)
        owed += buffer.rate
        while owed >= 1:
            owed -= 1
            buffer.pull(now_ms, talking=True)
        if tick % 50 == 0:
            seen.append(
                Moment(buffer.drift, buffer.rate, buffer.depth_frames, msgspec.structs.replace(buffer.counts))
            )
    return seen


@pytest.mark.parametrize("waits", WAITS)
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_waits_are_no_drift(waits: str, seed: int) -> None:
    for moment in moments(40, 0.0, WAITS[waits](seed))[10:]:
        assert abs(moment.drift) < 0.0005
        assert abs(moment.rate - 1) < 0.00116  # 2 cents


@given(
    st.integers(0, 2**32),
    st.sampled_from([(6.0, 40.0), (10.0, 80.0), (15.0, 120.0), (25.0, 200.0)]),
)
@settings(max_examples=15, deadline=None)
def test_a_queue_that_wanders_is_no_drift(seed: int, queue: tuple[float, float]) -> None:
    assert all(abs(moment.drift) < 0.0005 for moment in moments(30, 0.0, wandering(*queue, seed))[10:])


@pytest.mark.parametrize("waits", ["200 ms in order", "wandering to 200 ms", "stalls of 150 ms"])
def test_the_pitch_stays_where_it_is_while_packets_queue(waits: str) -> None:
    off = cents_off(send(a_tone(14), delays_ms=WAITS[waits](1)).heard[10 * 48_000 :], 1000)
    assert np.abs(off).max() < 2


@pytest.mark.parametrize("waits", WAITS)
@pytest.mark.parametrize(("fast", "found_s"), [(0.02, 80), (-0.02, 80), (0.005, 110), (-0.005, 110)])
def test_a_clock_that_is_off_is_found_behind_waits(waits: str, fast: float, found_s: int) -> None:
    """By then it has crept further than a queue would; the longest take those that fill and drain most."""
    seen = moments(found_s + 40, fast, WAITS[waits](2))
    after = seen[found_s:]
    assert all(moment.drift == pytest.approx(fast, abs=0.002) for moment in after)
    counts, last = after[5].counts, after[-1].counts
    # A queue that grows faster than the delay follows costs a few, with a clock that is right too.
    assert last.underruns + last.plc - counts.underruns - counts.plc <= 6
    depths = [moment.depth_frames for moment in after]
    assert np.mean(depths[-15:]) < np.mean(depths[:15]) + 2.5


def test_a_clock_in_step_is_left_alone() -> None:
    sent = send(speech_like(8), delays_ms=jitter(15.0))
    delayed = sent.heard[: len(sent.lossless)]
    shift = 960 * 2 if np.array_equal(delayed[48_000 + 1920 :], sent.lossless[48_000:-1920]) else 960 * 3
    assert np.array_equal(delayed[48_000 + shift :], sent.lossless[48_000:-shift])


def test_60_s_of_nothing_and_then_jumped_numbers_are_heard_again() -> None:
    said = speech_like(12)
    packets = [Encoder().encode(np.ascontiguousarray(said[at : at + 960])) for at in range(0, len(said) - 959, 960)]
    source, sounding = SeatSource(), []
    source.connected = True
    for tick in range(len(packets) + 3000):
        talks = tick < 300 or tick >= 3300
        if talks:
            number = tick if tick < 300 else tick + 20_000
            source.receive(
                SoundPacket(1, number & 0xFFFF, number * 7777 & 0xFFFFFFFF, packets[tick % 600], None, tick * 20.0)
            )
        pcm, _ = source.frame(tick * 20.0 + 5, hushed=False)
        sounding.append(pcm is not None and bool(pcm.any()))
    assert not any(sounding[320:3300])
    assert np.mean(sounding[3310:]) > 0.95
    assert source.jitter.depth_frames < 20


def test_the_estimate_is_bounded_and_forgets_a_sender() -> None:
    estimator = DriftEstimator()
    for number in range(2000):
        estimator.hear(-number * 4.0, number * 20.0)
    assert 0 <= estimator.drift <= 0.025
    estimator.restart()
    assert estimator.drift == 0


@pytest.mark.parametrize("rate", [0.98, 0.995, 1.0, 1.0007, 1.02])
def test_resampled_speech_is_the_same_speech(rate: float) -> None:
    said, resampler, out = speech_like(4), Resampler(), []
    waiting = iter(np.split(said[: len(said) // 960 * 960], len(said) // 960))
    for pcm in waiting:
        resampler.put(pcm)
        while resampler.missing(rate) <= 0:
            out.append(resampler.take(rate))
    got = np.concatenate(out).astype(float)
    right = np.interp(np.arange(len(got)) * rate, np.arange(len(said)), said)
    assert ((got - right) ** 2).sum() < 1e-4 * (right**2).sum()  # 40 dB
    assert len(got) == pytest.approx(len(said) / rate, abs=2000)


def test_a_sender_that_sends_nothing_in_its_pauses_is_whole_before_and_after_them() -> None:
    """As libwebrtc does it: the first packet that says "nothing", then one sound of the background in 400 ms."""
    said = np.concatenate([speech_like(4), np.zeros(3 * 48_000, np.int16), speech_like(4)])
    encoder = Encoder(dtx=True, expected_loss_percent=0)
    packets = [encoder.encode(np.ascontiguousarray(said[at : at + 960])) for at in range(0, len(said) - 959, 960)]
    empty = [len(packet) <= 2 for packet in packets]
    sent = send(said, dtx=True, lost=lambda number: number > 0 and empty[number] and empty[number - 1])
    found, delays = likeness(sent, from_s=0.5)
    counts = sent.source.jitter.counts
    assert sum(empty) > 100
    assert np.mean(found > 0.95) > 0.97
    assert delays.max() < 85
    assert counts.underruns == counts.plc == counts.trimmed == 0
    assert sent.source.jitter.drift == 0
