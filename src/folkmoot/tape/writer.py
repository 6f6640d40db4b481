"""Writing a tape: append a step, and it survives `kill -9`. One process writes a tape, any number read it.

A step costs two writes for each codec. Nothing is ever moved, and nothing rewritten save one byte that marks the
end, and what is taken out (redact.py).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from folkmoot.tape import layout, redact
from folkmoot.tape.model import (
    CODEC_CONFIGS,
    SAMPLE_RATE,
    SAMPLES_PER_MS,
    STEP_SAMPLES,
    Codec,
    Note,
    Part,
    TapeBusy,
    TapeDamaged,
    TapeEnded,
    TapeFull,
    TapeHeader,
)
from folkmoot.tape.track_writer import TrackWriter


class TapeWriter:
    """The only writer of a tape; belongs to one thread at a time. Made by open()."""

    def __init__(self, lock: int, tracks: dict[Codec, TrackWriter], start_samples: int) -> None:
        self._lock = lock
        self._tracks = tracks
        self._start_samples = start_samples

    @classmethod
    def open(cls, directory: Path, clock_ms: Callable[[], int]) -> TapeWriter:
        """Creates a tape, or goes on with one whose writer died. `clock_ms` is Unix time.

        A new tape's timeline 0 is now. In an old one the time since its end is filled with silence marked as a
        gap (on a full disk, by the first append that finds room), so that the timeline keeps step with the clock.
        Raises TapeEnded, TapeBusy, TapeDamaged and TapeWriteError.
        """
        lock = _locked(directory)
        tracks: dict[Codec, TrackWriter] = {}
        try:
            writer = cls(lock, tracks, 0)
            writer._recover(directory, clock_ms())
        except BaseException:
            _release(lock, tracks)
            raise
        return writer

    @property
    def next_samples(self) -> int:
        """Where on the timeline the next step starts: StepEncoder has to know."""
        return max(self._start_samples, _next_step(self._tracks[Codec.OPUS].end_samples))

    def append(self, parts: Sequence[Part], note: Note) -> None:
        """Writes one step, as StepEncoder gives it; once this returns it survives `kill -9`.

        A hole before it (steps that found no room) is filled with silence, and frames that are there already
        are left out. Raises TapeFull or TapeWriteError: every codec then ends with its last whole part, and a
        later append may succeed.
        """
        for part in parts:
            track = self._tracks[part.codec]
            if part.start_samples > track.end_samples:
                track.fill(part.start_samples, _gap_note(track))
            skipped = (track.end_samples - part.start_samples) // part.codec.frame_samples
            missing = _without_first(part, skipped)
            if missing.frames:
                track.append([missing], note)

    def close(self) -> None:
        """Marks the tape as ended, which needs no room on the disk. Raises TapeWriteError if even that fails."""
        try:
            for track in self._tracks.values():
                track.mark_end()
        finally:
            self.release()

    def release(self) -> None:
        """Lets go of the files without ending the tape: another process may go on with it."""
        _release(self._lock, self._tracks)

    def _recover(self, directory: Path, now_ms: int) -> None:
        known = layout.read_header(directory)
        header = known or TapeHeader(layout.VERSION, now_ms, SAMPLE_RATE, tuple(CODEC_CONFIGS.values()))
        for config in header.codecs:
            self._tracks[config.codec] = TrackWriter(directory, config)
        with redact.settled(directory):
            if any(track.recover() for track in self._tracks.values()):
                raise TapeEnded("this recording has ended")
        if known is None:
            if any(track.end_samples for track in self._tracks.values()):
                raise TapeDamaged("there is sound here, but no tape.json that says when it was")
            layout.write_header(directory, header)
        now_samples = (now_ms - header.timeline_unix_ms) * SAMPLES_PER_MS
        self._start_samples = now_samples - now_samples % STEP_SAMPLES
        with contextlib.suppress(TapeFull):
            for track in self._tracks.values():
                track.fill(self.next_samples, _gap_note(track))


def _locked(directory: Path) -> int:
    """A lock that its holder's death opens."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise layout.write_error(error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise TapeBusy("another process is writing this recording") from error
    return lock


def _release(lock: int, tracks: dict[Codec, TrackWriter]) -> None:
    for track in tracks.values():
        track.close()
    os.close(lock)


def _next_step(samples: int) -> int:
    return samples + -samples % STEP_SAMPLES


def _gap_note(track: TrackWriter) -> Note:
    return msgspec.structs.replace(track.last_note, speaking=(), gap=True)


def _without_first(part: Part, count: int) -> Part:
    if count == 0:
        return part
    skipped_samples = count * part.codec.frame_samples
    return Part(part.codec, part.start_samples + skipped_samples, part.frames[count:], part.peak)
