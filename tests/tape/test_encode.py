from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from folkmoot.tape.encode import EncodeError, StepEncoder, _aac_encoder, silent_frame
from folkmoot.tape.model import CODEC_CONFIGS, SAMPLE_RATE, Codec, Note, Part
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.writer import TapeWriter

Pcm = NDArray[np.int16]


def encoded(encoder: StepEncoder, pcm: Pcm) -> list[tuple[Part, ...]]:
    steps = [encoder.encode(pcm[at : at + 960]) for at in range(0, len(pcm) - 959, 960)]
    return [step for step in steps if step]


@pytest.mark.parametrize("codec", Codec)
def test_what_was_said_is_heard_at_its_time(
    codec: Codec,
    reader: TapeReader,
    sound: Pcm,
    tmp_path: Path,
    decoded: Callable[[Path], Pcm],
    lateness_ms: Callable[[Pcm, Pcm], float],
) -> None:
    path = tmp_path / "whole.mp4"
    path.write_bytes(reader.init(codec) + reader.read(reader.parts(codec, 0, reader.end_ms)))
    heard = decoded(path)
    assert abs(len(heard) - len(sound)) <= codec.frame_samples
    assert abs(lateness_ms(heard, sound)) <= 10
    with av.open(str(path)) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) == pytest.approx(len(sound), abs=2_048)


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.parametrize("gap_steps", [1, 7, 16])
def test_an_encoder_that_starts_later_is_on_the_same_timeline(
    codec: Codec,
    gap_steps: int,
    sound: Pcm,
    tmp_path: Path,
    decoded: Callable[[Path], Pcm],
    lateness_ms: Callable[[Pcm, Pcm], float],
) -> None:
    now_ms = 0
    TapeWriter.open(tmp_path, lambda: now_ms).release()
    now_ms = gap_steps * 100
    writer = TapeWriter.open(tmp_path, lambda: now_ms)
    said = sound[: 4_800 * 40].copy()
    said[: writer.next_samples] = 0
    encoder = StepEncoder(writer.next_samples)
    for parts in encoded(encoder, said[writer.next_samples :]):
        writer.append(parts, Note())
    writer.append(encoder.finish(), Note())
    writer.close()
    heard = decoded(tmp_path / f"{codec}.mp4")
    assert abs(lateness_ms(heard, said)) <= 10


def test_steps_are_whole_and_follow_each_other(sound: Pcm) -> None:
    encoder = StepEncoder()
    steps = [*encoded(encoder, sound[: 4_800 * 20 + 960]), encoder.finish()]
    for codec in Codec:
        parts = [part for step in steps for part in step if part.codec is codec]
        assert parts[0].start_samples == 0
        for before, after in pairwise(parts):
            assert after.start_samples == before.end_samples
        assert parts[-1].end_samples >= 4_800 * 20 + 960
        assert parts[-1].end_samples < 4_800 * 20 + 960 + codec.frame_samples
    assert all(len(step[0].frames) == 5 for step in steps[:-1])
    assert all(3 <= len(step[1].frames) <= 5 for step in steps[1:-1])


def test_the_loudest_sample_is_the_peak_of_the_step() -> None:
    pcm = np.zeros(4_800 * 3, np.int16)
    pcm[5_000] = -32_768
    pcm[10_000] = 256
    assert [step[0].peak for step in encoded(StepEncoder(), pcm)] == [0, 255, 2]


@pytest.mark.parametrize(
    "frame", [np.zeros(959, np.int16), np.zeros(960, np.float32), np.zeros((960, 1), np.int16)]
)
def test_other_frames_are_refused(frame: Pcm) -> None:
    with pytest.raises(EncodeError):
        StepEncoder().encode(frame)


def test_a_frame_may_be_a_view_of_something_larger() -> None:
    stereo = np.zeros((960, 2), np.int16)
    assert StepEncoder().encode(stereo[:, 0]) == ()


def test_silent_frames_are_small_and_silent() -> None:
    for codec in Codec:
        assert len(silent_frame(codec)) < 16
        assert silent_frame(codec) is silent_frame(codec)
    context = av.CodecContext.create("aac", "r")
    assert isinstance(context, av.AudioCodecContext)
    context.extradata = CODEC_CONFIGS[Codec.AAC].audio_specific_config
    context.sample_rate = SAMPLE_RATE
    for _ in range(3):
        for frame in context.decode(av.Packet(silent_frame(Codec.AAC))):
            assert not frame.to_ndarray().any()


def test_the_encoder_makes_what_the_tape_says() -> None:
    extradata = _aac_encoder().extradata
    assert extradata is not None
    assert extradata.startswith(CODEC_CONFIGS[Codec.AAC].audio_specific_config)


@pytest.mark.parametrize("codec", Codec)
def test_a_long_silence_is_repeated_frames_and_the_sound_after_it_is_whole_and_in_time(
    codec: Codec, sound: Pcm, tmp_path: Path, decoded: Callable[[Path], Pcm]
) -> None:
    heard: list[Pcm] = []
    for number, hush in enumerate((0, 1)):  # real silence; and the faintest sound, which is encoded throughout
        said = np.concatenate([sound[: 48_000 * 2], np.zeros(48_000 * 5, np.int16), sound[48_000 * 2 : 48_000 * 4]])
        said[48_000 * 2 : 48_000 * 7 : 500] = hush
        folder = tmp_path / str(number)
        writer, encoder = TapeWriter.open(folder, lambda: 0), StepEncoder()
        steps = encoded(encoder, said)
        for parts in (*steps, encoder.finish()):
            writer.append(parts, Note())
        writer.close()
        heard.append(decoded(folder / f"{codec}.mp4"))
        coded = [frame for step in steps for part in step if part.codec is codec for frame in part.frames]
        quiet = coded[3 * SAMPLE_RATE // codec.frame_samples : 6 * SAMPLE_RATE // codec.frame_samples]
        assert (len(set(quiet)) == 1) == (hush == 0)
    assert len(heard[0]) == len(heard[1])
    assert np.abs(heard[0][48_000 * 3 : 48_000 * 6]).max() < 5
    after = slice(48_000 * 7, 48_000 * 9 - 4_800)
    assert np.corrcoef(heard[0][after], heard[1][after])[0, 1] > 0.998
