"""What the bench of suspensions makes of the moments at which things ended."""

from folkmoot.bench.holders import Kind, Over, next_segment, since_ms
from folkmoot.bench.standing import HELD, Suspended, _results


def test_the_next_segment_is_the_one_that_the_playlist_lacks() -> None:
    assert next_segment("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:4,\n7.m4s\n#EXTINF:4,\n8.m4s\n") == 9
    assert next_segment("#EXTM3U\n#EXTINF:4,\n0.m4s\n") == 1


def test_times_count_from_the_commit_and_what_is_open_yet_never_ended() -> None:
    assert since_ms([Over(Kind.STREAM, [10.5, 10.25], 1)], 10.0) == [500.0, 250.0, float("inf")]


def decision(committed_s: float, kinds: tuple[Kind, ...], after_s: float, open_yet: int = 0) -> Suspended:
    return Suspended(1.0, committed_s, [Over(kind, [committed_s + after_s] * 10, open_yet) for kind in kinds])


def test_one_figure_is_the_worst_of_all_kinds_whenever_each_was_decided() -> None:
    floor = decision(50.0, (Kind.PLAIN,), 0.01)
    found = {
        one.name: one for one in _results(decision(10.0, HELD, 0.1), decision(20.0, (Kind.AUDIENCE,), 0.3), floor)
    }
    assert found["closed_p99_ms"].value == 300
    assert found["closed_p99_ms"].ratio == 30
    assert found["stream_p99_ms"].value == 100
    assert all(one.holds for one in found.values())


def test_what_stays_open_holds_nothing() -> None:
    floor = decision(50.0, (Kind.PLAIN,), 0.01)
    one_open = decision(10.0, HELD, 0.1, open_yet=1)
    found = {one.name: one for one in _results(one_open, decision(20.0, (Kind.AUDIENCE,), 0.3), floor)}
    assert found["open_yet"].value == len(HELD)
    assert not found["open_yet"].holds
    assert found["closed_p99_ms"].value is None
    assert not found["closed_p99_ms"].holds
