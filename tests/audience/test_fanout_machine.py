"""Any order of joining, leaving, speaking, stalling and revoking: what a listener gets stays a stream."""

import itertools
import re

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.audience.house import INIT, FakeSockets, ScriptedTape

from folkmoot.audience.fanout import MOVED
from folkmoot.audience.groups import SKIPS_MAX
from folkmoot.audience.passing import PassingFanout
from folkmoot.audience.wire import Arrival, decode_moved, encode_moved

SPACES = (1, 2)
PART = re.compile(rb"<(\d+)>")


class FanoutMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.tapes = {space_id: ScriptedTape() for space_id in SPACES}
        self.sockets = FakeSockets()
        self.window_ms = 100
        self.fanout = self.worker()
        self.now_ms = 10_000
        self.numbers = itertools.count(1)
        self.space_of: dict[int, int] = {}
        self.ever_full: set[int] = set()
        self.stalled = False

    def worker(self) -> PassingFanout:
        """A worker that nobody listens to yet."""
        return PassingFanout(self.sockets, lambda space_id: self.tapes[space_id].open(), lambda _: self.window_ms)

    @rule(space_id=st.sampled_from(SPACES), account=st.integers(1, 3))
    def join(self, space_id: int, account: int) -> None:
        socket = next(self.numbers)
        stamps = ((f"account:{account}", 0), (f"space:{space_id}", 0))
        self.space_of[socket] = space_id
        self.fanout.join(socket, Arrival(space_id, "opus", False, stamps, b""), self.now_ms)

    @rule(parts=st.integers(1, 12), steps=st.integers(1, 8))
    def speak(self, parts: int, steps: int) -> None:
        for _ in range(parts):
            self.append()
            self.pass_ms(100, steps)

    @rule(window_ms=st.sampled_from([100, 200, 500, 1000]))
    def change_load(self, window_ms: int) -> None:
        self.window_ms = window_ms

    @rule(late_ms=st.integers(0, 3_000))
    def stall(self, late_ms: int) -> None:
        """The worker gets no time, while the speaker goes on."""
        for _ in range(late_ms // 100):
            self.append()
        self.stalled |= late_ms >= 500
        self.pass_ms(late_ms, 1)

    @precondition(lambda self: len(self.fanout) > 0)
    @rule(data=st.data(), room=st.integers(0, 30))
    def fill(self, data: st.DataObject, room: int) -> None:
        socket = data.draw(st.sampled_from(self.fanout.sockets()))
        self.sockets.room[socket] = room
        self.ever_full.add(socket)

    @rule()
    def drain(self) -> None:
        self.sockets.room.clear()

    @precondition(lambda self: len(self.fanout) > 0)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        self.fanout.remove([data.draw(st.sampled_from(self.fanout.sockets()))])

    @precondition(lambda self: len(self.fanout) > 0)
    @rule(data=st.data())
    def break_connection(self, data: st.DataObject) -> None:
        self.sockets.broken.add(data.draw(st.sampled_from(self.fanout.sockets())))

    @rule(account=st.integers(1, 3), counter=st.integers(0, 1))
    def revoke(self, account: int, counter: int) -> None:
        self.fanout.revoke({f"account:{account}": counter})

    @rule(at_once=st.integers(1, 5), speaks=st.booleans(), new_first=st.booleans())
    def take_over(self, at_once: int, speaks: bool, new_first: bool) -> None:
        """Another worker takes everybody over, a few at a time; both go on writing to those whom they have."""
        old, new = self.fanout, self.worker()
        while (exported := old.export(at_once)) is not None:
            moved, sockets = exported
            old.remove(sockets, MOVED)
            assert [socket for socket, _ in old.closed] == sockets
            old.closed.clear()
            new.resume(decode_moved(encode_moved(moved)), sockets, self.now_ms)
            for each in (new, old) if new_first else (old, new):
                self.fanout = each
                if speaks:
                    self.append()
                self.pass_ms(100 if speaks else 10, 2)
                self.close_sockets()
        assert len(old) == 0
        self.fanout = new

    def append(self) -> None:
        for tape in self.tapes.values():
            tape.append(b"<%d>" % len(tape.parts["opus"]))

    def pass_ms(self, duration_ms: int, steps: int) -> None:
        end_ms = self.now_ms + duration_ms
        for step in range(1, steps + 1):
            self.now_ms = max(self.now_ms, end_ms - duration_ms * (steps - step) // steps)
            for _ in range(100):
                if not self.fanout.serve(self.now_ms):
                    break
            else:
                raise AssertionError("serving at one moment never ends")

    def close_sockets(self) -> None:
        closed = [socket for socket, _ in self.fanout.closed]
        assert len(set(closed)) == len(closed)
        assert not self.sockets.closed & set(closed)
        assert not set(closed) & set(self.fanout.sockets())
        self.sockets.closed.update(closed)
        self.fanout.closed.clear()

    @invariant()
    def counts_are_the_sockets(self) -> None:
        self.close_sockets()
        connected = set(self.space_of) - self.sockets.closed
        assert connected == set(self.fanout.sockets())
        for space_id in SPACES:
            assert self.fanout.count(space_id) == sum(self.space_of[socket] == space_id for socket in connected)
        assert sum(self.fanout._slot_listeners) == len(connected)

    @invariant()
    def what_came_is_a_stream_of_whole_parts_in_order(self) -> None:
        for socket, taken in self.sockets.taken.items():
            stream = bytes(taken)
            assert stream.startswith(INIT) or INIT.startswith(stream)
            body = stream[len(INIT) :]
            numbers = [int(number) for number in PART.findall(body)]
            assert numbers == sorted(set(numbers))
            whole = b"".join(b"<%d>" % number for number in numbers)
            assert body.startswith(whole)
            if socket not in self.ever_full:
                assert body == whole
                if not self.stalled:
                    assert not numbers or numbers == list(range(numbers[0], numbers[-1] + 1))

    @invariant()
    def nobody_is_carried_for_long(self) -> None:
        for _, _, _, group in self.fanout._due:
            assert all(behind.skips < SKIPS_MAX for behind in group.behind.values())

    def teardown(self) -> None:
        self.fanout.remove(self.fanout.sockets())
        assert all(tape.closed for tape in self.tapes.values())


TestFanout = FanoutMachine.TestCase
TestFanout.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
