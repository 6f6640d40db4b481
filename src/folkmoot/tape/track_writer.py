"""One codec's two files, as their only writer sees them: the sound and its index."""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from folkmoot.tape import boxes, index, layout
from folkmoot.tape.encode import silent_frame
from folkmoot.tape.model import (
    SAMPLE_RATE,
    SEGMENT_SAMPLES,
    Codec,
    CodecConfig,
    Note,
    Part,
    PartRef,
    TapeDamaged,
)

NOTE_REPEAT_SAMPLES = SAMPLE_RATE  # whoever joins knows within a second who speaks

_SILENT_FRAMES_PER_PART = 5
_SILENT_PARTS_PER_WRITE = 64
_CHECKED_TAIL = 64  # records


class _End(msgspec.Struct, frozen=True):
    """Where the next part goes, and what the last ones said."""

    number: int
    offset: int
    samples: int = 0
    segment: int = -1
    note: Note | None = None
    note_samples: int = -NOTE_REPEAT_SAMPLES


class TrackWriter:
    """Appends parts of one codec. Sound first, then its records: what a record points to is whole.

    Every write names its place, and the end moves only after it succeeded. So a write that failed half-way is
    overwritten by the next one, and nothing acknowledged is touched.
    """

    def __init__(self, directory: Path, config: CodecConfig) -> None:
        self.codec: Codec = config.codec
        self._init_segment = boxes.init_segment(config)
        self._end = _End(0, len(self._init_segment))
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            self._sound = os.open(layout.sound_path(directory, config.codec), flags, layout.FILE_MODE)
            self._index = os.open(layout.index_path(directory, config.codec), flags, layout.FILE_MODE)
        except OSError as error:
            raise layout.write_error(error) from error

    @property
    def end_samples(self) -> int:
        return self._end.samples

    @property
    def last_note(self) -> Note:
        return self._end.note or Note()

    def recover(self) -> bool:
        """Finds the last whole part, cuts what stands behind it, and says whether the tape had ended.

        In a tape that has ended nothing is touched.
        """
        if self._has_ended():
            return True
        last = self._last_good_part()
        if last is not None:
            self._end = _End(
                number=last.number + 1,
                offset=last.offset + last.length,
                samples=last.end_samples,
                segment=last.segment,
                note=self._newest_note(last),
            )
        self._cut_tail()
        return False

    def append(self, parts: Sequence[Part], note: Note, *, gap: bool = False) -> None:
        """Writes parts that follow each other and the end of the track. Raises TapeFull, TapeWriteError."""
        end, sound, records = self._end, [], []
        for part in parts:
            assert part.start_samples == end.samples
            data, ref, end = _coded(part, note, end, gap=gap)
            sound.append(data)
            records.append(index.record(ref))
        try:
            layout.write_all(self._sound, b"".join(sound), self._end.offset)
            layout.write_all(self._index, b"".join(records), index.record_offset(self._end.number))
        except OSError as error:
            self._cut_tail()
            raise layout.write_error(error) from error
        self._end = end

    def fill(self, until_samples: int, note: Note) -> None:
        """Silence from the end of the track to the last whole frame before `until_samples`, marked as a gap."""
        for parts in self._silence(until_samples):
            self.append(parts, note, gap=True)

    def mark_end(self) -> None:
        """Marks the end in place, which needs no room, and waits until everything is on the disk."""
        try:
            os.pwrite(self._index, b"\x01", index.ENDED_OFFSET)
            os.fsync(self._sound)
            os.fsync(self._index)
        except OSError as error:
            raise layout.write_error(error) from error

    def close(self) -> None:
        os.close(self._sound)
        os.close(self._index)

    def _silence(self, until_samples: int) -> Iterator[list[Part]]:
        frame_samples = self.codec.frame_samples
        part_samples = _SILENT_FRAMES_PER_PART * frame_samples
        until_samples -= (until_samples - self.end_samples) % frame_samples
        while self.end_samples < until_samples:  # append(), between two blocks, moves the end
            starts = range(self.end_samples, until_samples, part_samples)[:_SILENT_PARTS_PER_WRITE]
            yield [self._silent_part(start, until_samples) for start in starts]

    def _silent_part(self, start_samples: int, until_samples: int) -> Part:
        count = min(_SILENT_FRAMES_PER_PART, (until_samples - start_samples) // self.codec.frame_samples)
        return Part(self.codec, start_samples, (silent_frame(self.codec),) * count)

    def _cut_tail(self) -> None:
        """Removes what stands behind the last whole part; what can't be removed will be overwritten."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._index, index.record_offset(self._end.number))
            os.ftruncate(self._sound, self._end.offset)

    def _has_ended(self) -> bool:
        """Also begins the files where their heads are not whole: nothing can have been acknowledged then."""
        head = os.pread(self._index, index.HEADER_BYTES, 0)
        start = os.pread(self._sound, len(self._init_segment), 0)
        if len(head) == index.HEADER_BYTES and len(start) == len(self._init_segment):
            codec, ended = index.parse_header(head)
            if codec is not self.codec or start != self._init_segment:
                raise TapeDamaged(f"the {self.codec} files do not start as they were written")
            return ended
        try:
            os.ftruncate(self._index, 0)
            layout.write_all(self._sound, self._init_segment, 0)
            layout.write_all(self._index, index.header(self.codec), 0)
        except OSError as error:
            raise layout.write_error(error) from error
        return False

    def _last_good_part(self) -> PartRef | None:
        """The end of the good records, looking from the tail: a block counts once its first record is good."""
        count = index.record_count(os.fstat(self._index).st_size)
        while count:
            first = max(0, count - _CHECKED_TAIL)
            good = self._good_records(first, count)
            if good:
                return good[-1]
            count = first
        return None

    def _good_records(self, first: int, past_last: int) -> list[PartRef]:
        data = self._records(first, past_last)
        good: list[PartRef] = []
        for position in range(past_last - first):
            try:
                ref = index.parse_record(self.codec, first + position, data, position * index.RECORD_BYTES)
            except TapeDamaged:
                break
            if zlib.crc32(os.pread(self._sound, ref.length, ref.offset)) != ref.checksum:
                break
            good.append(ref)
        return good

    def _newest_note(self, last: PartRef) -> Note | None:
        """Notes repeat each second, so the last records are enough."""
        first = max(0, last.number + 1 - _CHECKED_TAIL)
        for ref in reversed(index.parse_records(self.codec, first, self._records(first, last.number + 1))):
            if ref.has_note:
                return boxes.leading_note(os.pread(self._sound, ref.header_bytes, ref.offset))
        return None

    def _records(self, first: int, past_last: int) -> bytes:
        return os.pread(self._index, (past_last - first) * index.RECORD_BYTES, index.record_offset(first))


def _coded(part: Part, note: Note, end: _End, *, gap: bool) -> tuple[bytes, PartRef, _End]:
    """A part's chunk, where it goes, and where the next one goes.

    A note is written when it changes, at the start of a segment, and once a second.
    """
    segment = part.start_samples // SEGMENT_SAMPLES
    noted = (
        note != end.note or segment != end.segment or part.start_samples - end.note_samples >= NOTE_REPEAT_SAMPLES
    )
    event = boxes.note_event(note, part.start_samples, end.number) if noted else b""
    sizes = [len(frame) for frame in part.frames]
    head = boxes.chunk_header(end.number + 1, part.start_samples, part.codec.frame_samples, sizes, event)
    data = b"".join((head, *part.frames))
    ref = PartRef(
        codec=part.codec,
        number=end.number,
        start_samples=part.start_samples,
        duration_samples=part.duration_samples,
        offset=end.offset,
        length=len(data),
        header_bytes=len(head),
        segment=segment,
        checksum=zlib.crc32(data),
        peak=part.peak,
        has_note=noted,
        gap=gap,
    )
    following = _End(
        number=end.number + 1,
        offset=end.offset + len(data),
        samples=part.end_samples,
        segment=segment,
        note=note,
        note_samples=part.start_samples if noted else end.note_samples,
    )
    return data, ref, following
