"""When new listeners are sent to HLS: at the operator's limit, or while the machine is late or short of memory."""

from folkmoot.audience.ceiling import CROWD_MIN, FREE_MEMORY_MB_MIN, QUIET_S, Ceiling
from folkmoot.audience.fanout import LATENESS_MS
from folkmoot.audience.wire import Report

ROOMY_MB = 4 * FREE_MEMORY_MB_MIN


class Workers:
    """Reports of one worker, whose ticks add up."""

    def __init__(self, connected: int = 2 * CROWD_MIN) -> None:
        self._connected = connected
        self._ticks = [0] * (len(LATENESS_MS) + 1)

    def tick(self, *, on_time: int = 0, late: int = 0) -> list[Report]:
        self._ticks[1] += on_time
        self._ticks[-2] += late
        return [Report(0, self._connected, 20_000, {}, {}, tuple(self._ticks))]


def test_the_operators_limit_is_exact() -> None:
    ceiling = Ceiling(3)
    assert [ceiling.is_reached(connected, 0.0) for connected in range(5)] == [False, False, False, True, True]
    assert Ceiling(0).is_reached(0, 0.0)
    assert not Ceiling().is_reached(1_000_000, 0.0)


def test_late_workers_send_new_listeners_away_until_it_was_quiet_for_a_while() -> None:
    ceiling, workers = Ceiling(), Workers()
    ceiling.look(workers.tick(on_time=50), ROOMY_MB, 0.0)
    ceiling.look(workers.tick(on_time=48, late=2), ROOMY_MB, 0.5)
    assert not ceiling.is_reached(2_000, 0.5)
    ceiling.look(workers.tick(on_time=40, late=10), ROOMY_MB, 1.0)
    assert ceiling.is_reached(2_000, 1.0)
    ceiling.look(workers.tick(on_time=50), ROOMY_MB, 5.0)
    assert ceiling.is_reached(2_000, 1.0 + QUIET_S - 0.1)
    assert not ceiling.is_reached(2_000, 1.0 + QUIET_S)


def test_a_bad_moment_now_and_then_turns_nobody_away() -> None:
    ceiling, workers = Ceiling(), Workers()
    for look in range(240):
        late = 6 if look % 21 == 5 else 0
        ceiling.look(workers.tick(on_time=50 - late, late=late), ROOMY_MB, look / 2)
        assert not ceiling.is_reached(2_000, look / 2)


def test_few_listeners_are_not_what_makes_a_machine_late() -> None:
    ceiling, workers = Ceiling(), Workers(CROWD_MIN - 1)
    ceiling.look(workers.tick(on_time=1), ROOMY_MB, 0.0)
    ceiling.look(workers.tick(late=50), ROOMY_MB, 0.5)
    assert not ceiling.is_reached(CROWD_MIN, 0.5)


def test_workers_that_are_new_or_gone_say_nothing_yet() -> None:
    ceiling, workers = Ceiling(), Workers()
    ceiling.look(workers.tick(on_time=10, late=90), ROOMY_MB, 0.0)
    assert not ceiling.is_reached(2_000, 0.0)
    ceiling.look([], ROOMY_MB, 0.5)
    ceiling.look(Workers().tick(late=90), ROOMY_MB, 1.0)
    ceiling.look(Workers().tick(late=10), ROOMY_MB, 1.5)
    assert not ceiling.is_reached(2_000, 1.5)


def test_short_memory_sends_new_listeners_away() -> None:
    ceiling = Ceiling()
    ceiling.look(Workers(0).tick(), FREE_MEMORY_MB_MIN - 1, 0.0)
    assert ceiling.is_reached(1, 0.0)
