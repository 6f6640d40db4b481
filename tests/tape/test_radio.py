"""The containers for players and radios, read back by programs that know them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from numpy.typing import NDArray

from folkmoot.audience.live import TapeFollower
from folkmoot.tape import adts, ogg
from folkmoot.tape.model import CODEC_CONFIGS, Codec
from folkmoot.tape.reader import TapeReader

Pcm = NDArray[np.int16]
PARTS = 300


def pages(stream: bytes) -> list[tuple[int, int, int, list[int], bytes]]:
    """(kind, granule, sequence, lacing, payload) of every page; each checksum is checked."""
    found = []
    while stream:
        capture, version, kind, granule, _, sequence, crc, count = struct.unpack_from("<4sBBqIIIB", stream)
        assert (capture, version) == (b"OggS", 0)
        lacing = list(stream[27 : 27 + count])
        end = 27 + count + sum(lacing)
        assert ogg.checksum(stream[:22] + bytes(4) + stream[26:end]) == crc
        found.append((kind, granule, sequence, lacing, stream[27 + count : end]))
        stream = stream[end:]
    return found


@pytest.mark.parametrize("form", ["ogg", "adts"])
@pytest.mark.parametrize("parts", [PARTS, 20])
def test_ffmpeg_plays_it_from_any_part_on(
    form: str,
    parts: int,
    recorded: Path,
    sound: Pcm,
    tmp_path: Path,
    decoded: Callable[[Path], Pcm],
    lateness_ms: Callable[[Pcm, Pcm], float],
) -> None:
    with TapeReader(recorded) as reader:
        follower = TapeFollower(reader)
        head = follower.init(form)
        assert head is not None
        taken = follower.take(form, parts)
        assert len(taken) == parts
        assert follower.take(form, parts) == []
    path = tmp_path / f"live.{'ogg' if form == 'ogg' else 'aac'}"
    path.write_bytes(head + b"".join(taken))
    heard = decoded(path)
    assert abs(len(heard) / 48_000 - parts / 10) < 0.1
    assert abs(lateness_ms(heard, sound[-len(heard) :])) <= 90


def test_pages_say_where_they_are(recorded: Path) -> None:
    with TapeReader(recorded) as reader:
        follower = TapeFollower(reader)
        head = pages(follower.init("ogg") or b"")
        last = pages(b"".join(follower.take("ogg", 3)))
        refs = reader.numbered(Codec.OPUS, reader.count(Codec.OPUS) - 3, reader.count(Codec.OPUS))
    assert [(kind, granule, sequence) for kind, granule, sequence, _, _ in head] == [(2, 0, 0), (0, 0, 1)]
    assert head[0][4] == b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48_000, 0, 0)
    assert head[1][4] == b"OpusTags\x08\0\0\0Folkmoot\0\0\0\0"
    assert [(granule, sequence) for _, granule, sequence, _, _ in last] == [
        (ref.end_samples, ref.number + 2) for ref in refs
    ]


@given(
    some.lists(some.binary(max_size=1_275), min_size=1, max_size=5),
    some.integers(0, 2**32),
    some.integers(0, 2**40),
)
def test_packets_come_back_as_they_were(frames: list[bytes], number: int, end_samples: int) -> None:
    ((_, granule, sequence, lacing, payload),) = pages(ogg.page(number, end_samples, frames))
    assert (granule, sequence) == (end_samples, (number + 2) % 2**32)
    packets, size, at = [], 0, 0
    for value in lacing:
        size += value
        if value < 255:
            packets.append(payload[at : at + size])
            at, size = at + size, 0
    assert packets == frames


@given(some.lists(some.binary(min_size=1, max_size=768), min_size=1, max_size=5))
def test_every_frame_has_its_header(frames: list[bytes]) -> None:
    stream = adts.framed(CODEC_CONFIGS[Codec.AAC], frames)
    for frame in frames:
        assert stream[:2] == b"\xff\xf1"
        assert stream[2:3] == b"\x4c"  # AAC-LC, 48 kHz
        length = (stream[3] & 3) << 11 | stream[4] << 3 | stream[5] >> 5
        assert stream[3] >> 6 == 1  # one channel
        assert stream[7:length] == frame
        stream = stream[length:]
    assert not stream
