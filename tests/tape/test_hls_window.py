"""The live playlist over the life of a tape, held against the draft's rules on tapes of every shape."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from tests.support import hls_rules
from tests.support.hls_rules import Violation

from folkmoot.tape import hls
from folkmoot.tape.hls_window import HlsWindow, Place, part_target_samples
from folkmoot.tape.model import SEGMENT_SAMPLES, Codec, PartRef

START_UNIX_MS = 1_700_000_000_000


def refs(codec: Codec, frames: Sequence[int]) -> list[PartRef]:
    """Parts with so many frames each, one after the other."""
    found: list[PartRef] = []
    at = offset = 0
    for number, count in enumerate(frames):
        duration, segment = count * codec.frame_samples, at // SEGMENT_SAMPLES
        found.append(PartRef(codec, number, at, duration, offset, 10 * count, 5, segment, 0, 0, False, False))
        at, offset = at + duration, offset + 10 * count
    return found


def steady(codec: Codec, steps: int) -> list[int]:
    """As the encoder gives them: 100 ms of Opus; of AAC, which is two to three frames behind, what has come."""
    if codec is Codec.OPUS:
        return [5] * steps
    ready = [max(0, (step + 1) * 4_800 // 1_024 - 2) for step in range(steps)]
    return [now - before for before, now in zip([0, *ready], ready, strict=False)]


def as_read(window: HlsWindow, *, skip: bool = False) -> hls_rules.Playlist:
    return hls_rules.read(hls.live_playlist(window, timeline_unix_ms=START_UNIX_MS, skip=skip))


# What a tape can hold: steps of the encoder, the silence of a gap, and the odd ends before and after it.
stretches = some.lists(
    some.one_of(
        some.integers(1, 120).map(lambda count: ("steps", count)),
        some.integers(1, 90).map(lambda count: ("gap", count)),
        some.integers(1, 5).map(lambda count: ("odd", count)),
    ),
    min_size=1,
    max_size=8,
)


def tape(codec: Codec, drawn: list[tuple[str, int]]) -> list[PartRef]:
    frames: list[int] = []
    for kind, count in drawn:
        frames += {"steps": steady(codec, count), "gap": [5] * count, "odd": [count]}[kind]
    return refs(codec, [count for count in frames if count])


@settings(deadline=None, max_examples=40)
@given(some.sampled_from(Codec), stretches, some.integers(2, 60), some.sampled_from([20_000, 28_000, 600_000]))
def test_every_playlist_of_every_tape_keeps_the_rules(
    codec: Codec, drawn: list[tuple[str, int]], every: int, kept_ms: int
) -> None:
    window, reloads, held = HlsWindow(codec), hls_rules.Reloads(), None
    parts = tape(codec, drawn)
    for at in range(0, len(parts), every):
        window.append(parts[at : at + every])
        window.forget_before(parts[min(at + every, len(parts)) - 1].end_samples - kept_ms * 48)
        playlist, delta = as_read(window), as_read(window, skip=True)
        if playlist.segments:
            reloads.see(playlist)
            if held is not None and held.first <= playlist.first < held.next_segment:
                whole = hls_rules.applied(held, delta)
                assert [(s.uri, s.duration_s, s.date_time) for s in whole.segments] == [
                    (s.uri, s.duration_s, s.date_time) for s in playlist.segments
                ]
                assert whole.open_parts == playlist.open_parts
            held = playlist
    window.end()
    last = as_read(window)
    if last.segments:
        reloads.see(last)
    assert last.ended


@settings(deadline=None, max_examples=40)
@given(some.sampled_from(Codec), stretches)
def test_parts_hold_all_there_is_once(codec: Codec, drawn: list[tuple[str, int]]) -> None:
    window, parts = HlsWindow(codec), tape(codec, drawn)
    window.append(parts)
    window.end()
    listed = [part.ref for segment in window.segments for part in segment.parts]
    assert sum(ref.length for ref in listed) == sum(part.length for part in parts)
    for before, after in pairwise(listed):
        assert before.end_samples == after.start_samples
        assert before.offset + before.length == after.offset
    assert all(ref.duration_samples <= part_target_samples(codec) for ref in listed)


@settings(deadline=None, max_examples=40)
@given(some.sampled_from(Codec), stretches, some.integers(0, 400))
def test_a_window_that_is_opened_late_counts_the_same(
    codec: Codec, drawn: list[tuple[str, int]], late: int
) -> None:
    parts = tape(codec, drawn)
    early = HlsWindow(codec)
    early.append(parts)
    first = parts[min(late, len(parts) - 1)].segment
    opened = HlsWindow(codec, [segment.ref for segment in early.segments if segment.ref.number < first])
    opened.append(part for part in parts if part.segment >= first)
    assert opened.next_part == early.next_part
    assert opened.open_parts == early.open_parts
    assert [segment.ref for segment in opened.segments] == [segment.ref for segment in early.segments]
    assert opened.next_number == early.next_number


@pytest.mark.parametrize("codec", Codec)
def test_at_a_steady_pace_parts_are_of_almost_one_length(codec: Codec) -> None:
    window = HlsWindow(codec)
    window.append(refs(codec, [count for count in steady(codec, 200) if count]))
    durations = {part.ref.duration_samples for segment in list(window.segments)[1:] for part in segment.parts[:-1]}
    assert all(duration >= 0.85 * part_target_samples(codec) for duration in durations)


def test_what_is_waited_for() -> None:
    window = HlsWindow(Codec.OPUS)
    window.append(refs(Codec.OPUS, [5] * 47))
    assert window.next_part == Place(1, 3)
    assert window.has(Place(1, 2))
    assert window.has(Place(0, 19))
    assert not window.has(Place(1, 3))
    assert window.has_segment(0)
    assert not window.has_segment(1)
    assert not window.is_absurd(2, 14)
    assert not window.is_absurd(1, 17)
    assert window.is_absurd(1, 18)
    assert window.is_absurd(2, 15)
    assert window.is_absurd(3, None)
    assert window.find(Place(1, 2)) == window.open_parts[2]
    assert window.find(Place(1, 3)) is None
    assert window.find(Place(9, 0)) is None


def test_beyond_the_last_part_of_a_segment_is_the_first_of_the_next() -> None:
    window = HlsWindow(Codec.OPUS)
    whole = refs(Codec.OPUS, [5] * 42)
    window.append(whole[:40])
    assert window.has(Place(0, 19))
    assert not window.has(Place(0, 20))
    assert not window.has(Place(0, 999))
    window.append(whole[40:])
    assert window.has(Place(0, 20))


def test_the_validator_sees_what_is_wrong() -> None:
    window = HlsWindow(Codec.OPUS)
    window.append(refs(Codec.OPUS, [5] * 300))
    text = hls.live_playlist(window, timeline_unix_ms=START_UNIX_MS)
    for wrong in (
        text.replace("EXTINF:4.00000", "EXTINF:4.60000"),
        text.replace("DURATION=0.20000", "DURATION=0.25000"),
        text.replace("DURATION=0.20000", "DURATION=0.15000", 1).replace(",INDEPENDENT=YES", "", 1),
        text.replace("CAN-SKIP-UNTIL=24.0", "CAN-SKIP-UNTIL=12.0"),
        text.replace("PART-HOLD-BACK=0.60000", "PART-HOLD-BACK=0.30000"),
        text.replace("#EXT-X-PRELOAD-HINT", "#EXT-X-ENDLIST\n#EXT-X-PRELOAD-HINT"),
        text.replace('HINT:TYPE=PART,URI="7.10.m4s"', 'HINT:TYPE=PART,URI="7.9.m4s"'),
        text.replace('#EXT-X-MAP:URI="init.mp4"\n', ""),
        text.replace("#EXT-X-TARGETDURATION:4\n", ""),
    ):
        assert wrong != text
        with pytest.raises(Violation):
            hls_rules.check(hls_rules.read(wrong))
    reloads = hls_rules.Reloads()
    reloads.see(hls_rules.read(text))
    for wrong in (
        text.replace("\n6.m4s", "\n6.r1.m4s"),
        text.replace("MEDIA-SEQUENCE:0", "MEDIA-SEQUENCE:1"),
        text.replace('URI="7.10.m4s"', 'URI="7.10.r1.m4s"'),
    ):
        with pytest.raises(Violation):
            reloads.see(hls_rules.read(wrong))
