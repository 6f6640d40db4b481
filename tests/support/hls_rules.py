"""What draft-pantos-hls-rfc8216bis asks of a server's media playlists, as checks that name its sections.

`read` parses one playlist and raises Violation for what no player may parse. `check` looks at one playlist alone,
`Reloads` at one address over time, `applied` makes the whole of a delta update and what came before it.
"""

import re
from datetime import datetime

import msgspec

VERSION_MAX = 12
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s][^",]*)(?:,|$)')
_SEGMENT_TAGS = ("EXTINF", "EXT-X-PROGRAM-DATE-TIME", "EXT-X-PART", "EXT-X-GAP", "EXT-X-DISCONTINUITY", "EXT-X-MAP")
_ONCE = (
    "EXT-X-VERSION",
    "EXT-X-TARGETDURATION",
    "EXT-X-MEDIA-SEQUENCE",
    "EXT-X-PART-INF",
    "EXT-X-SERVER-CONTROL",
    "EXT-X-SKIP",
    "EXT-X-ENDLIST",
    "EXT-X-PLAYLIST-TYPE",
)
_ROUNDING_S = 0.00002


class Violation(AssertionError):
    """The playlist breaks a MUST; the message says which."""


class Part(msgspec.Struct, frozen=True):
    uri: str
    duration_s: float
    independent: bool


class Segment(msgspec.Struct, frozen=True):
    """`uri` is None for the parts at the end whose segment is not complete; `duration_s` is then 0."""

    uri: str | None
    duration_s: float
    parts: tuple[Part, ...] = ()
    date_time: datetime | None = None
    map_uri: str | None = None


class Playlist(msgspec.Struct, frozen=True):
    """One media playlist. `segments` are complete and rising from `first`, behind the `skipped` ones."""

    version: int
    target_s: int
    first: int
    segments: tuple[Segment, ...]
    open_parts: tuple[Part, ...]
    skipped: int
    part_target_s: float | None
    control: dict[str, str]
    hint: str | None
    reports: tuple[dict[str, str], ...]
    kind: str | None
    ended: bool

    @property
    def numbered(self) -> dict[int, Segment]:
        return {self.first + self.skipped + at: segment for at, segment in enumerate(self.segments)}

    @property
    def next_segment(self) -> int:
        return self.first + self.skipped + len(self.segments)

    @property
    def duration_s(self) -> float:
        return sum(segment.duration_s for segment in self.segments) + sum(
            part.duration_s for part in self.open_parts
        )

    @property
    def last_part(self) -> tuple[int, int] | None:
        """(segment, index) of the newest part that is listed."""
        if self.open_parts:
            return self.next_segment, len(self.open_parts) - 1
        if self.segments and self.segments[-1].parts:
            return self.next_segment - 1, len(self.segments[-1].parts) - 1
        return None


def must(holds: object, rule: str) -> None:
    if not holds:
        raise Violation(rule)


def attributes(text: str) -> dict[str, str]:
    """An attribute list (4.2); quotes are taken off."""
    found = {match[1]: match[2].strip('"') for match in _ATTRIBUTE.finditer(text)}
    whole = "".join(match[0] for match in _ATTRIBUTE.finditer(text))
    must(whole == text, f"4.2: not an attribute list: {text}")
    must(len(found) == len(_ATTRIBUTE.findall(text)), f"4.2: an attribute appears twice: {text}")
    return found


class _Reader:
    """Line by line."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.segments: list[Segment] = []
        self.reports: list[dict[str, str]] = []
        self.parts: list[Part] = []
        self.duration_s: float | None = None
        self.date_time: datetime | None = None
        self.map_uri: str | None = None
        self.hint: str | None = None
        self.date_ranges: set[str] = set()

    def tag(self, name: str, value: str) -> None:
        if name in _ONCE:
            must(name not in self.values, f"4.4: {name} appears twice")
            self.values[name] = value
        if name == "EXTINF":
            self.duration_s = float(value.split(",")[0])
        elif name == "EXT-X-PROGRAM-DATE-TIME":
            must(not self.parts, "4.4.4.9: PROGRAM-DATE-TIME comes before its segment's first PART")
            self.date_time = datetime.fromisoformat(value)
        elif name == "EXT-X-MAP":
            self.map_uri = attributes(value)["URI"]
        elif name == "EXT-X-PART":
            found = attributes(value)
            part = Part(found["URI"], float(found["DURATION"]), found.get("INDEPENDENT") == "YES")
            self.parts.append(part)
        elif name == "EXT-X-PRELOAD-HINT":
            found = attributes(value)
            must(found["TYPE"] == "PART" and self.hint is None, "6.2.2: one hint of a type")
            self.hint = found["URI"]
        elif name == "EXT-X-DATERANGE":
            found = attributes(value)
            must(found["ID"] not in self.date_ranges, "4.4.5.1: one tag for each ID, or they say the same")
            must(datetime.fromisoformat(found["START-DATE"]).tzinfo, "4.4.5.1: a time with its zone")
            must(float(found.get("DURATION", "0")) >= 0, "4.4.5.1: no duration below 0")
            self.date_ranges.add(found["ID"])
        elif name == "EXT-X-RENDITION-REPORT":
            self.reports.append(attributes(value))
        elif name == "EXT-X-SKIP":
            must(not self.segments, "4.4.5.2: what is skipped comes before the segments that are left")

    def uri(self, line: str) -> None:
        must(self.duration_s is not None, "4.4.4.1: a segment has its EXTINF")
        assert self.duration_s is not None
        segment = Segment(line, self.duration_s, tuple(self.parts), self.date_time, self.map_uri)
        self.segments.append(segment)
        self.parts, self.duration_s, self.date_time = [], None, None


def read(text: str) -> Playlist:
    lines = text.split("\n")
    must(lines[0] == "#EXTM3U", "4.4.1.1: EXTM3U is the first line")
    must(not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ufeff]", text), "4.1: no control characters, no BOM")
    reader = _Reader()
    for line in lines[1:]:
        if line.startswith("#EXT"):
            name, _, value = line[1:].partition(":")
            must("EXT-X-ENDLIST" not in reader.values or name not in _SEGMENT_TAGS, "6.2.1: nothing after the end")
            reader.tag(name, value)
        elif line and not line.startswith("#"):
            reader.uri(line)
    must(reader.duration_s is None, "4.4.4.1: an EXTINF has its URI")
    values = reader.values
    must("EXT-X-TARGETDURATION" in values, "4.4.3.1: TARGETDURATION is REQUIRED")
    inf, skip = values.get("EXT-X-PART-INF"), values.get("EXT-X-SKIP")
    return Playlist(
        version=int(values.get("EXT-X-VERSION", "1")),
        target_s=int(values["EXT-X-TARGETDURATION"]),
        first=int(values.get("EXT-X-MEDIA-SEQUENCE", "0")),
        segments=tuple(reader.segments),
        open_parts=tuple(reader.parts),
        skipped=int(attributes(skip)["SKIPPED-SEGMENTS"]) if skip is not None else 0,
        part_target_s=float(attributes(inf)["PART-TARGET"]) if inf is not None else None,
        control=attributes(values.get("EXT-X-SERVER-CONTROL", "")),
        hint=reader.hint,
        reports=tuple(reader.reports),
        kind=values.get("EXT-X-PLAYLIST-TYPE"),
        ended="EXT-X-ENDLIST" in values,
    )


def check(playlist: Playlist) -> None:
    """What one playlist has to be by itself."""
    must(playlist.version <= VERSION_MAX, "7: a version that there is")
    must(playlist.version >= (9 if playlist.skipped else 6), "8: MAP asks for version 6, SKIP for 9")
    for segment in playlist.segments:
        must(round(segment.duration_s) <= playlist.target_s, "4.4.3.1: no EXTINF rounds to more than the target")
        must(segment.map_uri or playlist.skipped, "3.1.2: a segment of fragmented MP4 has its MAP")
    if not playlist.ended:
        whole_s = playlist.duration_s + playlist.skipped * playlist.target_s
        must(
            whole_s >= 3 * playlist.target_s or playlist.first == 0,
            "6.2.2: three targets stay, once there were as many",
        )
    must(not (playlist.ended and playlist.hint), "4.4.5.3: no PRELOAD-HINT beside ENDLIST")
    if playlist.part_target_s is not None:
        _check_low_latency(playlist, playlist.part_target_s)


def _check_low_latency(playlist: Playlist, part_target_s: float) -> None:
    control = playlist.control
    must(float(control["PART-HOLD-BACK"]) >= 2 * part_target_s, "4.4.3.8: PART-HOLD-BACK is at least two parts")
    must(
        float(control["PART-HOLD-BACK"]) >= 3 * part_target_s - _ROUNDING_S,
        "4.4.3.8: and should be three, which this server promises",
    )
    must(float(control.get("HOLD-BACK", "1e9")) >= 3 * playlist.target_s, "4.4.3.8: HOLD-BACK is three targets")
    must(
        float(control.get("CAN-SKIP-UNTIL", "1e9")) >= 6 * playlist.target_s,
        "4.4.3.8: CAN-SKIP-UNTIL is at least six targets",
    )
    must(control.get("CAN-BLOCK-RELOAD") == "YES", "B.1: low latency needs blocking reloads")
    must(playlist.ended or playlist.hint, "B.1: the next part is hinted")
    end_s = playlist.duration_s
    at_s = 0.0
    for segment in playlist.segments:
        if segment.parts:
            _check_parts(segment, part_target_s)
            must(end_s - at_s <= 3 * playlist.target_s + _ROUNDING_S, "6.2.2: parts go after three targets")
        at_s += segment.duration_s
    for at, part in enumerate(playlist.open_parts):
        _check_part(part, part_target_s, is_last=False)
        must(part.uri not in {other.uri for other in playlist.open_parts[:at]}, "each part has its own URI")
    parts = [part for segment in playlist.segments for part in segment.parts] + [*playlist.open_parts]
    must(playlist.hint not in {part.uri for part in parts}, "4.4.5.3: what is there is not hinted")
    kept = [segment for segment, after in zip(playlist.segments, _following_s(playlist), strict=True) if after <= 8]
    must(all(segment.parts for segment in kept), "the newest segments have their parts")


def _following_s(playlist: Playlist) -> list[float]:
    """How much there is from the start of each segment to the end."""
    left_s, following = playlist.duration_s, []
    for segment in playlist.segments:
        following.append(left_s)
        left_s -= segment.duration_s
    return following


def _check_parts(segment: Segment, part_target_s: float) -> None:
    total_s = sum(part.duration_s for part in segment.parts)
    must(
        abs(total_s - segment.duration_s) < _ROUNDING_S * (1 + len(segment.parts)), "4.4.4.9: parts are the segment"
    )
    for part in segment.parts:
        _check_part(part, part_target_s, is_last=part is segment.parts[-1])


def _check_part(part: Part, part_target_s: float, *, is_last: bool) -> None:
    must(part.duration_s <= part_target_s + _ROUNDING_S, "4.4.4.9: no part is longer than PART-TARGET")
    is_long = part.duration_s >= 0.85 * part_target_s - _ROUNDING_S
    must(is_long or part.independent or is_last, "4.4.4.9: a part has 85 % of PART-TARGET")


def applied(before: Playlist, delta: Playlist) -> Playlist:
    """The whole playlist that a client holds after a delta update (6.2.5.1)."""
    if not delta.skipped:
        return delta
    known = before.numbered
    missing = [number for number in range(delta.first, delta.first + delta.skipped) if number not in known]
    must(not missing, "6.2.5.1: what is skipped was in the playlist before")
    carried = known[delta.first + delta.skipped - 1].map_uri
    head = tuple(
        msgspec.structs.replace(known[number], parts=())
        for number in range(delta.first, delta.first + delta.skipped)
    )
    tail = tuple(msgspec.structs.replace(each, map_uri=each.map_uri or carried) for each in delta.segments)
    return msgspec.structs.replace(delta, segments=head + tail, skipped=0)


class Reloads:
    """One playlist's address, loaded again and again: give each full playlist to `see`, in order."""

    def __init__(self) -> None:
        self.last: Playlist | None = None
        self._uris: dict[int, str] = {}
        self._parts: dict[tuple[int, int], Part] = {}
        self._hints: dict[tuple[int, int], str] = {}

    def see(self, playlist: Playlist) -> None:
        check(playlist)
        before = self.last
        self.last = playlist
        if before is not None:
            self._see_after(before, playlist)
        self._see_uris(playlist)

    def _see_after(self, before: Playlist, playlist: Playlist) -> None:
        must(playlist.first >= before.first, "4.4.3.2: the media sequence never goes back")
        must(playlist.target_s == before.target_s, "4.4.3.1: the target duration never changes")
        must(playlist.part_target_s == before.part_target_s, "4.4.3.7: nor does the part target")
        must(playlist.kind == before.kind, "6.2.1: nor the type")
        must(playlist.next_segment >= before.next_segment, "6.2.1: segments are only added at the end")
        must(not before.ended or playlist == before, "6.2.1: after ENDLIST nothing changes")
        for number, segment in playlist.numbered.items():
            known = before.numbered.get(number)
            if known is not None:
                told = (segment.uri, segment.duration_s, segment.date_time, segment.map_uri)
                same = (known.uri, known.duration_s, known.date_time, known.map_uri)
                must(told == same, "6.2.1: what is listed stays as it is")
        removed_s = sum(one.duration_s for number, one in before.numbered.items() if number < playlist.first)
        kept_s = playlist.duration_s
        must(not removed_s or kept_s >= 3 * playlist.target_s, "6.2.2: nothing goes before three targets are there")

    def _see_uris(self, playlist: Playlist) -> None:
        placed = [*playlist.numbered.items(), (playlist.next_segment, Segment(None, 0, playlist.open_parts))]
        for number, segment in placed:
            if segment.uri is not None:
                must(self._uris.setdefault(number, segment.uri) == segment.uri, "6.2.1: a segment keeps its URI")
            for index, part in enumerate(segment.parts):
                known = self._parts.setdefault((number, index), part)
                must(known == part, "6.2.1: a part keeps its URI and duration")
                hinted = self._hints.get((number, index), part.uri)
                must(hinted == part.uri, "4.4.5.3: a hint is the URI of the part that comes")
        if playlist.hint is not None:
            place = (playlist.next_segment, len(playlist.open_parts))
            must(self._hints.setdefault(place, playlist.hint) == playlist.hint, "4.4.5.3: a hint stays what it is")


def check_reports(playlist: Playlist, others: dict[str, Playlist]) -> None:
    """A report of another rendition is true of that rendition as it is then (4.4.5.4). `others` by relative URI."""
    reported = {report["URI"]: (int(report["LAST-MSN"]), int(report["LAST-PART"])) for report in playlist.reports}
    expected = {uri: other.last_part for uri, other in others.items() if other.last_part is not None}
    must(reported == expected, f"4.4.5.4: reports {reported}, there is {expected}")


def check_blocking(playlist: Playlist, segment: int, part: int | None) -> None:
    """The answer to a blocking reload holds what was asked for, or something later (6.2.5.2)."""
    must(playlist.ended or playlist.last_part is not None, "6.2.5.2: an answer has parts")
    if playlist.ended:
        return
    if part is None:
        must(playlist.next_segment > segment, "6.2.5.2: the segment is there")
        return
    whole = playlist.numbered.get(segment)
    if whole is not None and part >= len(whole.parts):
        segment, part = segment + 1, 0
    assert playlist.last_part is not None
    must(playlist.last_part >= (segment, part), "6.2.5.2: the part is there")
