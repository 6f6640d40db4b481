"""A loose file is taken only where every player plays the same frames of it."""

from __future__ import annotations

import io
import struct
import tracemalloc
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folkmoot.tape import boxes
from folkmoot.tape.cut import cut_clip
from folkmoot.tape.loose import LooseInvalid, read_loose
from folkmoot.tape.model import CODEC_CONFIGS, Codec, TapeError
from folkmoot.tape.reader import TapeReader


@pytest.fixture
def clip(reader: TapeReader) -> bytes:
    """10.000 to 15.000 s."""
    return cut_clip(reader, 10_000, 15_000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "clip.m4a"


def frames_by_av(content: bytes) -> list[bytes]:
    with av.open(io.BytesIO(content), "r") as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def wrapped_anew(clip: bytes, path: Path, kind: str, other_tracks: int = 0) -> None:
    """As a program copies it; other tracks of sound that nobody signed come on request."""
    with av.open(io.BytesIO(clip), "r") as source, av.open(str(path), "w", format=kind) as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        others = [target.add_stream("aac", rate=48_000) for _ in range(other_tracks)]
        for packet in source.demux(audio=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
        for other in others:
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 4_800), np.float32), format="fltp", layout="mono")
            frame.sample_rate = 48_000
            for packet in [*other.encode(frame), *other.encode(None)]:
                target.mux(packet)


def changed(clip: bytes, kind: bytes, at: int, *words: int) -> bytes:
    """32-bit words at a place in a box's payload are others."""
    start = clip.index(kind) + 4 + at
    new = struct.pack(f">{len(words)}I", *words)
    return clip[:start] + new + clip[start + len(new) :]


def test_the_frames_of_a_clip(clip: bytes, path: Path) -> None:
    path.write_bytes(clip)
    sound = read_loose(path)
    assert sound.config == CODEC_CONFIGS[Codec.AAC]
    assert sound.frames == frames_by_av(clip)


@pytest.mark.parametrize("kind", ["ipod", "mp4"])
def test_a_clip_that_a_program_wrapped_anew(clip: bytes, path: Path, kind: str) -> None:
    wrapped_anew(clip, path, kind)
    sound = read_loose(path)
    assert sound.config == CODEC_CONFIGS[Codec.AAC]
    assert sound.frames == frames_by_av(clip)


def test_a_second_track(clip: bytes, path: Path) -> None:
    wrapped_anew(clip, path, "ipod", other_tracks=1)
    with pytest.raises(LooseInvalid, match="2 tracks"):
        read_loose(path)


def test_another_configuration_is_what_the_file_says(clip: bytes, path: Path) -> None:
    at_24_khz = b"\x13\x08"
    path.write_bytes(clip.replace(b"\x05\x80\x80\x80\x02\x11\x88", b"\x05\x80\x80\x80\x02" + at_24_khz))
    assert read_loose(path).config.audio_specific_config == at_24_khz


def test_only_what_the_edit_lets_be_heard(clip: bytes, path: Path) -> None:
    path.write_bytes(changed(clip, b"elst", 8, 48_000, 96_000 + 500))
    frames = frames_by_av(clip)
    assert read_loose(path).frames == frames[93:142]  # 94.2 to 141.1, and the one before


@pytest.mark.parametrize(
    ("kind", "at", "words", "says"),
    [
        *((b"elst", 16, (0x20000,), "edit list"), (b"elst", 12, (0xFFFFFFFF,), "edit list")),
        *((b"elst", 4, (2,), "edit list"), (b"stsd", 4, (2,), "more than once")),
        *((b"stts", 12, (512,), "other times"), (b"mdhd", 12, (24_000,), "other times")),
        *((b"mdhd", 12, (0,), "no clock"), (b"stsz", 4, (1, 50_000_000), "more frames")),
        *((b"stsz", 4, (1 << 20,), "more frames"), (b"stsc", 12, (0x7FFFFFFF,), "where its frames")),
        *((b"stsc", 16, (2,), "where its frames"), (b"stco", 8, (0xFFFFFFF0,), "where its frames")),
        *((b"mp4a", 24, (24_000 << 16,), "another rate"), (b"url ", 0, (0,), "sound alone")),
    ],
)
def test_what_players_may_play_otherwise(
    clip: bytes, path: Path, kind: bytes, at: int, words: tuple[int, ...], says: str
) -> None:
    path.write_bytes(changed(clip, kind, at, *words))
    with pytest.raises(LooseInvalid, match=says):
        read_loose(path)


@pytest.mark.parametrize("kind", ["matroska", "adts"])
def test_other_formats(clip: bytes, path: Path, kind: str) -> None:
    wrapped_anew(clip, path, kind)
    with pytest.raises(LooseInvalid, match=r"an \.m4a"):
        read_loose(path)


def test_fragments(clip: bytes, path: Path) -> None:
    path.write_bytes(clip + boxes.box(b"moof"))
    with pytest.raises(LooseInvalid, match="fragments"):
        read_loose(path)
    path.write_bytes(clip + clip[clip.index(b"moov") - 4 :])
    with pytest.raises(LooseInvalid, match="one description"):
        read_loose(path)


def test_a_small_file_that_claims_much_costs_little(clip: bytes, path: Path) -> None:
    path.write_bytes(changed(clip, b"stsz", 4, 1, 50_000_000))
    tracemalloc.start()
    with pytest.raises(LooseInvalid):
        read_loose(path)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 10 << 20


@given(st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_refused(clip: bytes, path: Path, data: st.DataObject) -> None:
    content = bytearray(clip)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, 1500))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    try:
        sound = read_loose(path)
    except TapeError:
        return
    assert sum(map(len, sound.frames)) <= len(content)
