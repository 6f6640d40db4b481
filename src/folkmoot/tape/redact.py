"""Taking ranges out of a tape: their bytes are replaced by coded silence of the same length, in place.

Nothing moves: every offset and length stays, frames stay as many, and each part as long; only the sizes of single
frames within a part become equal, for they tell of what was said. What says who spoke (the note) stays: that
somebody spoke is why the mark stands there. The journal is written first (redactions.py), so after a `kill -9` at
any point the same call, or the next opening of the tape, finishes the work. A stage may append meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from folkmoot.tape import archive, boxes, index, layout, redactions
from folkmoot.tape.leaf import LeafData, frames_sha256, leaf_data
from folkmoot.tape.model import SAMPLES_PER_MS, Codec, PartRef, TapeDamaged, TapeMissing
from folkmoot.tape.redactions import Line, RedactedPart, Redaction
from folkmoot.tape.silence import silences
from folkmoot.tape.track_reader import TrackReader

# A frame holds a little of the sound beside its own place, so the neighbours go too. AAC: each frame overlaps the
# next (ISO/IEC 14496-3, 4.6.11). Opus: the sound is 312 samples late, overlaps by 120, and the frame behind it may
# be written as a difference to what was just heard (RFC 6716, 4.2.7.6, 4.3.7.1).
_BEFORE_MS = {Codec.OPUS: 0, Codec.AAC: 22}
_AFTER_MS = {Codec.OPUS: 40, Codec.AAC: 0}
_PARTS_PER_LINE = 600
_PARTS_AT_ONCE = 6_000
"""So many are journaled with one fsync, and held (10 MB) until they are rewritten."""


def redact(directory: Path, *decisions: Redaction) -> int:
    """Take ranges out, as far as there is sound yet; return until when (ms) nothing of them is left to be heard.

    What is silent already stays so; doing it again changes nothing, but what came back loud (from the object store,
    say) is silenced again. Takes some 60 µs a part: for a thread. Raises TapeMissing, TapeAway, TapeDamaged,
    TapeFull, TapeWriteError.
    """
    with redactions.locked(_existing(directory)) as journal, _opened(directory) as tracks:
        known = redactions.cut_tail(journal)
        _finish(tracks, known)
        for track in tracks:
            track.sync()  # what the journal names is on the disk, also after the power failed
            _take_out(journal, track, decisions, known[track.codec])
            track.sync()
            track.mark_dirty()
        to_ms = max(one.to_ms for one in decisions)
        return min(to_ms, *(track.silent_until_ms(to_ms) for track in tracks))


def reaches(directory: Path, to_ms: int) -> bool:
    """Whether there is sound enough for a range that ends there to be out when it is redacted: a live tape has to
    have gone on a little. Raises TapeMissing, TapeDamaged."""
    with _opened(directory) as tracks:
        return all(track.silent_until_ms(to_ms) >= to_ms for track in tracks)


@contextlib.contextmanager
def settled(directory: Path) -> Iterator[None]:
    """What the journal says is done, and nobody takes anything out meanwhile: for who recovers a tape."""
    with redactions.locked(directory) as journal:
        known = redactions.cut_tail(journal)
        if any(known.values()):
            with _opened(directory) as tracks:
                _finish(tracks, known)
        yield


def _take_out(journal: int, track: _Track, decisions: Iterable[Redaction], known: set[int]) -> None:
    """`known` are the numbers in the journal, and grow with it."""
    lines: list[Line] = []
    silent: list[tuple[PartRef, bytes]] = []
    seen: set[int] = set()
    for decision in decisions:
        for refs in track.around(decision.from_ms, decision.to_ms):
            track.make_local(refs)
            parts: list[RedactedPart] = []
            for ref, chunk in track.loud(ref for ref in refs if ref.number not in seen):
                data, now_frames_sha256 = _silent(ref, chunk)
                silent.append((ref, data))
                if ref.number not in known:
                    parts.append(RedactedPart(track.codec, ref.number, _leaf(ref, chunk), now_frames_sha256))
                    known.add(ref.number)
            seen.update(ref.number for ref in refs)
            if parts:
                lines.append(Line(decision, tuple(parts)))
            if len(silent) >= _PARTS_AT_ONCE:
                _commit(journal, track, lines, silent)
                lines, silent = [], []
    _commit(journal, track, lines, silent)


def _commit(journal: int, track: _Track, lines: Sequence[Line], silent: Iterable[tuple[PartRef, bytes]]) -> None:
    if lines:
        redactions.append(journal, lines)
    track.rewrite(silent)


def _finish(tracks: Iterable[_Track], known: Mapping[Codec, Collection[int]]) -> None:
    """Rewrites what the journal names and a crash left as it was."""
    for track in tracks:
        for ref in track.unfinished(known[track.codec]):
            track.make_local([ref])
            track.rewrite([(ref, _silent(ref, track.chunk(ref))[0])])
            track.mark_dirty()


class _Track:
    """One codec's files, open for rewriting."""

    def __init__(self, directory: Path, reader: TrackReader) -> None:
        self.codec = reader.config.codec
        self._directory = directory
        self._reader = reader
        self._touched: set[int] = set()
        self._sound = os.open(layout.sound_path(directory, self.codec), os.O_RDWR | os.O_CLOEXEC)
        self._index = os.open(layout.index_path(directory, self.codec), os.O_RDWR | os.O_CLOEXEC)

    def close(self) -> None:
        os.close(self._sound)
        os.close(self._index)
        self._reader.close()

    def around(self, from_ms: int, to_ms: int) -> Iterator[list[PartRef]]:
        """The parts that hold anything of a range, a minute at a time."""
        start_ms = max(0, from_ms - _BEFORE_MS[self.codec])
        first, past_last = self._reader.overlapping(start_ms, to_ms + _AFTER_MS[self.codec])
        for start in range(first, past_last, _PARTS_PER_LINE):
            yield self._reader.refs(start, min(start + _PARTS_PER_LINE, past_last))

    def silent_until_ms(self, to_ms: int) -> int:
        """Up to where a range that ends at `to_ms` is out: behind the end of a live tape comes what overlaps it."""
        if self._reader.ended:
            return to_ms
        return max(0, self._reader.end_samples // SAMPLES_PER_MS - _AFTER_MS[self.codec])

    def make_local(self, refs: Sequence[PartRef]) -> None:
        """Have the sound of neighbouring parts here, to be changed; the store's copy counts as old from here on."""
        self._touched.update(ref.segment for ref in refs)
        archive.make_local(self._directory, self.codec, refs[0].offset, sum(ref.length for ref in refs))

    def mark_dirty(self) -> None:
        """Everything that was touched is to be copied to the store as it is now."""
        for segment in sorted(self._touched):
            archive.mark_dirty(self._directory, self.codec, segment)
        self._touched.clear()

    def chunk(self, ref: PartRef) -> bytes:
        return self._reader.read(ref.offset, ref.length)

    def loud(self, refs: Iterable[PartRef]) -> Iterator[tuple[PartRef, bytes]]:
        """The parts, with their bytes, that are not the silence which was put there."""
        for ref in refs:
            chunk = self.chunk(ref)
            if not ref.redacted or zlib.crc32(chunk) != ref.checksum:
                yield ref, chunk

    def rewrite(self, silent: Iterable[tuple[PartRef, bytes]]) -> None:
        """Puts silence where the parts were, and then what the index says of each. Raises TapeWriteError."""
        for ref, data in silent:
            record = index.record(replace(ref, checksum=zlib.crc32(data), peak=0, redacted=True))
            try:
                layout.write_all(self._sound, data, ref.offset)
                layout.write_all(self._index, record, index.record_offset(ref.number))
            except OSError as error:
                raise layout.write_error(error) from error

    def unfinished(self, numbers: Collection[int]) -> list[PartRef]:
        """Those of the parts that were not rewritten yet."""
        if not numbers:
            return []
        first, past_last = min(numbers), min(max(numbers) + 1, self._reader.count)
        blocks = self._reader.blocks(first, past_last)
        counts = [np.diff(index.redacted_counts(block), prepend=0) for block in blocks]
        rewritten = np.concatenate(counts) if counts else ()
        waiting = (number for number in sorted(numbers) if number < past_last and not rewritten[number - first])
        return [ref for number in waiting for ref in self._reader.refs(number, number + 1)]

    def sync(self) -> None:
        """Waits until everything is on the disk."""
        try:
            os.fsync(self._sound)
            os.fsync(self._index)
        except OSError as error:
            raise layout.write_error(error) from error


def _leaf(ref: PartRef, chunk: bytes) -> LeafData | None:
    """None of a part that is damaged."""
    with contextlib.suppress(TapeDamaged):
        return leaf_data(ref, chunk)
    return None


def _silent(ref: PartRef, chunk: bytes) -> tuple[bytes, bytes]:
    """A part's chunk with silence in it, and the hash of its frames. The same also for one that is half rewritten:
    it follows from the record and the event in front, which never changes."""
    count = ref.duration_samples // ref.codec.frame_samples
    frames = silences(ref.codec, count, ref.length - ref.header_bytes)
    sizes = [len(frame) for frame in frames]
    event_bytes = ref.header_bytes - len(boxes.chunk_header(0, 0, 0, sizes))
    event = chunk[:event_bytes]
    head = boxes.chunk_header(ref.number + 1, ref.start_samples, ref.codec.frame_samples, sizes, event)
    coded = b"".join(frames)
    size_bytes = b"".join(size.to_bytes(4, "big") for size in sizes)
    return head + coded, frames_sha256(size_bytes, coded)


@contextlib.contextmanager
def _opened(directory: Path) -> Iterator[list[_Track]]:
    """Every track, as it is now. Raises TapeMissing, TapeDamaged."""
    header = layout.read_header(directory)
    if header is None:
        raise TapeMissing("there is no recording here")
    with contextlib.ExitStack() as stack:
        tracks: list[_Track] = []
        for config in header.codecs:
            try:
                reader = TrackReader(directory, config)
                track = _Track(directory, reader)
            except OSError as error:
                raise TapeMissing("there is no recording here") from error
            stack.callback(track.close)
            reader.refresh()
            tracks.append(track)
        yield tracks


def _existing(directory: Path) -> Path:
    if layout.read_header(directory) is None:
        raise TapeMissing("there is no recording here")
    return directory
