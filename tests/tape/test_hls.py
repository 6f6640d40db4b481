from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from folkmoot.tape import hls
from folkmoot.tape.model import Codec, SegmentRef
from folkmoot.tape.reader import TapeReader

Pcm = NDArray[np.int16]
SEGMENTS = [
    SegmentRef(Codec.AAC, 7, 1_344_512, 191_488, 0, 1),
    SegmentRef(Codec.AAC, 8, 1_536_000, 192_512, 1, 1),
]


def test_the_multivariant_playlist_offers_aac_first() -> None:
    assert hls.multivariant_playlist([Codec.OPUS, Codec.AAC]) == textwrap.dedent("""\
        #EXTM3U
        #EXT-X-VERSION:7
        #EXT-X-INDEPENDENT-SEGMENTS
        #EXT-X-STREAM-INF:BANDWIDTH=96000,CODECS="mp4a.40.2"
        aac/index.m3u8
        #EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS="opus"
        opus/index.m3u8
        """)


def test_a_live_playlist() -> None:
    text = hls.media_playlist(SEGMENTS, timeline_unix_ms=1_700_000_000_000, kind=hls.Kind.LIVE)
    assert text == textwrap.dedent("""\
        #EXTM3U
        #EXT-X-VERSION:7
        #EXT-X-TARGETDURATION:4
        #EXT-X-MEDIA-SEQUENCE:7
        #EXT-X-INDEPENDENT-SEGMENTS
        #EXT-X-MAP:URI="init.mp4"
        #EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:48.010Z
        #EXTINF:3.98933,
        7.m4s
        #EXTINF:4.01067,
        8.m4s
        """)


def test_what_ended_says_so() -> None:
    event = hls.media_playlist(SEGMENTS, timeline_unix_ms=0, kind=hls.Kind.EVENT)
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in event
    assert "ENDLIST" not in event
    ended = hls.media_playlist(SEGMENTS, timeline_unix_ms=0, kind=hls.Kind.LIVE, ended=True)
    assert ended.endswith("#EXT-X-ENDLIST\n")
    replay = hls.media_playlist(SEGMENTS, timeline_unix_ms=0, kind=hls.Kind.VOD)
    assert "#EXT-X-PLAYLIST-TYPE:VOD" in replay
    assert replay.endswith("#EXT-X-ENDLIST\n")


def test_nothing_yet_is_still_a_playlist() -> None:
    text = hls.media_playlist([], timeline_unix_ms=0, kind=hls.Kind.EVENT)
    assert "#EXT-X-MEDIA-SEQUENCE:0" in text
    assert "EXTINF" not in text


@pytest.mark.parametrize("codec", Codec)
def test_durations_round_to_the_target(codec: Codec, reader: TapeReader) -> None:
    for segment in reader.segments(codec):
        assert round(segment.duration_samples / 48_000) <= hls.TARGET_DURATION_S


@pytest.mark.parametrize("start_ms", [0, 5_250])
def test_ffmpeg_plays_a_replay(
    start_ms: int,
    reader: TapeReader,
    sound: Pcm,
    tmp_path: Path,
    decoded: Callable[[Path], Pcm],
    lateness_ms: Callable[[Pcm, Pcm], float],
) -> None:
    (tmp_path / "index.m3u8").write_text(hls.multivariant_playlist([Codec.AAC]))
    folder = tmp_path / "aac"
    folder.mkdir()
    segments = reader.segments(Codec.AAC, start_ms)
    playlist = hls.media_playlist(segments, timeline_unix_ms=reader.timeline_unix_ms, kind=hls.Kind.VOD)
    (folder / "index.m3u8").write_text(playlist)
    (folder / "init.mp4").write_bytes(reader.init(Codec.AAC))
    for segment in segments:
        (folder / f"{segment.number}.m4s").write_bytes(reader.read([segment]))
    heard = decoded(tmp_path / "index.m3u8")
    said = sound[segments[0].start_samples :]
    assert abs(len(heard) - len(said)) <= 2_048
    assert abs(lateness_ms(heard, said)) <= 25
