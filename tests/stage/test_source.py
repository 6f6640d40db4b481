"""A seat's sound: garbage, other packet lengths, a second sender, muting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stage.peers import has_tone

from folkmoot.stage.source import SeatSource, SoundPacket
from folkmoot.tape.opus import Encoder, Pcm


def tone_packets(frequency: float, count: int, samples: int = 960) -> list[bytes]:
    encoder = Encoder()
    at = np.arange(count * samples) / 48_000
    pcm = (np.sin(2 * np.pi * frequency * at) * 8000).astype(np.int16)
    return [encoder.encode(pcm[n * samples : (n + 1) * samples]) for n in range(count)]


def heard(source: SeatSource, packets: list[bytes], samples: int = 960, ssrc: int = 1, start_ms: float = 0) -> Pcm:
    """What the source gives while these packets arrive in time, from `start_ms` on; silence where nothing."""
    source.connected = True
    frames, sent = [], 0
    for tick in range(len(packets) * samples // 960):
        now_ms = start_ms + tick * 20
        while sent < len(packets) and sent * samples / 48 <= tick * 20:
            packet = SoundPacket(ssrc, sent & 0xFFFF, sent * samples, packets[sent], None, now_ms)
            source.receive(packet)
            sent += 1
        pcm, _ = source.frame(now_ms, hushed=source.muted)
        frames.append(pcm if pcm is not None else np.zeros(960, np.int16))
    return np.concatenate(frames)


@pytest.mark.parametrize("samples", [480, 960, 1920, 2880])
def test_packets_of_10_to_60_ms_sound_the_same(samples: int) -> None:
    sound = heard(SeatSource(), tone_packets(500, 96_000 // samples, samples), samples)
    assert has_tone(sound[48_000:], 500, 0.2)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=60))
def test_garbage_never_raises_and_frames_stay_frames(payloads: list[bytes]) -> None:
    assert len(heard(SeatSource(), payloads)) == len(payloads) * 960


def test_sound_comes_back_after_garbage() -> None:
    good = tone_packets(500, 100)
    packets = [*good[:20], *([b"\x78\xff\xff\x00"] * 10), *good[30:]]
    assert has_tone(heard(SeatSource(), packets)[-48_000:], 500, 0.2)


def test_a_second_ssrc_is_taken_only_when_the_first_is_silent() -> None:
    source = SeatSource()
    assert has_tone(heard(source, tone_packets(500, 60))[-9600:], 500, 0.2)
    heard(source, tone_packets(900, 5), ssrc=2, start_ms=1200)
    assert source.jitter.counts.received == 60
    assert has_tone(heard(source, tone_packets(900, 60), ssrc=3, start_ms=3000)[-9600:], 900, 0.2)


def test_muted_is_silence_after_one_faded_frame_and_costs_no_decoding() -> None:
    source = SeatSource()
    heard(source, tone_packets(500, 30))
    source.muted = True
    pulls = source.jitter.counts.pulls
    sound = heard(source, tone_packets(500, 30), start_ms=600)
    assert not sound[960:].any()
    assert source.jitter.counts.pulls <= pulls + 1
    assert not source.detector.speaking
    source.muted = False
    assert has_tone(heard(source, tone_packets(500, 30), start_ms=1200)[-9600:], 500, 0.2)
