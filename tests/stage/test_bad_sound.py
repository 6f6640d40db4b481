"""Packets of noise, floods and foreign streams: bounded cost, bounded loudness, and the others hear each other."""

import random
from collections.abc import Callable

import numpy as np
import pytest
from tests.stage.meters import click_ratio, integrated_lufs, true_peak_dbtp
from tests.stage.peers import has_tone
from tests.stage.test_bad_network import moments
from tests.stage.test_jitter import speech_like
from tests.stage.test_source import tone_packets

from folkmoot.stage.limiter import DELAY_SAMPLES
from folkmoot.stage.mixer import Contribution, Mixed, Mixer
from folkmoot.stage.source import SeatSource, SoundPacket
from folkmoot.tape.opus import Application, Encoder, Pcm

pytestmark = pytest.mark.slow  # seconds of coding

Feed = Callable[[int, SeatSource], None]


def feed(packets: list[bytes], ssrc: int = 1) -> Feed:
    """One packet in time for each tick; silence when they are at their end."""

    def one(tick: int, source: SeatSource) -> None:
        if tick < len(packets):
            source.receive(SoundPacket(ssrc, tick & 0xFFFF, tick * 960, packets[tick], None, tick * 20.0))

    return one


def stage(ticks: int, *feeds: Feed) -> tuple[list[Mixed], list[SeatSource]]:
    """Seats 1, 2, … with their feeds, through jitter buffers and one mixer."""
    mixer, mixes, sources = Mixer(), [], [SeatSource() for _ in feeds]
    for source in sources:
        source.connected = True
    for tick in range(ticks):
        contributions = []
        for seat, (source, give) in enumerate(zip(sources, feeds, strict=True), 1):
            give(tick, source)
            pcm, audible = source.frame(tick * 20.0 + 5, hushed=False)
            contributions.append(Contribution(seat, pcm, audible, source.detector.speaking))
        mixes.append(mixer.mix(contributions))
    return mixes, sources


def noise_packets(count: int, first_byte: int | None = None) -> list[bytes]:
    chance = random.Random(7)
    packets = [chance.randbytes(chance.randint(2, 200)) for _ in range(count)]
    return [bytes([first_byte]) + one for one in packets] if first_byte is not None else packets


def heard_by(mixes: list[Mixed], seat: int) -> Pcm:
    return np.concatenate([one.minus.get(seat, one.full) for one in mixes])


def test_packets_of_noise_are_thrown_away_and_the_talk_goes_on() -> None:
    talk, noise = feed(tone_packets(500, 300)), noise_packets(300)
    mixes, sources = stage(300, talk, feed(noise))
    assert sources[1].jitter.counts.garbled > 280
    everyone = heard_by(mixes, 3)[96_000:]
    assert has_tone(everyone, 500, 0.05)
    assert click_ratio(everyone, len(everyone) // 2) < 2
    alone, _ = stage(300, talk)
    calm = heard_by(alone, 3)[96_000:]
    assert integrated_lufs(everyone) == pytest.approx(integrated_lufs(calm), abs=0.5)
    # Seat 1 doesn't hear itself, so what it hears is what noise got through: nothing after the first moments.
    assert not heard_by(mixes, 1)[48_000:].any()


@pytest.mark.parametrize("first_byte", [0x78, 0xF8, 0x08])
def test_noise_that_pretends_to_be_sound_is_no_louder_than_a_voice(first_byte: int) -> None:
    mixes, _ = stage(300, feed(noise_packets(300, first_byte)))
    sound = heard_by(mixes, 9)
    assert true_peak_dbtp(sound) <= -1
    assert integrated_lufs(sound[:48_000]) < -14
    assert integrated_lufs(sound[3 * 48_000 :]) < -13


def test_the_loudest_noise_after_a_whisper_is_caught_at_once() -> None:
    whisper = np.split((speech_like(8) * 0.15).astype(np.int16), 400)
    full_scale = np.random.default_rng(1).integers(-32768, 32767, (200, 960)).astype(np.int16)
    encoder = Encoder(application=Application.AUDIO)
    packets = [encoder.encode(np.ascontiguousarray(frame)) for frame in [*whisper, *full_scale]]
    mixes, _ = stage(600, feed(packets))
    sound = heard_by(mixes, 9)
    assert true_peak_dbtp(sound) <= -1
    assert integrated_lufs(sound[8 * 48_000 : 9 * 48_000]) < -7
    assert integrated_lufs(sound[10 * 48_000 :]) < -11


def test_a_good_sender_that_changes_its_mode_is_no_noise() -> None:
    voice, music = Encoder(), Encoder(application=Application.AUDIO)
    pcm = speech_like(12)
    frames = [np.ascontiguousarray(pcm[at : at + 960]) for at in range(0, len(pcm) - 959, 960)]
    packets = [(voice if at // 40 % 2 else music).encode(frame) for at, frame in enumerate(frames)]
    _, sources = stage(len(packets), feed(packets))
    assert sources[0].jitter.counts.garbled == 0


def test_streams_beside_the_known_one_change_nothing() -> None:
    good, loud = feed(tone_packets(500, 150)), noise_packets(150, 0x78)

    def with_strangers(tick: int, source: SeatSource) -> None:
        good(tick, source)
        for ssrc in range(2, 8):
            source.receive(SoundPacket(ssrc, tick, tick * 960, loud[tick], None, tick * 20.0))

    (calm, _), (flooded, sources) = stage(150, good), stage(150, with_strangers)
    assert np.array_equal(heard_by(calm, 9), heard_by(flooded, 9))
    assert sources[0].jitter.counts.received == 150


def test_a_flood_between_two_ticks_is_bounded() -> None:
    packets = tone_packets(500, 100)

    def flood(tick: int, source: SeatSource) -> None:
        for number in range(2000):
            source.receive(SoundPacket(1, number * 31 & 0xFFFF, number, packets[tick % 100], None, tick * 20.0))

    _, sources = stage(20, flood)
    assert sources[0].jitter.counts.received <= 20 * 128
    assert sources[0].jitter.depth_frames <= 564


def test_a_clock_2_percent_off_is_told_in_the_status() -> None:
    assert moments(12, 0.02, lambda number: 0.0)[-1].drift * 1e6 == pytest.approx(20_000, rel=0.05)


def test_a_new_sender_on_the_seat_ends_the_old_sound_without_a_click() -> None:
    first, second = feed(tone_packets(200, 100)), feed(tone_packets(300, 200), ssrc=2)

    def both(tick: int, source: SeatSource) -> None:
        if tick < 100:
            first(tick, source)
        elif tick >= 152:
            second(tick, source)

    mixes, _ = stage(200, both)
    sound = heard_by(mixes, 9)
    audible = np.flatnonzero(np.abs(sound) > 200)
    gap = np.flatnonzero(np.diff(audible) > 4800)
    assert len(gap) == 1
    for edge in (audible[gap[0]], audible[gap[0] + 1]):
        assert click_ratio(sound, int(edge)) < 2


def test_numbers_that_jump_in_mid_sound_do_not_click() -> None:
    packets = tone_packets(200, 200)

    def jumping(tick: int, source: SeatSource) -> None:
        number = tick if tick < 100 else tick + 5000
        source.receive(SoundPacket(1, number, number * 960, packets[tick], None, tick * 20.0))

    mixes, _ = stage(200, jumping)
    sound = heard_by(mixes, 9)[: 200 * 960]
    places = range(98 * 960, 112 * 960, 480)
    assert max(click_ratio(sound, place + DELAY_SAMPLES) for place in places) < 2
