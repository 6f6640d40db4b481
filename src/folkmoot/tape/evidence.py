"""The evidence of a tape's folder, for verify.py: reads on where others give up, and says what can't be read."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from folkmoot.tape import boxes, copies, index, layout
from folkmoot.tape.checkpoint import split_notes
from folkmoot.tape.leaf import LEAF_BYTES, leaf_data
from folkmoot.tape.leaves import Leaves
from folkmoot.tape.model import (
    CODEC_CONFIGS,
    SEGMENT_SAMPLES,
    Codec,
    CodecConfig,
    PartRef,
    TapeDamaged,
    TapeHeader,
    TapeMissing,
)
from folkmoot.tape.signing import extensions
from folkmoot.tape.taken_out import TakenOut, taken_out
from folkmoot.tape.track_reader import TrackReader
from folkmoot.tape.verify import Evidence

Progress = Callable[[int, int], None]
"""Called now and then with how many parts were looked at, and of how many."""

PARTS_MAX = 2_000_000
"""Two days: no recording is longer."""
_PARTS_PER_READ = 600
_CHUNK_BYTES_MAX = 1 << 20  # a longer one was never written, whatever a record says


def codecs_of(directory: Path) -> tuple[Codec, ...]:
    """Which renditions there are. Raises TapeMissing where this is no tape's folder."""
    found = tuple(codec for codec in Codec if layout.index_path(directory, codec).exists())
    if not found:
        raise TapeMissing(f"{directory} is not the folder of a recording.")
    return found


def evidence_of(directory: Path, codec: Codec, progress: Progress) -> Evidence:
    """One rendition of a tape. Raises TapeAway while its sound is in a store that can't be reached; TapeDamaged
    where a file is no file, or too long to be looked at; OSError."""
    _require_bounded(directory, codec)
    header = _header(directory)
    config = _config(header, codec)
    sound = _Sound(directory, config, progress)
    return Evidence(
        codec=codec,
        notes=_notes(directory, codec),
        kept=_kept(directory, codec),
        found=sound.leaves(),
        header=_said(directory, header, config),
        ended=sound.ended,
        taken_out=_taken_out(directory, codec),
        problems=sound.problems,
    )


def _require_bounded(directory: Path, codec: Codec) -> None:
    """Files are read whole: one that claims a terabyte takes no room on a disk, but all of the memory."""
    limits = {
        layout.header_path(directory): 1 << 16,
        layout.redactions_path(directory): 1 << 29,
        layout.verifier_key_path(directory): 1 << 12,
        layout.index_path(directory, codec): index.record_offset(PARTS_MAX),
        layout.leaves_path(directory, codec): 2 * LEAF_BYTES * PARTS_MAX,
        layout.checkpoints_path(directory, codec): 1 << 28,
        copies.path(directory, codec): 1 << 24,
    }
    for path, most_bytes in limits.items():
        if not path.exists():
            continue
        if not path.is_file() or path.stat().st_size > most_bytes:
            raise TapeDamaged(f"{path} is not a file such as a recording has: it can't be verified.")


def split_leaves(data: bytes) -> list[bytes]:
    """Whole leaves that follow each other."""
    return [data[at : at + LEAF_BYTES] for at in range(0, len(data) - LEAF_BYTES + 1, LEAF_BYTES)]


class _Sound:
    """One codec's two files."""

    def __init__(self, directory: Path, config: CodecConfig, progress: Progress) -> None:
        self.problems: dict[int, str] = {}
        self._codec = config.codec
        self._records = layout.index_path(directory, config.codec).read_bytes()
        self.ended = self._records[index.ENDED_OFFSET : index.ENDED_OFFSET + 1] == b"\x01"
        self._directory = directory
        self._config = config
        self._progress = progress

    def leaves(self) -> list[bytes]:
        """Every part's leaf; of one that can't be read none, and a problem."""
        found: list[bytes] = []
        count = index.record_count(len(self._records))
        try:
            reader = TrackReader(self._directory, self._config)
        except FileNotFoundError:
            return []
        try:
            for first in range(0, count, _PARTS_PER_READ):
                self._progress(first, count)
                found.extend(self._block(reader, range(first, min(first + _PARTS_PER_READ, count))))
        finally:
            reader.close()
        return found

    def _block(self, reader: TrackReader, numbers: range) -> Iterator[bytes]:
        refs = [self._ref(number) for number in numbers]
        data = self._neighbours(reader, refs)
        for number, ref in zip(numbers, refs, strict=True):
            if ref is None:
                yield b""
                continue
            try:
                chunk = data[ref.offset] if ref.offset in data else reader.read(ref.offset, ref.length)
                _require_plausible(ref, chunk)
                yield leaf_data(ref, chunk).encode()
            except TapeDamaged as error:
                self.problems[number] = str(error)
                yield b""

    def _ref(self, number: int) -> PartRef | None:
        try:
            ref = index.parse_record(self._codec, number, self._records, index.record_offset(number))
        except TapeDamaged as error:
            self.problems[number] = str(error)
            return None
        if ref.length > _CHUNK_BYTES_MAX:
            self.problems[number] = f"part {number} is too long"
            return None
        return ref

    def _neighbours(self, reader: TrackReader, refs: Sequence[PartRef | None]) -> dict[int, bytes]:
        """Chunks by offset, read in one go where each follows the one before."""
        whole = [ref for ref in refs if ref is not None]
        follows = all(one.offset + one.length == next_.offset for one, next_ in itertools.pairwise(whole))
        if not whole or not follows:
            return {}
        try:
            data = reader.read(whole[0].offset, whole[-1].offset + whole[-1].length - whole[0].offset)
        except TapeDamaged:
            return {}
        start = whole[0].offset
        return {ref.offset: data[ref.offset - start : ref.offset - start + ref.length] for ref in whole}


def _require_plausible(ref: PartRef, chunk: bytes) -> None:
    """Raises TapeDamaged where what the index says beside the leaf is wrong: players rely on it."""
    if ref.segment != ref.start_samples // SEGMENT_SAMPLES or ref.has_note != (chunk[4:8] == b"emsg"):
        raise TapeDamaged(f"the index does not say of part {ref.number} what is in it")


def _header(directory: Path) -> TapeHeader | None:
    try:
        return layout.read_header(directory)
    except (TapeDamaged, RecursionError):  # JSON nested so deeply that reading it fails
        return None


def _config(header: TapeHeader | None, codec: Codec) -> CodecConfig:
    for config in header.codecs if header else ():
        if config.codec is codec:
            return config
    return CODEC_CONFIGS[codec]


def _said(directory: Path, header: TapeHeader | None, config: CodecConfig) -> tuple[str, ...]:
    """What a checkpoint should say beside the tree; nothing where the tape's own heads contradict each other."""
    expected = boxes.init_segment(config)
    try:
        with layout.sound_path(directory, config.codec).open("rb") as file:
            start = file.read(len(expected))
    except FileNotFoundError:
        start = b""
    if header is None or start != expected:
        return ()
    return extensions(header.timeline_unix_ms, config)


def _notes(directory: Path, codec: Codec) -> list[str]:
    try:
        notes, _ = split_notes(layout.checkpoints_path(directory, codec).read_bytes())
    except FileNotFoundError:
        return []
    return notes


def _kept(directory: Path, codec: Codec) -> list[bytes]:
    try:
        with Leaves(directory, codec) as leaves:
            return split_leaves(leaves.read(0, leaves.count))
    except TapeMissing:
        return []


def _taken_out(directory: Path, codec: Codec) -> Mapping[int, TakenOut]:
    """Nothing where the journal can't be read: then no reason is known for what is silent."""
    try:
        return taken_out(directory, codec)
    except (TapeDamaged, RecursionError):
        return {}
