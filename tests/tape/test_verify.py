"""What is wrong where: every attack that somebody without the key can try, and what may look like one."""

from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.tape.conftest import START_UNIX_MS
from tests.tape.evening import SIGNER, SPACE, Evening, Steps

from folkmoot.tape import boxes, index, layout
from folkmoot.tape.checkpoint import Signer, split_notes
from folkmoot.tape.evidence import evidence_of
from folkmoot.tape.model import Codec, Note, PartRef
from folkmoot.tape.redact import redact
from folkmoot.tape.redactions import Redaction
from folkmoot.tape.signing import sign_tape
from folkmoot.tape.verify import Finding, Kind, Verdict, verify
from folkmoot.tape.writer import TapeWriter

PARTS = 60
Part = tuple[PartRef, bytes]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, step_parts_of: Steps) -> Path:
    """Six seconds, signed every second."""
    evening = Evening(tmp_path_factory.mktemp("tapes") / "7", step_parts_of)
    for _ in range(6):
        evening.say(10)
        evening.sign()
    evening.writer.close()
    evening.sign()
    return evening.directory


@pytest.fixture(scope="module")
def step_parts_of() -> Steps:
    from tests.tape.conftest import _step_parts

    return _step_parts


@pytest.fixture
def tape(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "7"))


def checked(directory: Path, codec: Codec = Codec.OPUS) -> Verdict:
    evidence = evidence_of(directory, codec, lambda done, of: None)
    return verify(evidence, SIGNER.verifier, SPACE)


def damage(directory: Path, codec: Codec = Codec.OPUS) -> list[Finding]:
    return [finding for finding in checked(directory, codec).findings if finding.kind.is_damage]


def found(directory: Path) -> list[tuple[Kind, int, int]]:
    return [(finding.kind, finding.from_ms, finding.to_ms) for finding in damage(directory)]


def parts_of(directory: Path) -> list[Part]:
    """Opus, as it lies there."""
    records = layout.index_path(directory, Codec.OPUS).read_bytes()[index.HEADER_BYTES :]
    sound = layout.sound_path(directory, Codec.OPUS).read_bytes()
    refs = index.parse_records(Codec.OPUS, 0, records)
    return [(ref, sound[ref.offset : ref.offset + ref.length]) for ref in refs]


def rewrite(directory: Path, change: Callable[[list[Part]], list[Part]]) -> None:
    """Writes other parts in the place of those there are, as somebody who knows the format would: numbers, times,
    offsets, records and their checksums all fit."""
    sound_path, index_path = layout.sound_path(directory, Codec.OPUS), layout.index_path(directory, Codec.OPUS)
    parts = parts_of(directory)
    head, sound = index_path.read_bytes()[: index.HEADER_BYTES], sound_path.read_bytes()[: parts[0][0].offset]
    records, start = b"", 0
    for number, (ref, chunk) in enumerate(change(parts)):
        parsed = boxes.parse_chunk(chunk)
        event = boxes.note_event(parsed.note, start, number) if parsed.note else b""
        sizes = [len(frame) for frame in parsed.frames]
        header = boxes.chunk_header(number + 1, start, 960, sizes, event)
        data = header + b"".join(parsed.frames)
        duration = 960 * len(sizes)
        made = PartRef(
            *(Codec.OPUS, number, start, duration, len(sound), len(data), len(header), start // 192_000),
            *(zlib.crc32(data), ref.peak, bool(event), ref.gap),
        )
        records += index.record(made)
        sound += data
        start += duration
    index_path.write_bytes(head + records)
    sound_path.write_bytes(sound)


def altered(part: Part, frame: bytes) -> Part:
    ref, chunk = part
    return ref, chunk[: -len(frame)] + frame


def test_what_nobody_touched_is_intact(tape: Path) -> None:
    for codec in Codec:
        verdict = checked(tape, codec)
        assert verdict.findings == ()
        assert verdict.is_intact
        assert (verdict.checkpoints, verdict.origin) == (7, f"{SPACE}/{codec}")
        assert 5_900 < verdict.signed_ms == verdict.found_ms <= 6_000


def test_a_byte_of_a_frame(tape: Path) -> None:
    ref, _ = parts_of(tape)[23]
    with layout.sound_path(tape, Codec.OPUS).open("r+b") as file:
        file.seek(ref.offset + ref.length - 9)
        file.write(b"\xee")
    assert found(tape) == [(Kind.ALTERED, 2_300, 2_400)]
    assert checked(tape, Codec.AAC).is_intact


def test_another_frame_with_everything_made_to_fit(tape: Path) -> None:
    rewrite(tape, lambda parts: [*parts[:23], altered(parts[23], b"other"), *parts[24:]])
    assert found(tape) == [(Kind.ALTERED, 2_300, 2_400)]


def test_another_note(tape: Path) -> None:
    sound = layout.sound_path(tape, Codec.OPUS)
    ref, chunk = parts_of(tape)[31]
    data = sound.read_bytes()
    other = chunk.replace(b'"speaking":[1]', b'"speaking":[7]')
    assert other != chunk
    sound.write_bytes(data[: ref.offset] + other + data[ref.offset + ref.length :])
    (finding,) = damage(tape)
    assert (finding.kind, finding.from_ms, finding.to_ms) == (Kind.ALTERED, 3_100, 3_200)
    assert "who speaks" in finding.what


def test_two_parts_that_changed_places(tape: Path) -> None:
    rewrite(tape, lambda parts: [*parts[:20], parts[21], parts[20], *parts[22:]])
    assert found(tape) == [(Kind.ALTERED, 2_000, 2_200)]


def test_a_tail_that_was_cut_off(tape: Path) -> None:
    rewrite(tape, lambda parts: parts[:40])
    (finding,) = damage(tape)
    assert (finding.kind, finding.from_ms, finding.to_ms) == (Kind.CUT, 4_000, 6_000)
    assert "up to 00:00:06.0" in finding.what


def test_a_middle_that_was_cut_out(tape: Path) -> None:
    rewrite(tape, lambda parts: parts[:20] + parts[30:])
    assert found(tape) == [(Kind.MISSING, 2_000, 3_000), (Kind.MOVED, 3_000, 6_000)]


def test_silence_that_was_put_in(tape: Path) -> None:
    def inserted(parts: list[Part]) -> list[Part]:
        silent = altered(parts[3], bytes(900))
        return [*parts[:25], silent, silent, silent, *parts[25:]]

    rewrite(tape, inserted)
    (insertion, moved) = damage(tape)
    assert (insertion.kind, insertion.from_ms) == (Kind.INSERTED, 2_500)
    assert insertion.what.startswith("0.3 s ")
    assert (moved.kind, moved.from_ms, moved.to_ms, moved.what) == (
        *(Kind.MOVED, 2_500, 6_000),
        "This stands 0.3 s late.",
    )


def test_other_start_times(tape: Path) -> None:
    """In the index and in the sound; checksums fit."""
    shift = 48_000
    sound = bytearray(layout.sound_path(tape, Codec.OPUS).read_bytes())
    records = b""
    for ref, chunk in parts_of(tape):
        start = ref.start_samples + shift * (ref.number >= 40)
        moof = chunk.index(b"moof") - 4
        struct.pack_into(">Q", sound, ref.offset + moof + 68, start)
        if ref.has_note:
            struct.pack_into(">Q", sound, ref.offset + 16, start)
        data = bytes(sound[ref.offset : ref.offset + ref.length])
        ref = PartRef(
            *(ref.codec, ref.number, start, ref.duration_samples, ref.offset, ref.length, ref.header_bytes),
            *(start // 192_000, zlib.crc32(data), ref.peak, ref.has_note, ref.gap),
        )
        records += index.record(ref)
    path = layout.index_path(tape, Codec.OPUS)
    path.write_bytes(path.read_bytes()[: index.HEADER_BYTES] + records)
    layout.sound_path(tape, Codec.OPUS).write_bytes(sound)
    assert found(tape) == [(Kind.MOVED, 4_000, 6_000)]


def test_other_sound_with_a_tree_of_its_own_but_without_the_key(
    tape: Path, tmp_path: Path, step_parts: Steps
) -> None:
    forged = Evening(tmp_path / "forged" / "7", step_parts)
    for step in range(PARTS):
        forged.writer.append(step_parts(step, 300), Note())
    forged.writer.close()
    other = Signer("moot.example/tapes", bytes(32))
    sign_tape(forged.directory, SPACE, other)
    assert {finding.kind for finding in damage(forged.directory)} == {Kind.CHECKPOINT, Kind.UNSIGNED}
    assert not checked(forged.directory).is_intact
    # The old signatures do not fit it either.
    shutil.copy(layout.checkpoints_path(tape, Codec.OPUS), layout.checkpoints_path(forged.directory, Codec.OPUS))
    assert Kind.UNPROVEN in {finding.kind for finding in damage(forged.directory)}


def test_the_signed_tape_of_another_space(tape: Path) -> None:
    evidence = evidence_of(tape, Codec.OPUS, lambda done, of: None)
    verdict = verify(evidence, SIGNER.verifier, "moot.example/spaces/8")
    assert not verdict.is_intact
    assert "moot.example/spaces/7/opus" in verdict.findings[0].what


def test_checkpoints_that_were_rolled_back_with_the_tape(tape: Path) -> None:
    """Without the key nobody can sign an earlier end: that the end is missing shows."""
    rewrite(tape, lambda parts: parts[:40])
    path = layout.checkpoints_path(tape, Codec.OPUS)
    notes, _ = split_notes(path.read_bytes())
    path.write_text("".join(notes[:4]))
    (finding,) = damage(tape)
    assert (finding.kind, finding.from_ms) == (Kind.UNSIGNED, 4_000)
    assert "its end is not signed" in finding.what
    # Before the end was signed there is nothing by which to tell: that comes with the public log.
    with layout.index_path(tape, Codec.OPUS).open("r+b") as file:
        file.seek(index.ENDED_OFFSET)
        file.write(b"\0")
    assert checked(tape).is_intact


def test_a_second_truth_of_the_key_s_owner(tape: Path, tmp_path: Path, step_parts: Steps) -> None:
    """Who has the key can sign anything, but not two things at once."""
    other = Evening(tmp_path / "other" / "7", step_parts)
    other.writer.append(step_parts(0, 300), Note())
    other.say(19)
    other.sign()
    path = layout.checkpoints_path(tape, Codec.OPUS)
    path.write_bytes(path.read_bytes() + layout.checkpoints_path(other.directory, Codec.OPUS).read_bytes())
    (finding,) = damage(tape)
    assert (finding.kind, finding.what) == (
        Kind.CHECKPOINT,
        "The checkpoint of 20 parts is signed, but does not fit the others.",
    )


def test_damaged_leaves_are_no_damage_to_the_sound(tape: Path) -> None:
    path = layout.leaves_path(tape, Codec.OPUS)
    data = bytearray(path.read_bytes())
    data[77 * 33 + 5] ^= 1
    path.write_bytes(data)
    verdict = checked(tape)
    assert verdict.is_intact
    (finding,) = verdict.findings
    assert (finding.kind, finding.from_ms, finding.to_ms) == (Kind.LEAVES, 3_000, 4_000)
    path.unlink()
    assert checked(tape).findings == ()


def test_damaged_leaves_and_damaged_sound_leave_nothing_to_tell_by(tape: Path) -> None:
    layout.leaves_path(tape, Codec.OPUS).unlink()
    rewrite(tape, lambda parts: [*parts[:33], altered(parts[33], b"other"), *parts[34:]])
    assert found(tape) == [(Kind.UNPROVEN, 3_000, 6_000)]


def test_a_gap_is_named_and_no_damage(tmp_path: Path, step_parts: Steps) -> None:
    evening = Evening(tmp_path / "7", step_parts)
    evening.say(20)
    evening.writer.release()
    evening.clock.now_ms += 5_000
    evening.writer = TapeWriter.open(evening.directory, evening.clock)
    evening.say(5)
    evening.sign()
    verdict = checked(evening.directory)
    assert verdict.is_intact
    assert [(finding.kind, finding.from_ms, finding.to_ms) for finding in verdict.findings] == [
        (Kind.GAP, 2_000, 5_000)
    ]


def test_what_is_not_signed_yet(tmp_path: Path, step_parts: Steps) -> None:
    evening = Evening(tmp_path / "7", step_parts)
    evening.say(20)
    evening.sign()
    evening.say(80)
    (finding,) = checked(evening.directory).findings
    assert (finding.kind, finding.from_ms, finding.to_ms) == (Kind.UNSIGNED_YET, 2_000, 10_000)
    assert finding.what == "The last 8.0 s are not signed yet."
    evening.say(600)
    assert found(evening.directory) == [(Kind.UNSIGNED, 2_000, 70_000)]


@pytest.mark.parametrize("without_leaves", [False, True])
def test_what_was_taken_out_by_decision(tape: Path, without_leaves: bool) -> None:
    redact(tape, Redaction("12", 2_000, 2_500, "an address", "host", START_UNIX_MS))
    assert sign_tape(tape, SPACE, SIGNER) == 2
    assert sign_tape(tape, SPACE, SIGNER) == 0
    if without_leaves:
        for codec in Codec:
            layout.leaves_path(tape, codec).unlink()
    for codec in Codec:
        verdict = checked(tape, codec)
        assert verdict.is_intact
        (finding,) = verdict.findings
        assert (finding.kind, finding.what) == (Kind.REDACTED, "Taken out by decision 12: an address.")
        assert finding.from_ms <= 2_000 < 2_500 <= finding.to_ms


def test_silence_without_a_decision(tape: Path) -> None:
    redact(tape, Redaction("12", 2_000, 2_500, "an address", "host", START_UNIX_MS))
    layout.redactions_path(tape).unlink()
    (finding,) = damage(tape)
    assert (finding.kind, finding.from_ms) == (Kind.ALTERED, 2_000)


def test_a_decision_that_nobody_signed(tape: Path) -> None:
    """Who can silence a part can write a reason for it."""
    redact(tape, Redaction("12", 2_000, 2_500, "an address", "host", START_UNIX_MS))
    (finding,) = damage(tape)
    assert (finding.kind, finding.what) == (
        Kind.UNSIGNED,
        "What was taken out is not what the newest checkpoint says was decided.",
    )
    sign_tape(tape, SPACE, SIGNER)
    path = layout.redactions_path(tape)
    path.write_bytes(path.read_bytes().replace(b"an address", b"an opinion"))
    assert [finding.kind for finding in damage(tape)] == [Kind.UNSIGNED]


def test_what_was_taken_out_and_is_back(original: Path, tape: Path) -> None:
    redact(tape, Redaction("12", 2_000, 2_500, "an address", "host", START_UNIX_MS))
    sign_tape(tape, SPACE, SIGNER)
    shutil.copy(layout.sound_path(original, Codec.OPUS), layout.sound_path(tape, Codec.OPUS))
    (finding,) = damage(tape)
    assert (finding.kind, finding.what) == (Kind.ALTERED, "Decision 12 took this out, but here it is.")


def test_another_start_of_the_evening(tape: Path) -> None:
    path = layout.header_path(tape)
    path.write_bytes(path.read_bytes().replace(str(START_UNIX_MS).encode(), str(START_UNIX_MS + 1).encode()))
    assert [finding.kind for finding in damage(tape)] == [Kind.HEADER]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_single_alteration_is_reported_where_it_is_or_harmless(original: Path, data: st.DataObject) -> None:
    """A byte altered, a file cut short or lengthened: sound and times are the same, or a finding says where."""
    source, directory = original.parent / "taken out" / "7", original.parent / "copy" / "7"
    if not source.exists():
        shutil.copytree(original, source)
        redact(source, Redaction("12", 2_000, 2_300, "an address", "host", START_UNIX_MS))
        sign_tape(source, SPACE, SIGNER)
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(source, directory)
    path = directory / data.draw(st.sampled_from(sorted(entry.name for entry in source.iterdir())))
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    match data.draw(st.sampled_from(["flip", "cut", "append"])):
        case "flip":
            mask = data.draw(st.integers(1, 255))
            path.write_bytes(before[:at] + bytes([before[at] ^ mask]) + before[at + 1 :])
        case "cut":
            path.write_bytes(before[:at])
        case _:
            path.write_bytes(before + before[at:])
    intact = evidence_of(source, Codec.OPUS, lambda done, of: None).found
    try:
        evidence = evidence_of(directory, Codec.OPUS, lambda done, of: None)
    except OSError:
        raise AssertionError(path) from None
    differing = [n for n, leaf in enumerate(intact) if evidence.found[n : n + 1] != [leaf]]
    findings = [finding for finding in verify(evidence, SIGNER.verifier, SPACE).findings if finding.kind.is_damage]
    if evidence.found != intact:
        assert findings
    for number in differing:
        middle_ms = number * 100 + 50
        assert any(finding.from_ms <= middle_ms <= finding.to_ms for finding in findings), number
