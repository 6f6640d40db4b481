from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support import hls_rules

from folkmoot.tape import hls
from folkmoot.tape.hls_window import HlsWindow
from folkmoot.tape.model import Codec, PartRef, SegmentRef
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.redactions import Redaction

Pcm = NDArray[np.int16]
SEGMENTS = [
    SegmentRef(Codec.AAC, 7, 1_344_512, 191_488, 0, 1),
    SegmentRef(Codec.AAC, 8, 1_536_000, 192_512, 1, 1, revision=2),
]


@pytest.mark.parametrize(("is_live", "name"), [(True, "live.m3u8"), (False, "index.m3u8")])
def test_players_begin_with_a_playlist_of_one_codec(is_live: bool, name: str) -> None:
    assert hls.multivariant_playlist(Codec.AAC, is_live=is_live, is_shared=False) == textwrap.dedent(f"""\
        #EXTM3U
        #EXT-X-VERSION:7
        #EXT-X-INDEPENDENT-SEGMENTS
        #EXT-X-STREAM-INF:BANDWIDTH=96000,CODECS="mp4a.40.2"
        aac/{name}
        """)
    of_all = hls.multivariant_playlist(Codec.OPUS, is_live=is_live, is_shared=True)
    assert of_all.endswith(f"\nshared/opus/{name}\n")


def test_a_replay() -> None:
    text = hls.replay_playlist(SEGMENTS, timeline_unix_ms=1_700_000_000_000)
    assert text == textwrap.dedent("""\
        #EXTM3U
        #EXT-X-VERSION:7
        #EXT-X-TARGETDURATION:4
        #EXT-X-MEDIA-SEQUENCE:7
        #EXT-X-INDEPENDENT-SEGMENTS
        #EXT-X-PLAYLIST-TYPE:VOD
        #EXT-X-MAP:URI="init.mp4"
        #EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:48.010Z
        #EXTINF:3.98933,
        7.m4s
        #EXTINF:4.01067,
        8.r2.m4s
        #EXT-X-ENDLIST
        """)


def test_what_was_taken_out_is_a_date_range() -> None:
    taken_out = [
        Redaction("4", 0, 28_000, "other", "host", 0),
        Redaction("5", 29_000, 31_500, "private_information", "moderator", 0),
        Redaction("6", 90_000, 91_000, "other", "host", 0),
    ]
    text = hls.replay_playlist(SEGMENTS, timeline_unix_ms=1_700_000_000_000, redactions=taken_out)
    hls_rules.check(hls_rules.read(text))
    assert [line for line in text.splitlines() if line.startswith("#EXT-X-DATERANGE")] == [
        '#EXT-X-DATERANGE:ID="redaction-5",CLASS="org.folkmoot.redaction",START-DATE="2023-11-14T22:13:49.000Z",'
        'DURATION=2.500,X-REASON="private_information",X-BY="moderator"'
    ]
    window = HlsWindow(Codec.OPUS)
    window.append(part(number) for number in range(130))
    live = hls.live_playlist(window, timeline_unix_ms=1_700_000_000_000, redactions=taken_out[:1])
    hls_rules.check(hls_rules.read(live))
    assert live.count("#EXT-X-DATERANGE") == 1


def part(number: int) -> PartRef:
    """A part of 100 ms and 50 bytes."""
    start = number * 4_800
    return PartRef(Codec.OPUS, number, start, 4_800, number * 50, 50, 10, start // 192_000, 0, 0, False, False)


def test_a_live_playlist() -> None:
    window = HlsWindow(Codec.OPUS)
    window.append(part(number) for number in range(45))
    text = hls.live_playlist(window, timeline_unix_ms=1_700_000_000_000)
    parts = "".join(f'#EXT-X-PART:DURATION=0.20000,URI="0.{index}.m4s",INDEPENDENT=YES\n' for index in range(20))
    assert text == (
        textwrap.dedent("""\
        #EXTM3U
        #EXT-X-VERSION:9
        #EXT-X-TARGETDURATION:4
        #EXT-X-MEDIA-SEQUENCE:0
        #EXT-X-INDEPENDENT-SEGMENTS
        #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=24.0,HOLD-BACK=12.0,PART-HOLD-BACK=0.60000
        #EXT-X-PART-INF:PART-TARGET=0.20000
        #EXT-X-MAP:URI="init.mp4"
        #EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.000Z
        """)
        + parts
        + textwrap.dedent("""\
        #EXTINF:4.00000,
        0.m4s
        #EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:24.000Z
        #EXT-X-PART:DURATION=0.20000,URI="1.0.m4s",INDEPENDENT=YES
        #EXT-X-PART:DURATION=0.20000,URI="1.1.m4s",INDEPENDENT=YES
        #EXT-X-PRELOAD-HINT:TYPE=PART,URI="1.2.m4s"
        """)
    )
    window.end()
    ended = hls.live_playlist(window, timeline_unix_ms=1_700_000_000_000)
    assert ended.endswith("#EXTINF:0.50000,\n1.m4s\n#EXT-X-ENDLIST\n")
    assert "PRELOAD-HINT" not in ended


@pytest.mark.parametrize("name", ["0.m4s", "12.3.m4s", "12.r4.m4s", "12.3.r4.m4s"])
def test_names_are_read_back(name: str) -> None:
    assert str(hls.MediaName.parse(name)) == name


@pytest.mark.parametrize("name", ["00.m4s", "1.r0.m4s", "1.2.3.m4s", "x.m4s", "-1.m4s", "1.mp4", "1.m4s\n", ".m4s"])
def test_other_names_are_none(name: str) -> None:
    assert hls.MediaName.parse(name) is None


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
    (tmp_path / "index.m3u8").write_text(hls.multivariant_playlist(Codec.AAC, is_live=False, is_shared=False))
    folder = tmp_path / "aac"
    folder.mkdir()
    segments = reader.segments(Codec.AAC, start_ms)
    (folder / "index.m3u8").write_text(hls.replay_playlist(segments, timeline_unix_ms=reader.timeline_unix_ms))
    (folder / "init.mp4").write_bytes(reader.init(Codec.AAC))
    for segment in segments:
        (folder / f"{segment.number}.m4s").write_bytes(reader.read([segment]))
    heard = decoded(tmp_path / "index.m3u8")
    said = sound[segments[0].start_samples :]
    assert abs(len(heard) - len(said)) <= 2_048
    assert abs(lateness_ms(heard, said)) <= 25
