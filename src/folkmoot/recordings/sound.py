"""What can be heard of a Space's tape, by whoever may see the Space: pure decisions and file reads for a thread."""

import time
from functools import lru_cache
from pathlib import Path

import msgspec
import numpy as np

from folkmoot.gate import Refused
from folkmoot.recordings.model import Recording
from folkmoot.spaces.model import Space, SpaceState
from folkmoot.tape import hls, layout, redactions
from folkmoot.tape.hls import MediaName
from folkmoot.tape.hls_window import HlsWindow, Place
from folkmoot.tape.model import SAMPLES_PER_MS, Codec, TapeError, TapeMissing
from folkmoot.tape.reader import SEGMENT_MS, TapeReader

LIVE_PLAYLIST_MS = 600_000
"""How far back a live playlist reaches."""
UNRECORDED_PLAYLIST_MS = 28_000
"""The same where nothing is recorded: what leaves the playlist stays there for as long again (8216bis, 6.2.2)."""
UNRECORDED_BACK_MS = 60_000
"""How far back one can step in a Space that is not recorded."""
RANGE_MS_MAX = 60_000
PEAKS_MAX = 10_000
_STEP_MS = 100
_SETTLED_NS = (
    2_000_000_000  # a file that was changed just now may be changed again at the same time, as clocks tick
)


class Sound(msgspec.Struct, frozen=True):
    """The part `[from_ms, to_ms)` of a tape that is open; a live one has no end yet, and `back_ms` at most.

    `is_public`: anybody may hear it, with an account or without.
    """

    directory: Path
    is_live: bool
    is_public: bool
    from_ms: int = 0
    to_ms: int | None = None
    back_ms: int | None = None

    def bounds(self, reader: TapeReader) -> tuple[int, int]:
        """The open part as it is now."""
        end_ms = reader.end_ms if self.to_ms is None else min(self.to_ms, reader.end_ms)
        return max(self.from_ms, end_ms - self.back_ms if self.back_ms is not None else 0), end_ms

    def ends_early(self, reader: TapeReader) -> bool:
        """Whether it was trimmed at its end: there is sound after it that nobody is to hear."""
        return self.to_ms is not None and self.to_ms < reader.end_ms

    def playlist_from_ms(self, reader: TapeReader) -> int:
        """Where the live playlist begins, also when it is the last one of a Space that has ended."""
        from_ms, end_ms = self.bounds(reader)
        return max(from_ms, end_ms - (LIVE_PLAYLIST_MS if self.back_ms is None else UNRECORDED_PLAYLIST_MS))


def audible(
    space: Space, recording: Recording | None, directory: Path, *, is_closed: bool, is_public: bool
) -> Sound:
    """What can be heard of a Space now. `is_closed`: its tape is finished, kept or not.

    Raises Refused: 409 not live, 410 nothing was kept, 503 in a moment.
    """
    if space.state is SpaceState.LIVE:
        back_ms = None if space.recorded else UNRECORDED_BACK_MS
        return Sound(directory, is_live=True, is_public=is_public, back_ms=back_ms)
    if space.state is not SpaceState.ENDED:
        raise Refused("not_live", "This Space is not live.", status=409)
    if recording is not None:
        return Sound(
            directory,
            is_live=False,
            is_public=is_public,
            from_ms=recording.replay_start_ms,
            to_ms=recording.replay_end_ms,
        )
    if not space.recorded or is_closed:
        raise Refused("no_recording", "There is no recording of this Space.", status=410)
    raise Refused("not_closed", "The recording is being closed. Try again in a moment.", status=503)


def codec_of(name: str) -> Codec:
    """Raises Refused 404."""
    try:
        return Codec(name)
    except ValueError as error:
        raise Refused("unknown_codec", "This server keeps opus and aac.", status=404) from error


def require_range(from_ms: int, to_ms: int) -> None:
    """Raises Refused 422 for a range that is empty or longer than a minute."""
    if from_ms < 0 or to_ms <= from_ms:
        raise Refused("range_invalid", "A range ends after it starts, and starts at 0 or later.", status=422)
    if to_ms - from_ms > RANGE_MS_MAX:
        raise Refused("range_too_long", f"Ask for at most {RANGE_MS_MAX // 1000} seconds at once.", status=422)


def replay_playlist(sound: Sound, codec: Codec) -> str | None:
    """The media playlist of one codec of a replay; None if it would be empty.

    That of twelve hours takes 100 ms to make, so the last few are kept until something of the tape is changed.
    """
    try:
        changed_ns = layout.index_path(sound.directory, codec).stat().st_mtime_ns
    except FileNotFoundError as error:
        raise TapeMissing("there is no recording here") from error
    make = _replay_playlist if time.time_ns() - changed_ns > _SETTLED_NS else _replay_playlist.__wrapped__
    return make(sound, codec, changed_ns)


@lru_cache(maxsize=32)
def _replay_playlist(sound: Sound, codec: Codec, changed_ns: int) -> str | None:
    del changed_ns
    with TapeReader(sound.directory) as reader:
        segments = reader.segments(codec, *sound.bounds(reader))
        if not segments:
            return None
        taken_out = redactions.decisions(sound.directory)
        return hls.replay_playlist(segments, timeline_unix_ms=reader.timeline_unix_ms, redactions=taken_out)


class Media(msgspec.Struct, frozen=True):
    """What an address of a playlist stands for. `revision`: which one its bytes are of at least."""

    content: bytes
    revision: int


def media(sound: Sound, codec: Codec, name: MediaName) -> Media | None:
    """What an address stands for, from the tape's files; None if there is no such thing."""
    if name.part is None:
        return _segment(sound, codec, name.segment)
    return _partial_segment(sound, codec, Place(name.segment, name.part))


def _segment(sound: Sound, codec: Codec, number: int) -> Media | None:
    """One segment of the playlist, or of what it held a moment ago; None if there is none of this number."""
    with TapeReader(sound.directory) as reader:
        from_ms, to_ms = sound.bounds(reader)
        found = reader.segment(codec, number, *((0, None) if sound.is_live else (from_ms, to_ms)))
        if found is None or found.end_samples // SAMPLES_PER_MS <= from_ms:
            return None
        return Media(reader.read([found]), found.revision)


def _partial_segment(sound: Sound, codec: Codec, place: Place) -> Media | None:
    """A partial segment by its number, also long after it left the playlist; None if there is none."""
    with TapeReader(sound.directory) as reader:
        from_ms, to_ms = sound.bounds(reader)
        window, start_ms = HlsWindow(codec), place.segment * SEGMENT_MS
        past_ms = start_ms + 2 * SEGMENT_MS
        refs = reader.parts(codec, start_ms, min(past_ms, to_ms) if sound.ends_early(reader) else past_ms)
        window.append(ref for ref in refs if ref.segment == place.segment)
        if reader.ended:
            window.end()
        found = window.find(place)
        if found is None or found.ref.start_samples // SAMPLES_PER_MS < from_ms:
            return None
        # Before the bytes: of what is taken out in between they are newer than it says, never older.
        revision = reader.revisions(codec, place.segment, place.segment + 1).get(place.segment, 0)
        return Media(reader.read([found.ref]), revision)


def behind_ms(directory: Path, now_ms: int) -> int | None:
    """How far the newest sound of a tape is behind the clock; None where there is none."""
    try:
        with TapeReader(directory) as reader:
            return now_ms - reader.timeline_unix_ms - reader.end_ms
    except TapeError:
        return None


def init(sound: Sound, codec: Codec) -> bytes:
    with TapeReader(sound.directory) as reader:
        return reader.init(codec)


class Stretch(msgspec.Struct, frozen=True):
    """Whole parts, and what they cover."""

    content: bytes
    start_ms: int
    end_ms: int


def stretch(sound: Sound, codec: Codec, from_ms: int, to_ms: int) -> Stretch | None:
    """The parts that overlap a range, as far as it is open; None where nothing is."""
    with TapeReader(sound.directory) as reader:
        open_from_ms, open_to_ms = sound.bounds(reader)
        refs = reader.parts(codec, max(from_ms, open_from_ms), min(to_ms, open_to_ms))
        if not refs:
            return None
        return Stretch(reader.read(refs), refs[0].start_ms, refs[-1].end_ms)


class Peaks(msgspec.Struct, frozen=True):
    """The loudest sample (0–255) of each `step_ms` from `start_ms` on."""

    step_ms: int
    start_ms: int
    peaks: list[int]


def peaks(sound: Sound, points: int) -> Peaks:
    """The waveform of what is open, in at most `points` equal steps."""
    with TapeReader(sound.directory) as reader:
        from_ms, to_ms = sound.bounds(reader)
        loudest = reader.peaks(from_ms, to_ms)
    each = max(1, -(-len(loudest) // max(1, min(points, PEAKS_MAX))))
    steps = np.maximum.reduceat(loudest, np.arange(0, len(loudest), each)) if len(loudest) else loudest
    return Peaks(each * _STEP_MS, from_ms, [int(peak) for peak in steps])
