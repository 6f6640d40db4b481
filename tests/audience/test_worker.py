"""Worker and door together, over scripted tapes: what a listener gets, and how it ends."""

import socket
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.audience.house import (
    INIT,
    Client,
    House,
    Revocations,
    ScriptedTape,
    running_house,
    running_worker,
)
from tests.support.files import no_file_left
from tests.support.waiting import PATIENCE_S, Starved, wait_until

from folkmoot.audience import wire, worker
from folkmoot.audience.sockets import SEND_BUFFER_BYTES
from folkmoot.audience.worker import Worker, WorkerConfig


class Theatre:
    """A house with one worker and the tapes that it plays."""

    def __init__(self, house: House, worker: Worker, revocations: Revocations) -> None:
        self.house = house
        self.worker = worker
        self.revocations = revocations
        self.tapes: dict[int, ScriptedTape] = {}

    def listening(self, space_id: int = 1, query: str = "") -> Client:
        """A listener who has heard the newest part."""
        client = self.house.listen(space_id, query)
        assert client.head()[0] == 200
        assert client.chunk() == INIT
        assert client.chunk() == self.tapes[space_id].parts["opus"][-1]
        return client

    def wait_for_count(self, **listeners: int) -> None:
        expected = {int(name.removeprefix("space")): count for name, count in listeners.items()}
        wait_until(lambda: self.house.handoff.counts() == expected)


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    tapes: dict[int, ScriptedTape] = {1: ScriptedTape(), 2: ScriptedTape()}
    for tape in tapes.values():
        tape.append(b"first")
    path = tmp_path / "audience-1.sock"
    with running_worker(path, tapes) as (worker, revocations), running_house(path) as house:
        wait_until(lambda: len(house.handoff.reports()) == 1)
        theatre = Theatre(house, worker, revocations)
        theatre.tapes = tapes
        yield theatre


def test_each_part_arrives_in_order_and_soon(theatre: Theatre) -> None:
    with theatre.listening() as client:
        for together in (1, 1, 2, 5, 1):
            parts = [b"<%d.%d>" % (together, number) for number in range(together)]
            for part in parts:
                theatre.tapes[1].append(part)
            received = b""
            while len(received) < len(b"".join(parts)):
                received += client.chunk()
            assert received == b"".join(parts)


def test_every_listener_of_two_spaces_gets_its_own_byte_for_byte(theatre: Theatre) -> None:
    clients = [(space_id, theatre.listening(space_id)) for space_id in (1, 2) for _ in range(20)]
    theatre.wait_for_count(space1=20, space2=20)
    for number in range(5):
        for space_id, tape in theatre.tapes.items():
            tape.append(b"<%d.%d>" % (space_id, number))
    for space_id, client in clients:
        expected = b"".join(b"<%d.%d>" % (space_id, number) for number in range(5))
        received = b""
        while len(received) < len(expected):
            received += client.chunk()
        assert received == expected
        client.socket.close()
    theatre.wait_for_count()
    metrics = theatre.house.handoff.reports()[0].metrics
    assert (metrics["received"], metrics["hung_up"]) == (40, 40)


def test_the_end_of_a_tape_ends_the_body(theatre: Theatre) -> None:
    with theatre.listening() as client, theatre.house.listen(2) as other:
        client.send("ignored")
        theatre.tapes[1].append(b"last")
        theatre.tapes[1].ended = True
        assert client.rest() == b"4\r\nlast\r\n0\r\n\r\n"
        theatre.wait_for_count(space2=1)
        other.head()
    with theatre.house.listen(1) as late:
        assert late.answer()[0] == 410


def test_without_chunks_the_end_is_heard_before_anything_is_closed(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To close tens of thousands takes longer than to tell them, and they have no other word of it."""
    monkeypatch.setattr(worker, "CLOSED_AT_ONCE_MAX", 0)
    monkeypatch.setattr(worker, "LEFT_AT_ONCE_MAX", 0)
    with theatre.house.connect() as client:
        client.send("GET /api/folkmoot/v1/spaces/1/listen HTTP/1.0\r\n\r\n")
        theatre.wait_for_count(space1=1)
        theatre.tapes[1].append(b"last")
        theatre.tapes[1].ended = True
        assert client.rest().endswith(b"firstlast")
        theatre.wait_for_count()


def test_who_lacks_the_end_is_closed_before_those_who_have_it(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else tells them, while to close a crowd takes a second; what they had not read yet they still get."""
    monkeypatch.setattr(worker, "LEFT_AT_ONCE_MAX", 0)
    with theatre.listening() as good, theatre.house.connect(receive_buffer_bytes=2048) as full:
        full.send("GET /api/folkmoot/v1/spaces/1/listen HTTP/1.1\r\n\r\n")
        theatre.wait_for_count(space1=2)
        tape = theatre.tapes[1]
        while not theatre.worker.fanout.metrics.skipped:
            tape.append(b"x" * SEND_BUFFER_BYTES)
            good.chunk()
        monkeypatch.setattr(worker, "LEAVE_EVERY_MS", 10**15)
        wait_until(lambda: theatre.worker._leave_due_ms > 10**15)
        tape.ended = True
        while data := good.read_until(b"\r\n"):
            if data == b"0\r\n":
                break
            good.read(int(data, 16) + 2)
        assert full.rest().count(b"x") >= SEND_BUFFER_BYTES
        assert theatre.worker._leaving, "who has it is not closed yet"


def test_a_revoked_listener_is_reset_at_once_and_nobody_else(theatre: Theatre) -> None:
    with theatre.listening(query="?ticket=mine") as removed, theatre.listening(query="?ticket=other") as other:
        begun_s, starved = time.monotonic(), Starved()
        theatre.revocations.revoke("ticket:mine", 1)
        assert removed.is_reset()
        assert time.monotonic() - begun_s - starved.s() < 0.5
        theatre.tapes[1].append(b"on")
        assert other.chunk() == b"on"
        with theatre.house.listen(query="?ticket=mine") as again:
            assert again.is_reset(), "a lease of the old counter is no use any more"
        theatre.wait_for_count(space1=1)
        theatre.revocations.revoke("space:1", 1)
        assert other.is_reset()
    theatre.wait_for_count()


def test_now_and_then_everything_held_is_compared(tmp_path: Path) -> None:
    tape = ScriptedTape()
    tape.append(b"first")
    path = tmp_path / "audience-1.sock"
    with running_worker(path, {1: tape}, compare_ms=10) as (_, revocations), running_house(path) as house:
        wait_until(lambda: len(house.handoff.reports()) == 1)
        with house.listen(1, "?ticket=mine") as client:
            assert client.head()[0] == 200
            wait_until(lambda: {"space:1", "ticket:mine"} in revocations.compared)


def test_who_never_reads_is_dropped_and_others_see_no_gap(theatre: Theatre) -> None:
    tape = theatre.tapes[1]
    with theatre.listening() as good, theatre.house.connect(receive_buffer_bytes=2048) as bad:
        bad.send("GET /api/folkmoot/v1/spaces/1/listen HTTP/1.1\r\n\r\n")
        theatre.wait_for_count(space1=2)
        received = 0
        for number in range(1, 200):
            tape.append(b"%04d" % number + b"x" * SEND_BUFFER_BYTES)
            chunk = good.chunk()
            received += 1
            assert chunk[:4] == b"%04d" % number
            if theatre.worker.fanout.metrics.slow:
                break
        assert theatre.worker.fanout.metrics.slow == 1
        assert theatre.worker.fanout.metrics.skipped >= 8
        assert received < 100
        theatre.wait_for_count(space1=1)
        assert bad.is_reset(), "so that the player doesn't take it for the end"


def test_web_is_told_when_the_last_of_a_crowd_is_closed(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    """By then nothing else changes. Else those who had left would take others' places until somebody came."""
    monkeypatch.setattr(worker, "CLOSED_AT_ONCE_MAX", 0)
    monkeypatch.setattr(worker, "LEFT_AT_ONCE_MAX", 0)
    handoff = theatre.house.handoff
    with theatre.listening(), theatre.listening():
        theatre.tapes[1].ended = True
        wait_until(lambda: handoff.reports()[0].metrics["ended"] == 2)
        assert handoff.connected() == 2, "they have their files yet"
        monkeypatch.setattr(worker, "CLOSED_AT_ONCE_MAX", 200)
        wait_until(lambda: handoff.connected() == 0)


def test_a_crowd_is_taken_in_a_message_at_a_time(tmp_path: Path) -> None:
    """In between those who listen already are written to."""
    path, revocations, tape = tmp_path / "audience-1.sock", Revocations(), ScriptedTape()
    tape.append(b"first")
    made = Worker(WorkerConfig(path, tmp_path), revocations, open_tape=lambda _: tape.open())
    message = wire.encode_arrivals([wire.Arrival(1, "opus", True, (), b"HEAD")] * wire.ARRIVALS_MAX)
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as web,
        socket.create_server(("127.0.0.1", 0)) as door,
        socket.create_connection(door.getsockname()) as listener,
    ):
        web.connect(str(path))
        for _ in range(2):
            socket.send_fds(web, [message], [listener.fileno()] * wire.ARRIVALS_MAX)
        came = [0]

        def all_came() -> bool:
            made.run_once()
            came.append(len(made.fanout))
            return came[-1] >= 2 * wire.ARRIVALS_MAX

        wait_until(all_came)
    assert sorted(set(came)) == [0, wire.ARRIVALS_MAX, 2 * wire.ARRIVALS_MAX]
    made.close()
    revocations.close()


def test_it_notes_how_long_writing_to_a_group_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now_ms, revocations = [0], Revocations()
    made = Worker(
        WorkerConfig(tmp_path / "audience-1.sock", tmp_path), revocations, clock_ms=lambda: now_ms[0], report_ms=0
    )

    def serve(writes: int, _: int) -> bool:
        now_ms[0] += 30
        made.fanout.metrics.writes += writes
        return True

    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as web:
        web.connect(str(tmp_path / "audience-1.sock"))
        for writes in (0, 2, 0):
            monkeypatch.setattr(made.fanout, "serve", partial(serve, writes))
            made.run_once()
        reports = [wire.decode_report(web.recv(100_000)) for _ in range(2)]
    counted = [dict(zip(wire.TICKS_MS, report.ticks, strict=False)) for report in reports]
    assert [sum(ticks.values()) for ticks in counted] == [0, 1], "a look is no write"
    assert counted[1][50] == 1
    made.close()
    revocations.close()


def test_one_that_passed_everybody_on_sleeps_until_its_web_process_is_gone(tmp_path: Path) -> None:
    now_ms, revocations = [1_000], Revocations()
    made = Worker(
        WorkerConfig(tmp_path / "audience-1.sock", tmp_path), revocations, clock_ms=lambda: now_ms[0], report_ms=10
    )
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as successor:
        successor.connect(str(tmp_path / "audience-1.sock"))
        successor.send(wire.TAKE_OVER)

        def has_successor() -> bool:
            made.run_once()
            return made._successor is not None

        wait_until(has_successor)
        now_ms[0] += 1_000
        made.run_once()
        assert made._patience_s() == worker.REVOCATIONS_MS / 1000
    made.close()
    revocations.close()


def test_a_web_process_that_comes_back_is_told_who_listens(theatre: Theatre, tmp_path: Path) -> None:
    with theatre.listening() as client, theatre.listening(2), theatre.listening(2):
        with running_house(tmp_path / "audience-1.sock") as another:
            wait_until(lambda: another.handoff.counts() == {1: 1, 2: 2})
        theatre.tapes[1].append(b"on")
        assert client.chunk() == b"on", "nobody who listens notices"


def test_half_a_hang_up_is_a_hang_up(theatre: Theatre) -> None:
    with theatre.listening() as client:
        client.socket.shutdown(1)
        theatre.wait_for_count()


def test_a_message_without_its_sockets_closes_those_that_came(theatre: Theatre, tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stranger:
        stranger.connect(str(tmp_path / "audience-1.sock"))
        socket.send_fds(stranger, [b"garbage"], [ours.fileno()])
        ours.close()
        theirs.settimeout(PATIENCE_S)
        assert theirs.recv(1) == b""
    theirs.close()
    with theatre.listening():
        theatre.wait_for_count(space1=1)


def test_who_comes_while_no_file_is_free_waits_at_the_door(tmp_path: Path) -> None:
    """And the worker has its listeners still: more than it makes room for may be passed on to it at a reload."""
    path, revocations = tmp_path / "audience-1.sock", Revocations()
    made = Worker(WorkerConfig(path, tmp_path), revocations, report_ms=0)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as web:
        web.connect(str(path))
        web.setblocking(False)
        with no_file_left():
            for _ in range(3):
                made.run_once()
        assert not made._webs
        assert made._epoll.poll(0) == [], "it doesn't spin"

        def let_in() -> bool:
            made.run_once()
            return bool(made._webs)

        wait_until(let_in)
        made.run_once()
        assert wire.decode_report(web.recv(100_000)).connected == 0
    made.close()
    revocations.close()
