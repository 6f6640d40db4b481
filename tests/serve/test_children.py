"""What the supervisor owes each process: the state machine behind it, one supervisor after another included."""

import itertools
import signal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from folkmoot.serve.children import (
    BACKOFF_FIRST_S,
    BACKOFF_MAX_S,
    RETIRE,
    RETIRE_WITHIN_S,
    SILENCES_MAX,
    STAGE_STOPS_WITHIN_S,
    STARTING,
    STOP_WITHIN_S,
    Child,
    Children,
    Known,
)
from folkmoot.serve.ports import PortShares
from folkmoot.settings import UDP_PORTS_PER_STAGE
from folkmoot.stage import protocol

KEPT = ["audience-0", "web", "worker"]


def running(kept: list[str] = KEPT, ports: range | None = None) -> Children:
    """Each has its place in `kept` as its pid, from 1."""
    children = Children(kept, PortShares(ports))
    for pid, name in enumerate(kept, 1):
        children[name].pid = pid
    return children


def after(before: Children, now_s: float = 100.0) -> Children:
    """Those of the supervisor that a reload makes."""
    children = Children(KEPT, PortShares(None))
    children.take_over(before.known(), now_s)
    return children


def due(children: Children, now_s: float) -> list[str]:
    return [child.name for child in children.due(now_s)]


def test_the_pause_that_is_told_is_the_pause_that_is_made() -> None:
    child = Child("web")
    pauses = []
    for _ in range(10):
        pauses.append(child.failed(1.0))
        assert child.due_s == 1.0 + pauses[-1]
    assert pauses[:3] == [0.0, BACKOFF_FIRST_S, 2 * BACKOFF_FIRST_S]
    assert pauses[-2:] == [BACKOFF_MAX_S, BACKOFF_MAX_S]


def test_without_ports_a_stage_waits_until_another_is_gone() -> None:
    ports = range(50_000, 50_000 + UDP_PORTS_PER_STAGE)
    children = running(ports=ports)
    for _ in range(2):
        children.want([7, 8], 0.0)
    assert due(children, 0.0) == ["stage-7"]
    assert children["stage-7"].ports == ports
    children.want([8], 0.0)
    children.want([8], 0.0)
    assert children["stage-8"].ports == ports


def test_a_stage_that_ends_by_itself_is_over_and_one_that_crashes_comes_back() -> None:
    children = running()
    children.want([7, 8], 0.0)
    children["stage-7"].pid, children["stage-8"].pid = 70, 80
    children.exited(70, 0, 1.0)
    children.exited(80, -9, 1.0)
    assert due(children, 1.0) == ["stage-8"]


def test_a_stage_that_is_not_wanted_is_told_and_then_killed_and_one_that_is_wedged_at_once() -> None:
    children = running()
    children.want([7, 8], 0.0)
    children["stage-7"].pid, children["stage-8"].pid = 70, 80
    children.want([8], 1.0)
    children.end_wedged([8, 9])
    assert children.signals == [(70, signal.SIGTERM), (80, signal.SIGKILL)]
    children.signals.clear()
    assert children.next_due_s() == 1.0 + STAGE_STOPS_WITHIN_S
    children.kill_late(1.0 + STAGE_STOPS_WITHIN_S)
    assert children.signals == [(70, signal.SIGKILL)]


def test_who_said_that_it_is_there_and_then_is_silent_is_killed_once_and_nobody_else() -> None:
    children = running()
    children.alive(1)
    for _ in range(SILENCES_MAX):
        children.end_silent()
    children.alive(1)
    for _ in range(SILENCES_MAX):
        children.end_silent()
    assert children.signals == []
    for _ in range(SILENCES_MAX + 2):
        children.end_silent()
    assert children.signals == [(1, signal.SIGKILL)]
    children.exited(1, -9, 100.0)
    assert due(children, 100.0) == ["audience-0"]


def test_who_never_says_that_it_is_there_is_killed_after_more_looks_and_so_is_the_next() -> None:
    children = running()
    for pid in (1, 11):
        children["audience-0"].pid = pid
        for _ in range(SILENCES_MAX - STARTING):
            children.end_silent()
        assert children.signals == []
        children.end_silent()
        assert children.signals == [(pid, signal.SIGKILL)]
        children.signals.clear()
        children.exited(pid, -9, 100.0)
        assert not children.are_watched


def test_an_audience_process_that_is_wedged_at_a_reload_is_killed_as_soon_as_any_other() -> None:
    """Its successor can't write to its listeners before it has them, or they have come anew."""
    before = running()
    before.alive(1)
    for _ in range(2):
        before.end_silent()
    children = after(before)
    children["audience-0"].pid = 11
    children.signals.clear()
    assert children.are_watched
    for _ in range(SILENCES_MAX - 2):
        children.alive(11)
        children.end_silent()
    assert children.signals == []
    for _ in range(5):
        children.alive(11)
        children.end_silent()
    assert children.signals == [(1, signal.SIGKILL)]


def test_an_audience_process_that_passes_its_listeners_on_and_says_so_stays() -> None:
    before = running()
    before.alive(1)
    children = after(before)
    children.signals.clear()
    for _ in range(SILENCES_MAX + 2):
        children.alive(1)
        children.end_silent()
    assert children.signals == []


def test_at_a_reload_stages_stay_and_nobody_is_told_to_go_but_the_worker() -> None:
    before = running()
    before.want([7], 0.0)
    before["stage-7"].pid = 70
    children = after(before)
    assert due(children, 100.0) == ["audience-0", "web"], "never two workers at a time"
    assert children.signals == [(3, signal.SIGTERM)]
    assert children["stage-7"].pid == 70
    assert set(children.pids()) == {1, 2, 3, 70}
    children.exited(3, 0, 100.1)
    assert due(children, 100.1) == ["audience-0", "web", "worker"]


def test_web_goes_when_the_new_one_is_ready_and_is_killed_if_it_does_not() -> None:
    children = after(running())
    children.signals.clear()
    children.kill_late(100.0 + STOP_WITHIN_S - 1)
    assert children.signals == []
    children.ready("web", 101.0)
    children.ready("web", 102.0)
    assert children.signals == [(2, RETIRE)]
    children.signals.clear()
    children.exited(3, 0, 102.0)
    children.exited(1, 0, 102.0)
    assert not children.settled
    children.kill_late(101.0 + RETIRE_WITHIN_S)
    assert children.signals == [(2, signal.SIGKILL)]
    children.exited(2, -9, 170.0)
    assert children.settled


def test_a_reload_is_the_way_out_when_the_new_web_never_gets_ready() -> None:
    children = after(running())
    children["web"].pid = 20
    for pid in (1, 3):  # the old audience and worker have gone
        children.exited(pid, 0, 101.0)
    assert children.settled
    children.signals.clear()
    known = children.known()
    assert children.signals == [(20, signal.SIGKILL)]
    assert [each.pid for each in known if each.name == "web"] == [2], "the one that serves"
    children = Children(KEPT, PortShares(None))
    children.take_over(known, 102.0)
    assert "web" in due(children, 102.0)
    children.ready("web", 103.0)
    assert (2, RETIRE) in children.signals


def test_an_old_audience_process_that_nobody_relieves_is_ended() -> None:
    children = after(running())
    children.signals.clear()
    children.exited(3, 0, 100.0)
    children.kill_late(100.0 + RETIRE_WITHIN_S)
    assert children.signals == [(1, signal.SIGKILL)]


def test_a_stage_that_would_not_understand_the_new_version_is_started_anew() -> None:
    known = Known("stage-7", 70, 1.0, 7, protocol=protocol.VERSION - 1)
    children = Children(KEPT, PortShares(None))
    children.take_over([known], 100.0)
    assert children.signals == [(70, signal.SIGTERM)]
    children.exited(70, 0, 101.0)
    children.want([7], 101.0)
    assert due(children, 101.0) == [*KEPT, "stage-7"]


def test_ports_stay_with_their_stage_whatever_the_settings_say_now() -> None:
    old = range(50_040, 50_040 + UDP_PORTS_PER_STAGE)
    known = Known("stage-7", 70, 1.0, 7, (old.start, old.stop))
    children = Children(KEPT, PortShares(range(50_000, 50_000 + 2 * UDP_PORTS_PER_STAGE)))
    children.take_over([known], 100.0)
    children.want([7, 8], 100.0)
    assert "stage-8" not in due(children, 100.0), "both shares have ports of that stage"
    children.exited(70, 0, 101.0)
    children.want([8], 101.0)
    children.want([8], 101.0)
    assert "stage-8" in due(children, 101.0)


class ChildrenMachine(RuleBasedStateMachine):
    """Any order of wanting, crashing, stopping, passing time and reloading."""

    def __init__(self) -> None:
        super().__init__()
        self.children = Children(KEPT, PortShares(None))
        self.now_s = 0.0
        self.pids = itertools.count(1)
        self.alive: dict[int, str] = {}
        self.look()

    def look(self) -> None:
        """What the supervisor does; whoever is killed is dead."""
        for child in self.children.due(self.now_s):
            child.pid, child.started_s = next(self.pids), self.now_s
            self.alive[child.pid] = child.name
        self.children.kill_late(self.now_s)
        for pid, number in self.children.signals:
            assert pid in self.alive, "a number that may be somebody else's by now"
            if number is signal.SIGKILL:
                self.end(pid, -9)
        self.children.signals.clear()

    def end(self, pid: int, code: int) -> None:
        if self.alive.pop(pid, None) is not None:
            self.children.exited(pid, code, self.now_s)

    @rule(space_ids=st.sets(st.integers(1, 3)))
    def want(self, space_ids: set[int]) -> None:
        self.children.want(space_ids, self.now_s)
        self.look()

    @rule(data=st.data(), code=st.sampled_from([0, 1, -9]))
    @precondition(lambda self: self.alive)
    def exit(self, data: st.DataObject, code: int) -> None:
        self.end(data.draw(st.sampled_from(sorted(self.alive))), code)
        self.look()

    @rule(duration_s=st.sampled_from([0.05, 1.0, 10.0, 100.0]))
    def pass_time(self, duration_s: float) -> None:
        self.now_s += duration_s
        self.look()

    @rule()
    def web_is_ready(self) -> None:
        if self.children["web"].pid is not None:
            self.children.ready("web", self.now_s)
            self.look()

    @rule()
    @precondition(lambda self: self.children.settled)
    def reload(self) -> None:
        known = self.children.known()
        for pid, _ in self.children.signals:
            self.end(pid, -9)
        self.children = Children(KEPT, PortShares(None))
        self.children.take_over(known, self.now_s)
        self.look()

    @invariant()
    def every_process_is_known(self) -> None:
        assert self.children.pids() == self.alive

    @invariant()
    def there_is_one_worker_and_one_of_each_stage(self) -> None:
        names = [name for name in self.alive.values() if name == "worker" or name.startswith("stage-")]
        assert len(names) == len(set(names))

    def teardown(self) -> None:
        """Whatever happened, in the end each runs once."""
        for _ in range(6):
            self.web_is_ready()
            self.pass_time(100.0)
        assert sorted(name for name in self.alive.values() if name in KEPT) == sorted(KEPT)
        assert self.children.settled


TestChildren = ChildrenMachine.TestCase
TestChildren.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
