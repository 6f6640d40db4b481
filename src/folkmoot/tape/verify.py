"""Is this sound what was signed, and if not, what is wrong where? Pure: evidence in, findings out.

What counts as signed is what has the root of a checkpoint with a good signature. The leaves that were kept beside
the tape are only a help to find it; where they fail, the sound's own leaves may do. Then the sound is compared with
that, part by part.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from folkmoot.tape.checkpoint import Checkpoint, NoteInvalid, Verifier, parse_checkpoint
from folkmoot.tape.compare import Difference, pair
from folkmoot.tape.leaf import SAID_OFFSET
from folkmoot.tape.merkle import HASH_BYTES, Frontier, leaf_hash
from folkmoot.tape.model import SAMPLES_PER_MS, Codec
from folkmoot.tape.signing import ENDED, origin_of
from folkmoot.tape.taken_out import PREFIX, TakenOut, signed_line

UNSIGNED_LIVE_MS_MAX = 60_000
"""So much at the end of a live tape may wait for its signature: the signer comes every ten seconds."""

_WHEN = struct.Struct(">QIB")


class Kind(enum.StrEnum):
    """What was found; the first ones are damage, from `UNSIGNED_YET` on it is as it may be."""

    ALTERED = "altered"
    MISSING = "missing"
    INSERTED = "inserted"
    MOVED = "moved"
    CUT = "cut"
    UNSIGNED = "unsigned"
    HEADER = "header"
    CHECKPOINT = "checkpoint"
    UNPROVEN = "unproven"
    UNSIGNED_YET = "unsigned_yet"
    REDACTED = "redacted"
    GAP = "gap"
    NOT_SERVED = "not_served"
    EXCERPT = "excerpt"
    LEAVES = "leaves"

    @property
    def is_damage(self) -> bool:
        return list(Kind).index(self) < list(Kind).index(Kind.UNSIGNED_YET)


class Finding(msgspec.Struct, frozen=True):
    """Something about the range `[from_ms, to_ms)` of one rendition, in a sentence."""

    kind: Kind
    codec: Codec
    from_ms: int
    to_ms: int
    what: str


class Evidence(msgspec.Struct, frozen=True):
    """What there is of one rendition. Leaves are encoded (leaf.py); a part that can't be read is an empty one.

    `found` are the parts of the sound from number `first` on, and up to `replay_to_ms` if that is said: what a
    server serves of a recording that was trimmed, or so it says. `kept` are the leaves that somebody says were
    signed. `header` are the extension lines as the tape's header and init segment have them; `problems` say by
    number why a part couldn't be read.
    """

    codec: Codec
    notes: Sequence[str]
    kept: Sequence[bytes]
    found: Sequence[bytes]
    header: Sequence[str]
    ended: bool
    first: int = 0
    replay_to_ms: int | None = None
    taken_out: Mapping[int, TakenOut] = {}
    problems: Mapping[int, str] = {}


class Verdict(msgspec.Struct, frozen=True):
    """About one rendition: what is signed of it (`ended`: its end, too), and what was found."""

    codec: Codec
    origin: str
    parts: int
    checkpoints: int
    signed_ms: int
    found_ms: int
    ended: bool
    findings: tuple[Finding, ...]

    @property
    def is_intact(self) -> bool:
        """As far as it was there to be looked at."""
        return not any(finding.kind.is_damage for finding in self.findings)

    @property
    def not_served_ms(self) -> int:
        """How much was signed, but not served: of that nothing is known."""
        gone = [finding for finding in self.findings if finding.kind is Kind.NOT_SERVED]
        return sum(finding.to_ms - finding.from_ms for finding in gone)


def verify(evidence: Evidence, verifier: Verifier, space: str | None) -> Verdict:
    """Check one rendition. `space` is whose tape this is said to be, as in signing.origin_of(); None: any."""
    return _Verification(evidence, verifier, space).verdict()


def signed_of(evidence: Evidence, verifier: Verifier, space: str | None) -> tuple[Verdict, list[bytes]]:
    """The leaves that were signed, from evidence without sound; the verdict is about the signatures alone."""
    return _Verification(evidence, verifier, space).signatures()


class _Verification:
    def __init__(self, evidence: Evidence, verifier: Verifier, space: str | None) -> None:
        self._evidence = evidence
        self._verifier = verifier
        self._origin = origin_of(space, evidence.codec) if space else None
        self._findings: list[Finding] = []
        self._claimed = 0  # so many parts were signed, but what they were can't be told of all

    def verdict(self) -> Verdict:
        checkpoints = self._opened()
        signed = self._signed(checkpoints)
        said = self._as_said(signed)
        self._compare(signed, said)
        if checkpoints:
            self._check_taken_out(checkpoints[-1])
            self._check_end(checkpoints[-1])
            self._check_header(checkpoints[-1])
        return self._verdict(checkpoints, signed, _end_ms(said))

    def signatures(self) -> tuple[Verdict, list[bytes]]:
        checkpoints = self._opened()
        signed = self._signed(checkpoints)
        if checkpoints:
            self._check_taken_out(checkpoints[-1])
            self._check_header(checkpoints[-1])
        return self._verdict(checkpoints, signed, 0), signed

    def _verdict(self, checkpoints: Sequence[Checkpoint], signed: Sequence[bytes], found_ms: int) -> Verdict:
        self._findings.sort(key=lambda finding: (not finding.kind.is_damage, finding.from_ms))
        return Verdict(
            codec=self._evidence.codec,
            origin=checkpoints[-1].origin if checkpoints else "",
            parts=len(signed),
            checkpoints=len(checkpoints),
            signed_ms=_end_ms(signed),
            found_ms=found_ms,
            ended=bool(checkpoints) and ENDED in checkpoints[-1].extensions,
            findings=tuple(self._findings),
        )

    def _add(self, kind: Kind, what: str, from_ms: int = 0, to_ms: int = 0) -> None:
        self._findings.append(Finding(kind, self._evidence.codec, from_ms, to_ms, what))

    def _opened(self) -> list[Checkpoint]:
        """The checkpoints with good signatures, by size."""
        opened: list[Checkpoint] = []
        for number, note in enumerate(self._evidence.notes, 1):
            try:
                checkpoint = parse_checkpoint(self._verifier.open(note))
            except NoteInvalid as error:
                self._add(Kind.CHECKPOINT, f"Checkpoint {number} does not count. {error}")
                continue
            expected = self._origin or (opened[0].origin if opened else checkpoint.origin)
            if checkpoint.origin != expected:
                self._add(Kind.CHECKPOINT, f"Checkpoint {number} is of {checkpoint.origin}, not of {expected}.")
            else:
                opened.append(checkpoint)
        if not opened:
            self._add(Kind.UNSIGNED, "No checkpoint with a good signature is there: nothing can be verified.")
        return sorted(opened, key=lambda checkpoint: checkpoint.size)

    def _signed(self, checkpoints: Sequence[Checkpoint]) -> list[bytes]:
        """The leaves that have the signed roots, as far as they can be told."""
        settled = _Settled(self._evidence.kept, self._with_originals())
        for checkpoint in checkpoints:
            settled.look_at(checkpoint)
        for start, end in settled.not_kept:
            if self._evidence.kept:
                what = "What was kept of the signed leaves is damaged here; the sound itself has the signed root."
                self._add(Kind.LEAVES, what, _start_ms(settled.leaves, start), _end_ms(settled.leaves, end))
        signed_size = len(settled.leaves)
        for checkpoint in settled.failed:
            if checkpoint.size <= signed_size:
                what = f"The checkpoint of {checkpoint.size} parts is signed, but does not fit the others."
                self._add(Kind.CHECKPOINT, what, to_ms=_end_ms(settled.leaves, checkpoint.size))
        beyond = [checkpoint for checkpoint in settled.failed if checkpoint.size > signed_size]
        if beyond:
            self._claimed = beyond[-1].size
            what = (
                f"{self._claimed - signed_size} more parts were signed from here on. Neither the sound nor the kept"
                " leaves have the signed root: something in them was altered, and what can't be told."
            )
            from_ms = _end_ms(settled.leaves)
            self._add(Kind.UNPROVEN, what, from_ms, max(from_ms, _end_ms(self._evidence.found)))
        return settled.leaves

    def _with_originals(self) -> list[bytes]:
        """The sound's leaves, with the kept ones where the sound can't have the signed one: trimmed, taken out."""
        kept, found = self._evidence.kept, self._evidence.found
        leaves = [*kept[: self._evidence.first], *found]
        for number, taken_out in self._evidence.taken_out.items():
            if number < len(leaves):
                leaves[number] = taken_out.original or (kept[number] if number < len(kept) else b"")
        return leaves

    def _as_said(self, signed: Sequence[bytes]) -> list[bytes]:
        """The sound's leaves, with the signed one where the decision's silence stands in its place."""
        first, to_ms = self._evidence.first, self._evidence.replay_to_ms
        what = "This was signed and is not served. Its host may have trimmed the replay: that is not signed."
        if first:
            self._add(Kind.NOT_SERVED, what, 0, _start_ms(signed, first))
        said = [*signed[:first], *self._evidence.found]
        end = len(said)
        if to_ms is not None and end < len(signed) and _end_ms(said) >= to_ms:
            self._add(Kind.NOT_SERVED, what, _start_ms(signed, end), _end_ms(signed))
            said += signed[end:]
        runs: list[tuple[TakenOut, bool, int, int]] = []
        for number, part in sorted(self._evidence.taken_out.items()):
            if not first <= number < min(len(said), len(signed)):
                continue
            is_out = said[number] == signed[number][:-HASH_BYTES] + part.frames_sha256
            if is_out or said[number] == signed[number]:
                said[number] = signed[number]
                start = number
                if (
                    runs
                    and runs[-1][3] == number
                    and (runs[-1][0].redaction, runs[-1][1]) == (part.redaction, is_out)
                ):
                    start = runs.pop()[2]
                runs.append((part, is_out, start, number + 1))
        for part, is_out, start, end in runs:
            kind, what = Kind.REDACTED, f"Taken out by decision {part.redaction}: {part.reason}."
            if not is_out:
                kind, what = Kind.ALTERED, f"Decision {part.redaction} took this out, but here it is."
            self._add(kind, what, _start_ms(signed, start), _end_ms(signed, end))
        return said

    def _compare(self, signed: Sequence[bytes], said: Sequence[bytes]) -> None:
        pairing = pair(signed, said)
        for difference in pairing.differences:
            self._describe(difference, signed, said)
        for start, end, shift_ms in _runs(pairing.moved, signed, said):
            what = "Where this starts, how long it is or whether it is a gap is not as it was signed."
            if shift_ms:
                what = f"This stands {_seconds(abs(shift_ms))} {'late' if shift_ms > 0 else 'early'}."
            self._add(Kind.MOVED, what, _start_ms(signed, start), _end_ms(signed, end))
        for start, end in _gaps(signed):
            what = "The stage was away: silence was filled in, and signed as such."
            self._add(Kind.GAP, what, _start_ms(signed, start), _end_ms(signed, end))

    def _describe(self, difference: Difference, signed: Sequence[bytes], said: Sequence[bytes]) -> None:
        start, end, found, found_end = difference
        from_ms, to_ms = _start_ms(signed, start), max(_start_ms(signed, start), _end_ms(signed, end))
        if end == len(signed) and found == len(said):
            what = f"The sound ends here. It was signed up to {clock(to_ms)}."
            self._add(Kind.CUT, what, from_ms, to_ms)
        elif start == len(signed):
            first = max(found, self._claimed)
            if first < len(said):
                self._unsigned(_start_ms(said, first), _end_ms(said))
        elif found == found_end:
            self._add(Kind.MISSING, "This was signed and is missing.", from_ms, to_ms)
        elif start == end:
            length = _seconds(_end_ms(said, found_end) - _start_ms(said, found))
            self._add(Kind.INSERTED, f"{length} that nobody signed stand here.", from_ms, to_ms)
        else:
            what = self._altered(difference, signed, said)
            self._add(Kind.ALTERED, what, from_ms, to_ms)

    def _altered(self, difference: Difference, signed: Sequence[bytes], said: Sequence[bytes]) -> str:
        start, end, found, found_end = difference
        problem = next(
            (self._evidence.problems[n] for n in range(found, found_end) if n in self._evidence.problems), None
        )
        if problem:
            return f"This is not what was signed: {problem}."
        if end - start != found_end - found:
            return f"{end - start} signed parts were replaced by {found_end - found} others."
        pairs = list(zip(signed[start:end], said[found:found_end], strict=True))
        if all(one[-HASH_BYTES:] == other[-HASH_BYTES:] for one, other in pairs):
            return "The sound is as it was signed; the note with it (who speaks) is not."
        return "The sound is not what was signed."

    def _unsigned(self, from_ms: int, to_ms: int) -> None:
        length_ms = to_ms - from_ms
        if not self._evidence.ended and length_ms <= UNSIGNED_LIVE_MS_MAX:
            self._add(Kind.UNSIGNED_YET, f"The last {_seconds(length_ms)} are not signed yet.", from_ms, to_ms)
        else:
            self._add(Kind.UNSIGNED, f"The last {_seconds(length_ms)} are not signed.", from_ms, to_ms)

    def _check_taken_out(self, newest: Checkpoint) -> None:
        out = tuple(line for line in newest.extensions if line.startswith(PREFIX))
        if out != signed_line(self._evidence.taken_out):
            what = "What was taken out is not what the newest checkpoint says was decided."
            self._add(Kind.UNSIGNED, what, 0, _end_ms(self._evidence.found))

    def _check_end(self, newest: Checkpoint) -> None:
        if self._evidence.ended and ENDED not in newest.extensions:
            what = "The recording has ended, but its end is not signed: more may have followed."
            self._add(Kind.UNSIGNED, what, _end_ms(self._evidence.found), _end_ms(self._evidence.found))
        if not self._evidence.ended and ENDED in newest.extensions:
            self._add(Kind.HEADER, "The end was signed, but the recording is not marked as ended.")

    def _check_header(self, newest: Checkpoint) -> None:
        signed = [line for line in newest.extensions if line != ENDED and not line.startswith(PREFIX)]
        if signed != list(self._evidence.header):
            self._add(
                Kind.HEADER, "When the recording began, or its codec's configuration, is not what was signed."
            )


class _Settled:
    """Finds which leaves have the signed roots: at each checkpoint those kept, else those of the sound."""

    def __init__(self, kept: Sequence[bytes], found: Sequence[bytes]) -> None:
        self._sources = (kept, found)
        self._trees = (Frontier(), Frontier())
        self.leaves: list[bytes] = []
        self.not_kept: list[tuple[int, int]] = []
        self.failed: list[Checkpoint] = []

    def look_at(self, checkpoint: Checkpoint) -> None:
        """Checkpoints come by rising size."""
        for which, (tree, source) in enumerate(zip(self._trees, self._sources, strict=True)):
            for leaf in source[tree.size : checkpoint.size]:
                tree.append(leaf_hash(leaf))
            if tree.size == checkpoint.size and tree.root() == checkpoint.root:
                if which and checkpoint.size > len(self.leaves):
                    self.not_kept.append((len(self.leaves), checkpoint.size))
                self.leaves.extend(source[len(self.leaves) : checkpoint.size])
                self._trees = (tree, tree.copy())
                return
        self.failed.append(checkpoint)


def _runs(
    moved: Sequence[tuple[int, int]], signed: Sequence[bytes], said: Sequence[bytes]
) -> Iterator[tuple[int, int, int]]:
    """(first signed, past last, by how many ms it is late) of parts that moved together."""
    start = end = shift_ms = 0
    for i, j in moved:
        by_ms = _start_ms(said, j) - _start_ms(signed, i)
        if (i, by_ms) == (end, shift_ms):
            end += 1
            continue
        if end > start:
            yield start, end, shift_ms
        start, end, shift_ms = i, i + 1, by_ms
    if end > start:
        yield start, end, shift_ms


def _gaps(signed: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    start: int | None = None
    for number, leaf in enumerate(signed):
        is_gap = leaf[SAID_OFFSET - 1] == 1
        if is_gap and start is None:
            start = number
        elif not is_gap and start is not None:
            yield start, number
            start = None
    if start is not None:
        yield start, len(signed)


def _start_ms(leaves: Sequence[bytes], number: int) -> int:
    """Where a part starts; behind the last one, or for one that can't be read, where the one before ends."""
    if 0 <= number < len(leaves) and leaves[number]:
        return int(_WHEN.unpack_from(leaves[number])[0]) // SAMPLES_PER_MS
    return _end_ms(leaves, number)


def _end_ms(leaves: Sequence[bytes], past_last: int | None = None) -> int:
    """Where the last part that can be read ends, of all or of those before `past_last`."""
    at = len(leaves) if past_last is None else min(past_last, len(leaves))
    while at:
        at -= 1
        if leaves[at]:
            start, duration, _ = _WHEN.unpack_from(leaves[at])
            return int(start + duration) // SAMPLES_PER_MS
    return 0


def clock(at_ms: int) -> str:
    """A place on the timeline for people: 01:10:00.0."""
    seconds, rest_ms = divmod(at_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest_ms // 100}"


def _seconds(length_ms: int) -> str:
    return f"{length_ms / 1000:.1f} s"
