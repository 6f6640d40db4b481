"""What the bench of suspensions makes of the moments at which things ended."""

from folkmoot.bench.holders import Kind, Over, next_segment, since_ms
from folkmoot.bench.removal import Removed
from folkmoot.bench.standing import HELD, Closed, Suspended, _p99_bound_ms, _results, removal_results


def test_the_next_segment_is_the_one_that_the_playlist_lacks() -> None:
    assert next_segment("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:4,\n7.m4s\n#EXTINF:4,\n8.m4s\n") == 9
    assert next_segment("#EXTM3U\n#EXTINF:4,\n0.m4s\n") == 1


def test_times_count_from_the_commit_and_what_is_open_yet_never_ended() -> None:
    over = [Over(Kind.STREAM, [(1, 10.5), (2, 12.25)], 1)]
    assert since_ms(over, {1: 10.0, 2: 12.0}) == [500.0, 250.0, float("inf")], "each from its holder's commit"


def decision(committed_s: float, kinds: tuple[Kind, ...], after_s: float, open_yet: int = 0) -> Suspended:
    over = [Over(kind, [(7, committed_s + after_s)] * 10, open_yet) for kind in kinds]
    return Suspended(1.0, {7: committed_s}, over)


def crowd(p99_ms: float | None, open_yet: int = 0) -> Closed:
    return Closed(1.0, p99_ms, p99_ms or 0.0, open_yet, 5.0)


def test_one_figure_is_the_worst_of_all_kinds() -> None:
    floor = decision(50.0, (Kind.PLAIN,), 0.01)
    found = {one.name: one for one in _results(decision(10.0, HELD, 0.1), crowd(300.0), floor)}
    assert found["closed_p99_ms"].value == 300
    assert found["closed_p99_ms"].ratio == 30
    assert found["stream_p99_ms"].value == 100
    assert all(one.holds for one in found.values())


def test_what_stays_open_holds_nothing() -> None:
    floor = decision(50.0, (Kind.PLAIN,), 0.01)
    one_open = decision(10.0, HELD, 0.1, open_yet=1)
    found = {one.name: one for one in _results(one_open, crowd(None, open_yet=7), floor)}
    assert found["open_yet"].value == len(HELD) + 7
    assert not found["open_yet"].holds
    assert found["closed_p99_ms"].value is None
    assert not found["closed_p99_ms"].holds


def test_who_is_removed_has_to_be_gone_and_nobody_else_may_lose_anything() -> None:
    assert all(one.holds for one in removal_results(Removed(120.0, 0, 0, 0)))
    assert not any(one.holds for one in removal_results(Removed(None, 1, 0, 1)))


def test_how_late_ticks_were_is_told_by_the_bound_that_nearly_all_kept() -> None:
    assert _p99_bound_ms([99, 1, 0]) == 1
    assert _p99_bound_ms([97, 0, 0, 3]) == 10
    assert _p99_bound_ms([0.0] * 10) is None
    assert _p99_bound_ms([0.0] * 9 + [5.0]) is None
