"""What can be heard of a Space's tape, by whoever may see the Space: pure decisions and file reads for a thread."""

from pathlib import Path

import msgspec
import numpy as np

from folkmoot.gate import Reach, Refused
from folkmoot.recordings.model import Recording
from folkmoot.spaces.model import Space, SpaceState
from folkmoot.tape import hls
from folkmoot.tape.model import SAMPLES_PER_MS, Codec
from folkmoot.tape.reader import TapeReader

LIVE_PLAYLIST_MS = 600_000
"""How far back a live playlist reaches: a player loads it every four seconds."""
UNRECORDED_BACK_MS = 60_000
"""How far back one can step in a Space that is not recorded."""
RANGE_MS_MAX = 60_000
PEAKS_MAX = 10_000
_STEP_MS = 100


class Sound(msgspec.Struct, frozen=True):
    """The part `[from_ms, to_ms)` of a tape that is open; a live one has no end yet, and `back_ms` at most."""

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


def audible(space: Space, recording: Recording | None, directory: Path, *, is_closed: bool) -> Sound:
    """What can be heard of a Space now. `is_closed`: its tape is finished, kept or not.

    Raises Refused: 409 not live, 410 nothing was kept, 503 in a moment.
    """
    is_public = space.gate_facts().reach is Reach.PUBLIC
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
            to_ms=recording.duration_ms,
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


def playlist(sound: Sound, codec: Codec) -> str | None:
    """The media playlist of one codec; None while it would be empty."""
    with TapeReader(sound.directory) as reader:
        from_ms, to_ms = sound.bounds(reader)
        if sound.is_live:
            from_ms = max(from_ms, to_ms - LIVE_PLAYLIST_MS)
        segments = reader.segments(codec, from_ms, None if sound.is_live else to_ms)
        if sound.is_live and from_ms > 0:
            # A window that slides by whole segments: the first would lose a part at each look.
            segments = segments[1:]
        if not segments:
            return None
        kind = hls.Kind.LIVE if sound.is_live else hls.Kind.VOD
        return hls.media_playlist(segments, timeline_unix_ms=reader.timeline_unix_ms, kind=kind)


def segment(sound: Sound, codec: Codec, number: int) -> bytes | None:
    """One segment of the playlist, or of what it held a moment ago; None if there is none of this number."""
    with TapeReader(sound.directory) as reader:
        from_ms, _ = sound.bounds(reader)
        found = reader.segment(codec, number, 0 if sound.is_live else from_ms)
        if found is None or found.end_samples // SAMPLES_PER_MS <= from_ms:
            return None
        return reader.read([found])


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
