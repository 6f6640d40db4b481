from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.tape import opus


def voice(frames: int) -> opus.Pcm:
    """Something like speech: a gliding tone with harmonics, which Opus codes well at 32 kbit/s."""
    time_s = np.arange(frames * opus.FRAME_SAMPLES) / opus.SAMPLE_RATE
    phase = 2 * np.pi * np.cumsum(180 + 60 * np.sin(2 * np.pi * 1.5 * time_s)) / opus.SAMPLE_RATE
    sound = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 9))
    return np.asarray(sound * 6_000, np.int16)


def frames_of(pcm: opus.Pcm) -> list[opus.Pcm]:
    return [
        pcm[at : at + opus.FRAME_SAMPLES] for at in range(0, len(pcm) - opus.FRAME_SAMPLES + 1, opus.FRAME_SAMPLES)
    ]


def correlation(one: opus.Pcm, other: opus.Pcm) -> float:
    return float(np.corrcoef(one.astype(float), other.astype(float))[0, 1])


def test_what_goes_in_comes_out() -> None:
    encoder, decoder = opus.Encoder(application=opus.Application.AUDIO), opus.Decoder()
    pcm = voice(50)
    heard = np.concatenate([decoder.decode(encoder.encode(frame)) for frame in frames_of(pcm)])
    delay = 312  # the encoder's look-ahead: the pre-skip of RFC 7845
    assert correlation(heard[delay:], pcm[:-delay]) > 0.95


def test_a_lost_frame_is_rebuilt_from_the_next_packet() -> None:
    encoder = opus.Encoder(fec=True, expected_loss_percent=20)
    packets = [encoder.encode(frame) for frame in frames_of(voice(50))]
    whole, with_fec, concealed = opus.Decoder(), opus.Decoder(), opus.Decoder()
    for packet in packets[:30]:
        for decoder in (whole, with_fec, concealed):
            decoder.decode(packet)
    truth = whole.decode(packets[30])
    from_fec = with_fec.decode_fec(packets[31])
    guess = concealed.conceal()
    assert len(truth) == len(from_fec) == len(guess) == opus.FRAME_SAMPLES
    assert correlation(from_fec, truth) > 0.9
    assert correlation(from_fec, truth) > correlation(guess, truth)


def test_dtx_sends_next_to_nothing_in_silence() -> None:
    encoder = opus.Encoder(dtx=True, application=opus.Application.VOIP)
    silence = np.zeros(opus.FRAME_SAMPLES, np.int16)
    sizes = [len(encoder.encode(silence)) for _ in range(50)]
    assert sizes[-1] <= 2


def test_reset_starts_afresh() -> None:
    encoder = opus.Encoder()
    frame = frames_of(voice(3))[2]
    first = encoder.encode(frame)
    encoder.encode(frame)
    encoder.reset()
    assert encoder.encode(frame) == first
    decoder = opus.Decoder()
    heard = decoder.decode(first)
    decoder.decode(first)
    decoder.reset()
    assert np.array_equal(decoder.decode(first), heard)


def test_bad_settings_and_frames_are_typed_errors() -> None:
    with pytest.raises(opus.OpusError, match="set"):
        opus.Encoder(complexity=99)
    encoder = opus.Encoder()
    with pytest.raises(opus.OpusError, match="encode"):
        encoder.encode(np.zeros(961, np.int16))
    with pytest.raises(opus.OpusError, match="int16"):
        encoder.encode(np.zeros(1920, np.int16)[::2])
    with pytest.raises(opus.OpusError, match="samples"):
        opus.Decoder().conceal(100_000)
    for nothing in (opus.Decoder().decode, opus.Decoder().decode_fec):
        with pytest.raises(opus.OpusError, match="empty"):
            nothing(b"")


def test_the_library_says_its_version() -> None:
    assert opus.version().startswith("libopus")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_garbage_never_crashes_the_decoder(packet: bytes) -> None:
    decoder = opus.Decoder()
    for attempt in (decoder.decode, decoder.decode_fec):
        try:
            result = attempt(packet)
        except opus.OpusError:
            continue
        assert np.size(result) <= opus.FRAME_SAMPLES_MAX
    assert len(decoder.conceal()) == opus.FRAME_SAMPLES
