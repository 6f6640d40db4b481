"""HLS playlists from lists of segments (RFC 8216). Pure text.

A rendition's folder holds `index.m3u8`, `init.mp4` and `{number}.m4s`, where a segment is the chunks of one number.
A trimmed replay is the list of a narrower range (TapeReader.segments): the playlist needs to know nothing of it.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import UTC, datetime

from folkmoot.tape.model import SAMPLE_RATE, SAMPLES_PER_MS, SEGMENT_SAMPLES, Codec, SegmentRef

MEDIA_TYPE = "application/vnd.apple.mpegurl"
TARGET_DURATION_S = SEGMENT_SAMPLES // SAMPLE_RATE

_PEAK_BITS_PER_SECOND = {Codec.AAC: 96_000, Codec.OPUS: 64_000}  # with boxes and notes


class Kind(enum.Enum):
    """What a media playlist promises to those who load it again."""

    LIVE = "live"  # a window that slides
    EVENT = "event"  # grows at its end only
    VOD = "vod"  # never changes


def multivariant_playlist(codecs: Sequence[Codec], *, uri: str = "{codec}/index.m3u8") -> str:
    """One variant for each codec, in the order in which players should try them: AAC first, all can play it."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for codec in sorted(codecs, key=list(_PEAK_BITS_PER_SECOND).index):
        bandwidth = _PEAK_BITS_PER_SECOND[codec]
        lines.append(f'#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},CODECS="{codec.mime_parameter}"')
        lines.append(uri.format(codec=codec.value))
    return "\n".join(lines) + "\n"


def media_playlist(
    segments: Sequence[SegmentRef],
    *,
    timeline_unix_ms: int,
    kind: Kind,
    ended: bool = False,
    map_uri: str = "init.mp4",
    segment_uri: str = "{number}.m4s",
) -> str:
    """A playlist of complete segments with rising numbers; for LIVE the newest few of them.

    `timeline_unix_ms` is the Unix time of timeline 0. ENDLIST is said for VOD and for what has `ended`. An empty
    list makes a valid playlist, but some players give up on it: answer 503 until there is a segment.
    """
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{TARGET_DURATION_S}",
        f"#EXT-X-MEDIA-SEQUENCE:{segments[0].number if segments else 0}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    if kind is not Kind.LIVE:
        lines.append(f"#EXT-X-PLAYLIST-TYPE:{kind.name}")
    lines.append(f'#EXT-X-MAP:URI="{map_uri}"')
    if segments:
        start_unix_ms = timeline_unix_ms + segments[0].start_samples // SAMPLES_PER_MS
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{_date_time(start_unix_ms)}")
    for segment in segments:
        lines.append(f"#EXTINF:{segment.duration_samples / SAMPLE_RATE:.5f},")
        lines.append(segment_uri.format(number=segment.number))
    if ended or kind is Kind.VOD:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def _date_time(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
