"""The core over scripted tapes and sockets; the time is a number."""

import pytest
from tests.audience.house import INIT, FakeSockets, ScriptedReader, ScriptedTape

from folkmoot.audience import fanout, live, windows
from folkmoot.audience.fanout import Fanout
from folkmoot.audience.members import BACKLOG_PARTS_MAX
from folkmoot.audience.responses import chunk
from folkmoot.audience.wire import Arrival, Stamp
from folkmoot.tape.model import TapeError


class Room:
    """A fan-out with everything around it, and a clock that a test turns."""

    def __init__(self, window_ms: int = 100) -> None:
        self.tapes: dict[int, ScriptedTape] = {1: ScriptedTape()}
        self.sockets = FakeSockets()
        self.window_ms = window_ms
        self.fanout = Fanout(self.sockets, self._open, lambda _: self.window_ms)
        self.now_ms = 1_000_000
        self.reasons: dict[int, str] = {}

    @property
    def tape(self) -> ScriptedTape:
        return self.tapes[1]

    def join(
        self,
        socket: int,
        space_id: int = 1,
        *,
        codec: str = "opus",
        chunked: bool = True,
        stamps: tuple[Stamp, ...] = (),
    ) -> None:
        self.fanout.join(socket, Arrival(space_id, codec, chunked, stamps, b"HEAD"), self.now_ms)
        self._close()

    def pass_ms(self, duration_ms: int, step_ms: int = 1) -> None:
        for _ in range(0, duration_ms, step_ms):
            self.now_ms += step_ms
            while self.fanout.serve(self.now_ms):
                pass
            self._close()

    def speak(self, *parts: bytes) -> None:
        """Appends a part every 100 ms and lets the time pass."""
        for part in parts:
            for tape in self.tapes.values():
                tape.append(part)
            self.pass_ms(100)

    def got(self, socket: int) -> bytes:
        return bytes(self.sockets.taken[socket])

    def _open(self, space_id: int) -> ScriptedReader | None:
        return self.tapes[space_id].open() if space_id in self.tapes else None

    def _close(self) -> None:
        for socket, reason in self.fanout.closed:
            self.sockets.closed.add(socket)
            assert socket not in self.reasons, "closed twice"
            self.reasons[socket] = reason
        self.fanout.closed.clear()


@pytest.fixture
def room() -> Room:
    return Room()


def test_who_joins_gets_head_init_and_newest_part_at_once_then_each_part_as_it_comes(room: Room) -> None:
    room.speak(b"a", b"b")
    room.join(7)
    assert room.got(7) == b"HEAD" + chunk(INIT) + chunk(b"b")
    room.speak(b"c", b"d")
    assert room.got(7) == b"HEAD" + chunk(INIT) + chunk(b"b") + chunk(b"c") + chunk(b"d")


def test_in_a_small_space_a_part_is_out_three_milliseconds_after_it_was_appended(room: Room) -> None:
    room.join(7)
    room.speak(*[b"%d" % number for number in range(8)])  # the fan-out has found the rhythm
    room.tape.append(b"new")
    room.pass_ms(3)
    assert room.got(7).endswith(chunk(b"new"))


def test_old_http_gets_the_same_bytes_without_framing(room: Room) -> None:
    room.speak(b"a")
    room.join(7, chunked=False)
    room.join(8)
    room.speak(b"b")
    assert room.got(7) == b"HEAD" + INIT + b"ab"
    assert room.got(8) == b"HEAD" + chunk(INIT) + chunk(b"a") + chunk(b"b")


def test_at_scale_groups_take_turns_and_get_a_window_each(room: Room) -> None:
    room.window_ms = 1000
    room.speak(*[b"%d" % number for number in range(10)])
    for socket in range(fanout.GROUP_LISTENERS + 1):
        room.join(socket)
    first, second = 0, fanout.GROUP_LISTENERS
    newest = chunk(b"0123456789")
    assert room.got(first) == room.got(second) == b"HEAD" + chunk(INIT) + newest
    room.speak(*[b"%d" % number for number in range(10)])
    writes = [len(room.got(socket)) > len(room.got(first)) for socket in (first, second)]
    assert len(set(room.fanout.sockets())) == fanout.GROUP_LISTENERS + 1
    assert room.fanout.metrics.writes == fanout.GROUP_LISTENERS + 1, f"one write each in a window {writes}"


def test_a_change_of_window_loses_nothing(room: Room) -> None:
    room.join(7)
    sent = [b"<%d>" % number for number in range(60)]
    for number, part in enumerate(sent):
        room.window_ms = (100, 1000, 200, 500)[number // 15]
        room.speak(part)
    room.window_ms = 100
    room.pass_ms(1000)
    assert b"".join(sent) in unframed(room.got(7))


def test_a_late_worker_drops_the_ticks_it_missed_and_keeps_the_sound(room: Room) -> None:
    room.window_ms = 1000
    room.speak(b"a")
    room.join(7)
    for part in (b"b", b"c"):
        room.tape.append(part)
    room.now_ms += 2_500
    served = 0
    while room.fanout.serve(room.now_ms):
        served += 1
    assert served == 1
    assert room.got(7).endswith(chunk(b"bc"))
    assert room.fanout.lateness[-1] == 1


@pytest.mark.parametrize(
    ("window_ms", "delays"), [(100, {10: 10}), (1000, {10: 2, 100: 1, 200: 1, 500: 3, 1000: 3})]
)
def test_how_old_parts_are_when_they_are_written(room: Room, window_ms: int, delays: dict[int, int]) -> None:
    room.window_ms = window_ms
    room.speak(b"a")
    room.join(7)
    for part in b"bcdefghijk":
        room.speak(bytes([part]))
    room.pass_ms(1000)
    counted = dict(zip(fanout.DELAYS_MS, room.fanout.delays, strict=False))
    assert {bound_ms: parts for bound_ms, parts in counted.items() if parts} == delays


def test_after_a_long_stall_only_the_newest_window_goes_out(room: Room) -> None:
    room.join(7)
    for number in range(BACKLOG_PARTS_MAX + 5):
        room.tape.append(b"<%d>" % number)
    room.pass_ms(100)
    newest = b"<%d>" % (BACKLOG_PARTS_MAX + 4)
    assert room.got(7) == b"HEAD" + chunk(INIT) + chunk(newest)


@pytest.mark.parametrize("window_ms", [100, 1000])
def test_while_a_stage_is_silent_something_comes_that_plays_as_nothing(room: Room, window_ms: int) -> None:
    """So that a player can tell a dead network by six seconds without a byte."""
    room.window_ms = window_ms
    room.join(7)
    room.join(8, chunked=False)
    room.speak(b"a", b"b")
    room.pass_ms(window_ms)
    heard, old = room.got(7), room.got(8)
    room.pass_ms(7_000)
    silence = room.got(7).removeprefix(heard)
    idle = live.IDLE["opus"]
    assert set(silence.split(chunk(idle))) == {b""}
    assert silence.count(idle) in (2, 3)
    assert room.got(8) == old + silence.count(idle) * idle
    room.speak(b"c")
    room.pass_ms(window_ms)
    assert room.got(7) == heard + silence + chunk(b"c")


def test_the_end_of_the_tape_ends_the_body_after_the_last_part(room: Room) -> None:
    room.join(7)
    room.speak(b"a")
    room.tape.append(b"last")
    room.tape.ended = True
    room.pass_ms(200)
    assert room.got(7).endswith(chunk(b"last") + b"0\r\n\r\n")
    assert room.reasons == {7: fanout.ENDED}
    assert room.tape.closed
    assert room.fanout.due_ms() is None


def test_who_did_not_take_the_end_is_set_apart(room: Room) -> None:
    for socket in (7, 8):
        room.join(socket)
    room.sockets.room[8] = 0
    room.tape.append(b"last")
    room.tape.ended = True
    room.pass_ms(200)
    assert room.reasons == {7: fanout.ENDED, 8: fanout.BROKEN_OFF}
    assert room.tape.closed
    assert len(room.fanout) == 0


def test_at_scale_all_hear_of_the_end_at_once_and_not_at_their_turn(room: Room) -> None:
    room.window_ms = 1000
    for socket in range(fanout.GROUP_LISTENERS * 30):
        room.join(socket)
    room.speak(*[b"p%d" % number for number in range(10)])
    room.tape.append(b"last")
    room.tape.ended = True
    room.pass_ms(200)
    assert set(room.reasons.values()) == {fanout.ENDED}
    assert len(room.reasons) == fanout.GROUP_LISTENERS * 30
    for socket in range(0, len(room.reasons), fanout.GROUP_LISTENERS // 2):
        assert room.got(socket).endswith(b"last\r\n0\r\n\r\n")


def test_many_groups_do_not_each_look_for_the_end(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    monkeypatch.setattr(ScriptedReader, "refresh", lambda _: looks.append(room.now_ms))
    room.window_ms = 1000
    for socket in range(fanout.GROUP_LISTENERS * 30):
        room.join(socket)
    room.pass_ms(1000)
    looks.clear()
    room.pass_ms(1000)
    assert len(looks) <= 30 + 1000 // windows.TICK_MS


def test_a_small_space_of_a_large_house_hears_of_its_end_before_its_turn(room: Room) -> None:
    room.window_ms = 1000
    room.join(7)
    room.speak(b"a")
    room.tape.ended = True
    room.pass_ms(windows.look_ms(1) + 1)
    assert room.reasons == {7: fanout.ENDED}


def test_who_comes_after_the_end_is_told(room: Room) -> None:
    room.tape.ended = True
    room.join(7)
    assert room.got(7).startswith(b"HTTP/1.1 410 ")
    assert room.reasons == {7: fanout.REFUSED}
    assert room.tape.closed


def test_who_comes_before_the_first_sound_waits_for_it(room: Room) -> None:
    room.join(7, space_id=2)
    room.join(8, space_id=2)
    assert room.fanout.count(2) == 2
    assert 7 not in room.sockets.taken
    room.tapes[2] = ScriptedTape()
    room.tapes[2].append(b"a")
    room.pass_ms(150)
    assert room.got(7) == room.got(8) == b"HEAD" + chunk(INIT) + chunk(b"a")
    assert room.fanout.count(2) == 2


def test_who_waits_in_vain_is_told(room: Room) -> None:
    room.join(7, space_id=2)
    room.join(8, space_id=1, codec="aac")
    room.pass_ms(fanout.WAIT_MS_MAX + 300, step_ms=50)
    assert room.got(7).startswith(b"HTTP/1.1 503 ")
    assert b"retry-after" in room.got(8)
    assert len(room.fanout) == 0
    assert room.fanout.due_ms() is None


def test_many_who_wait_are_let_in_a_bounded_number_at_a_time(room: Room) -> None:
    for socket in range(fanout.WAITING_PLACED_MAX + 10):
        room.join(socket, space_id=2)
    room.fanout.remove([3])
    room.tapes[2] = ScriptedTape()
    room.pass_ms(fanout.WAIT_STEP_MS)
    assert len(room.sockets.taken) == fanout.WAITING_PLACED_MAX
    room.pass_ms(fanout.WAIT_STEP_MS)
    assert len(room.sockets.taken) == fanout.WAITING_PLACED_MAX + 9
    assert room.fanout.count(2) == fanout.WAITING_PLACED_MAX + 9


def test_a_crowd_is_closed_in_pieces_and_no_newer_socket_of_the_same_number(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "LOST_AT_ONCE_MAX", 2)
    for number in range(1, 6):
        room.join(number, stamps=(("space:1", 0),))
    room.fanout.revoke({"space:1": 1})
    assert room.fanout.count(1) == 3
    assert room.fanout.due_ms() == 0, "at once, not when something is to be written"
    left = room.fanout.sockets()
    room.fanout.remove(left[:1])
    room.fanout.closed.clear()
    room.join(left[0], stamps=(("space:1", 1),))
    for _ in range(3):
        room.fanout.serve(room.now_ms)
    assert room.fanout.sockets() == left[:1]


def test_a_revoked_stamp_closes_its_listeners_whatever_they_do(room: Room) -> None:
    room.join(1, stamps=(("account:1", 3), ("space:1", 0)))
    room.join(2, stamps=(("account:2", 3), ("space:1", 0)))
    room.join(3, space_id=2, stamps=(("account:1", 3),))
    room.fanout.revoke({"account:1": 4})
    room.join(4, stamps=(("account:1", 3),))
    room.join(5, stamps=(("account:1", 4),))
    assert room.reasons == dict.fromkeys((1, 3, 4), fanout.REVOKED)
    assert (room.fanout.count(1), room.fanout.count(2)) == (2, 0)
    assert 4 not in room.sockets.taken, "not a byte went out"


def test_a_tape_that_cannot_be_read_ends_its_own_space_only(room: Room) -> None:
    room.tapes[2] = ScriptedTape()
    room.join(1)
    room.join(2, space_id=2)
    room.tape.error = TapeError("damaged")
    room.join(3, space_id=1)
    room.speak(b"a")
    assert room.reasons == {1: fanout.FAILED, 3: fanout.FAILED}
    assert room.got(2).endswith(chunk(b"a"))
    room.join(4)
    assert room.got(4).startswith(b"HTTP/1.1 503 ")


def test_the_last_listener_closes_the_tape(room: Room) -> None:
    room.join(1)
    room.join(2)
    room.fanout.remove([1, 99])
    assert [room.tape.closed] == [False]
    room.fanout.remove([2])
    assert room.tape.closed
    assert room.fanout.spaces() == set()


def test_large_spaces_use_every_slot_and_no_more(room: Room) -> None:
    room.window_ms = 1000
    for socket in range(windows.SLOTS * fanout.GROUP_LISTENERS + 100):
        room.join(socket)
    room.speak(*[b"x"] * 10)
    room.pass_ms(1000, step_ms=windows.TICK_MS)
    assert len(room.fanout) == windows.SLOTS * fanout.GROUP_LISTENERS + 100
    serves = [(group.due_ms, len(group)) for _, _, _, group in room.fanout._due]
    assert len(serves) == len({due_ms for due_ms, _ in serves}) == windows.SLOTS
    assert max(size for _, size in serves) <= fanout.GROUP_LISTENERS + 2


def unframed(stream: bytes) -> bytes:
    """The body of a chunked stream."""
    assert stream.startswith(b"HEAD")
    stream, body = stream[4:], b""
    while stream:
        size, stream = stream.split(b"\r\n", 1)
        length = int(size, 16)
        body, stream = body + stream[:length], stream[length + 2 :]
    return body
