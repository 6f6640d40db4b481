"""HLS playlists (RFC 8216, and draft-pantos-hls-rfc8216bis for low latency). Pure text.

A rendition's folder holds `init.mp4`, the segments, their partial segments, and one of two playlists: `live.m3u8`,
a window that slides while the Space is live and stays as it was at its end, or `index.m3u8`, the replay, which
never changes. They are two because a playlist may neither go back in its numbers nor change its type.

Silence that the server filled in after a crash is sound like any other: EXT-X-GAP would say that there is none, and
the timeline goes on, so there is no discontinuity. The note that comes with it says that nobody was on stage.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from folkmoot.tape.hls_window import (
    PARTS_KEPT_SAMPLES,
    HlsWindow,
    LiveSegment,
    PartialSegment,
    part_target_samples,
    seconds,
)
from folkmoot.tape.model import SAMPLE_RATE, SAMPLES_PER_MS, SEGMENT_SAMPLES, Codec, SegmentRef
from folkmoot.tape.redactions import Redaction

MEDIA_TYPE = "application/vnd.apple.mpegurl"
TARGET_DURATION_S: Final = SEGMENT_SAMPLES // SAMPLE_RATE
SKIP_UNTIL_S: Final = 6 * TARGET_DURATION_S
HOLD_BACK_S: Final = 3 * TARGET_DURATION_S
PART_HOLD_BACK_PARTS: Final = 3
LIVE_VERSION: Final = 9  # what EXT-X-SKIP asks for; a delta and what it is applied to say the same
LIVE_NAME: Final = "live.m3u8"
REPLAY_NAME: Final = "index.m3u8"
MAP_NAME: Final = "init.mp4"
SHARED: Final = "shared"
"""The folder of what anybody may hear: one cache answers all who ask below it."""

Revisions = Mapping[int, int]
"""How many parts of a segment (by number) were taken out since they were recorded; 0 where it isn't named."""

NO_REVISIONS: Final[Revisions] = {}
REDACTION_CLASS: Final = "org.folkmoot.redaction"

_PEAK_BITS_PER_SECOND = {Codec.AAC: 96_000, Codec.OPUS: 64_000}  # with boxes and notes
_NAME = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,4}))?(?:\.r([0-9]{1,6}))?\.m4s")


class MediaName(msgspec.Struct, frozen=True):
    """The address of a segment, or of one of its parts.

    A revision makes it another address, so that no cache goes on serving what was replaced. Whoever asks for any
    of them gets the bytes as they are now.
    """

    segment: int
    part: int | None = None
    revision: int = 0

    def __str__(self) -> str:
        part = "" if self.part is None else f".{self.part}"
        revision = f".r{self.revision}" if self.revision else ""
        return f"{self.segment}{part}{revision}.m4s"

    @classmethod
    def parse(cls, text: str) -> MediaName | None:
        """None for what str() doesn't make."""
        match = _NAME.fullmatch(text)
        if match is None:
            return None
        segment, part, revision = (None if group is None else int(group) for group in match.groups())
        assert segment is not None
        name = cls(segment, part, revision or 0)
        return name if str(name) == text else None


def multivariant_playlist(codec: Codec, *, is_live: bool, is_shared: bool) -> str:
    """The playlist that players begin with: of one codec, for Chromium's own HLS breaks off when it may choose."""
    folder = f"{SHARED}/{codec}" if is_shared else codec
    return "\n".join(
        [
            "#EXTM3U",
            "#EXT-X-VERSION:7",
            "#EXT-X-INDEPENDENT-SEGMENTS",
            f'#EXT-X-STREAM-INF:BANDWIDTH={_PEAK_BITS_PER_SECOND[codec]},CODECS="{codec.mime_parameter}"',
            f"{folder}/{LIVE_NAME if is_live else REPLAY_NAME}",
            "",
        ]
    )


def replay_playlist(
    segments: Sequence[SegmentRef], *, timeline_unix_ms: int, redactions: Sequence[Redaction] = ()
) -> str:
    """All segments of a recording. `timeline_unix_ms` is the Unix time of timeline 0."""
    first = segments[0].number if segments else 0
    lines = [*_head(7, first), "#EXT-X-PLAYLIST-TYPE:VOD", _map()]
    if segments:
        bounds = segments[0].start_samples, segments[-1].end_samples
        lines += _date_ranges(redactions, timeline_unix_ms, *bounds)
        lines.append(_date_time(timeline_unix_ms, segments[0].start_samples))
    for segment in segments:
        lines += _segment(segment, segment.revision)
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def live_playlist(
    window: HlsWindow,
    *,
    timeline_unix_ms: int,
    skip: bool = False,
    revisions: Revisions = NO_REVISIONS,
    redactions: Sequence[Redaction] = (),
) -> str:
    """The window as it is now; with `skip` a delta update (6.2.5.1), if anything is old enough to be skipped.

    No rendition reports: the multivariant playlist names no other rendition.
    """
    segments = list(window.segments)
    first = segments[0].ref.number if segments else window.next_part.segment
    lines = [*_head(LIVE_VERSION, first), *_low_latency(window.codec)]
    skipped = _skippable(segments, window.end_samples) if skip and not window.ended else 0
    lines.append(f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}" if skipped else _map())
    if segments:
        start_samples = segments[0].ref.start_samples
        lines += _date_ranges(redactions, timeline_unix_ms, start_samples, window.end_samples)
    for segment in segments[skipped:]:
        revision = revisions.get(segment.ref.number, 0)
        lines.append(_date_time(timeline_unix_ms, segment.ref.start_samples))
        if segment.ref.start_samples >= window.end_samples - PARTS_KEPT_SAMPLES:
            lines += [_part(part, revision) for part in segment.parts]
        lines += _segment(segment.ref, revision)
    if window.ended:
        return "\n".join([*lines, "#EXT-X-ENDLIST", ""])
    hinted = window.next_part
    revision = revisions.get(hinted.segment, 0)
    if window.open_parts:
        lines.append(_date_time(timeline_unix_ms, window.open_parts[0].ref.start_samples))
        lines += [_part(part, revision) for part in window.open_parts]
    hint = MediaName(hinted.segment, hinted.index, revision)
    lines.append(f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{hint}"')
    return "\n".join([*lines, ""])


def _head(version: int, first: int) -> list[str]:
    return [
        "#EXTM3U",
        f"#EXT-X-VERSION:{version}",
        f"#EXT-X-TARGETDURATION:{TARGET_DURATION_S}",
        f"#EXT-X-MEDIA-SEQUENCE:{first}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]


def _low_latency(codec: Codec) -> list[str]:
    target = part_target_samples(codec)
    return [
        f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL={SKIP_UNTIL_S}.0,HOLD-BACK={HOLD_BACK_S}.0,"
        f"PART-HOLD-BACK={seconds(PART_HOLD_BACK_PARTS * target)}",
        f"#EXT-X-PART-INF:PART-TARGET={seconds(target)}",
    ]


def _map() -> str:
    return f'#EXT-X-MAP:URI="{MAP_NAME}"'


def _skippable(segments: Sequence[LiveSegment], end_samples: int) -> int:
    """How many of the first are further from the end than the skip boundary."""
    boundary = end_samples - SKIP_UNTIL_S * SAMPLE_RATE
    return sum(segment.ref.end_samples < boundary for segment in segments)


def _segment(ref: SegmentRef, revision: int) -> list[str]:
    return [f"#EXTINF:{seconds(ref.duration_samples)},", str(MediaName(ref.number, None, revision))]


def _part(part: PartialSegment, revision: int) -> str:
    name = MediaName(part.ref.number, part.index, revision)
    return f'#EXT-X-PART:DURATION={seconds(part.ref.duration_samples)},URI="{name}",INDEPENDENT=YES'


def _date_ranges(
    redactions: Sequence[Redaction], timeline_unix_ms: int, start_samples: int, end_samples: int
) -> list[str]:
    """What was taken out of the listed sound, as timed metadata (4.4.5.1): `X-REASON` says why, `X-BY` as what
    somebody decided."""
    return [
        f'#EXT-X-DATERANGE:ID="redaction-{one.id}",CLASS="{REDACTION_CLASS}",'
        f'START-DATE="{_iso(timeline_unix_ms + one.from_ms)}",DURATION={(one.to_ms - one.from_ms) / 1000:.3f},'
        f'X-REASON="{one.reason}",X-BY="{one.by}"'
        for one in redactions
        if one.from_ms * SAMPLES_PER_MS < end_samples and start_samples < one.to_ms * SAMPLES_PER_MS
    ]


def _date_time(timeline_unix_ms: int, at_samples: int) -> str:
    return f"#EXT-X-PROGRAM-DATE-TIME:{_iso(timeline_unix_ms + at_samples // SAMPLES_PER_MS)}"


def _iso(unix_ms: int) -> str:
    at = datetime.fromtimestamp(unix_ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
