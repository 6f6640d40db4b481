"""The stage server: its socket, its calls, its end, with a fake engine in process."""

import asyncio
import struct
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tests.stage.fakes import REFUSED_SDP, UNCONNECTED_SDP, FakeEngine, FakeLeases
from tests.stage.peers import until
from tests.support.waiting import PATIENCE_S, Starved

from folkmoot.stage import process, protocol, service
from folkmoot.stage.client import ListenersFull, StageClient, StageFailed, StageGone, TakenOver
from folkmoot.stage.engine import OfferRefused, SeatState
from folkmoot.tape.model import TapeFull
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.writer import TapeWriter

ADDRESS = "192.0.2.1"


class House:
    """A stage server with a fake engine, and how to reach it."""

    def __init__(self, folder: Path, listeners_max: int) -> None:
        self.socket = folder / "stage.sock"
        self.tape = folder / "tape"
        self.leases = FakeLeases()
        self.engines: list[FakeEngine] = []
        self.listeners_max = listeners_max
        self.server = process.StageServer(self.tape, self.leases, self._make, self.listeners_max)
        self.serving = asyncio.create_task(self.server.serve(self.socket))

    @property
    def engine(self) -> FakeEngine:
        return self.engines[-1]

    def _make(self, *arguments: object) -> FakeEngine:
        self.engines.append(FakeEngine(*arguments))  # type: ignore[arg-type]
        return self.engines[-1]


@pytest.fixture
async def house(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    one = House(tmp_path, getattr(request, "param", 2))
    await until(one.socket.exists)
    yield one
    one.server.stop()
    await one.serving


@pytest.fixture
async def client(house: House) -> AsyncIterator[StageClient]:
    async with await StageClient.connect(house.socket) as one:
        yield one


async def test_an_offer_is_answered_and_its_events_reach_everyone(house: House, client: StageClient) -> None:
    async with await StageClient.connect(house.socket) as other:
        assert (await client.offer(1, "hello", [("account:1", 0)])).sdp == "answer to hello"
        for one in (client, other):
            event = await anext(one.events())
            assert isinstance(event, protocol.SeatChanged)
            assert (event.seat, event.state) == (1, SeatState.CONNECTED)
        await client.hangup(1)
        left = await anext(other.events())
        assert isinstance(left, protocol.SeatChanged)
        assert left.state is SeatState.LEFT
    assert house.leases.held() == 0


async def test_a_refused_offer_says_why_and_holds_nothing(house: House, client: StageClient) -> None:
    with pytest.raises(OfferRefused, match="The offer has no audio"):
        await client.offer(1, REFUSED_SDP, [("account:1", 0)])
    with pytest.raises(OfferRefused, match="has ended"):
        await client.offer(1, "hello", [("over", 0)])
    assert house.leases.held() == 0


async def test_the_end_of_a_lease_closes_its_seat_at_once(house: House, client: StageClient) -> None:
    await client.offer(1, "hello", [("account:1", 0), ("seat:5:1", 0)])
    await client.offer(2, "hello", [("account:2", 0)])
    began_s, starved = time.monotonic(), Starved()
    # From another thread: that is where a follower of events may live.
    await asyncio.to_thread(house.leases.end, "seat:5:1")
    await until(lambda: house.engine.seats == {2})
    assert time.monotonic() - began_s - starved.s() < 0.5
    assert house.leases.held() == 1


async def test_a_lost_seat_gives_its_lease_back(house: House, client: StageClient) -> None:
    await client.offer(1, "hello", [("account:1", 0)])
    house.engine.lose(1)
    assert house.leases.held() == 0


async def test_a_newer_offer_keeps_the_seat_under_the_newer_lease(house: House, client: StageClient) -> None:
    await client.offer(1, "first", [("token:1", 0)])
    await client.offer(1, "second", [("token:2", 0)])
    assert house.leases.held() == 1
    house.leases.end("token:2")
    await until(lambda: house.engine.seats == set())


async def test_what_continues_a_connection_takes_no_newer_one_away(house: House, client: StageClient) -> None:
    first = (await client.offer(1, "first", [])).connection
    for again in ("first again", "and again"):
        assert (await client.offer(1, again, [], continues=first)).sdp == f"answer to {again}"
    newer = (await client.offer(1, "another program", [])).connection
    with pytest.raises(TakenOver):
        await client.offer(1, "first once more", [], continues=first)
    assert house.engine.current(1) == newer
    house.engine.lose(1)
    await client.offer(1, "nobody is there any more", [], continues=first)


async def test_one_connection_is_closed_and_not_a_newer_one(house: House, client: StageClient) -> None:
    older = (await client.offer(1, "first", [])).connection
    newer = (await client.offer(1, "second", [])).connection
    await client.hang_up_connection(older)
    assert house.engine.seats == {1}
    await client.hang_up_connection(newer)
    assert house.engine.seats == set()
    assert house.leases.held() == 0


async def test_listeners_are_counted_bounded_and_end_with_their_lease(house: House, client: StageClient) -> None:
    for number in range(house.listeners_max):
        await client.listen("me", [("space:5", 0), (f"account:{number}", 0)], ADDRESS)
    with pytest.raises(ListenersFull):
        await client.listen("one too many", [], ADDRESS)
    assert house.leases.held() == house.listeners_max
    house.leases.end("account:0")
    await until(lambda: house.leases.held() == house.listeners_max - 1)
    there = (await client.listen("the next", [], ADDRESS)).connection
    await client.hang_up_connection(there)
    house.leases.end("space:5")
    await until(lambda: house.leases.held() == 0)
    events = client.events()
    told = [await asyncio.wait_for(anext(events), PATIENCE_S) for _ in range(6)]
    assert [one.count for one in told if isinstance(one, protocol.ListenersChanged)] == [1, 2, 1, 2, 1, 0]


@pytest.mark.parametrize("house", [18], indirect=True)
async def test_offers_that_are_never_followed_up_keep_nobody_out(house: House, client: StageClient) -> None:
    places, few = house.listeners_max, service.CONNECTING_PER_ADDRESS_MAX
    for _ in range(2 * places):
        newest = await client.listen(UNCONNECTED_SDP, [("space:5", 0)], "198.51.100.7")
    await until(lambda: len(house.engine.listeners) == few)
    assert newest.connection in house.engine.listeners
    assert house.leases.held() == few
    there = [(await client.listen("me", [], ADDRESS)).connection for _ in range(places - few)]
    for number in range(2 * places):
        await client.listen(UNCONNECTED_SDP, [], f"192.0.2.{number}")
    there += [(await client.listen("me", [], f"203.0.113.{number}")).connection for number in range(few)]
    with pytest.raises(ListenersFull):
        await client.listen("one too many", [], ADDRESS)
    await until(lambda: house.engine.listeners == set(there))
    assert house.leases.held() == places


@pytest.mark.parametrize("house", [18], indirect=True)
async def test_a_third_of_the_places_is_for_those_who_are_not_connected_yet(
    house: House, client: StageClient
) -> None:
    for number in range(house.listeners_max):
        await client.listen(UNCONNECTED_SDP, [], f"192.0.2.{number}")
    await until(lambda: len(house.engine.listeners) == house.listeners_max // 3)


async def test_configure_mutes_and_closes_and_is_idempotent(house: House, client: StageClient) -> None:
    for seat in (1, 2, 3):
        await client.offer(seat, "hello", [])
    for _ in range(2):
        await client.configure(muted=[1], seats_allowed=[1, 2, 3], roster=7)
        assert house.engine.muted == {1}
        assert house.engine.seats == {1, 2, 3}
    await client.configure(muted=[], seats_allowed=[1, 3], roster=8)
    assert house.engine.seats == {1, 3}
    assert house.engine.muted == set()
    with pytest.raises(OfferRefused, match="no longer on stage"):
        await client.offer(2, "hello", [])


async def test_a_seat_the_worker_does_not_know_yet_may_sit_for_a_while(
    house: House, client: StageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PROVISIONAL_S", 1.0)  # as long as the two looks before it ends
    await client.configure(muted=[], seats_allowed=[1], roster=1)
    await client.offer(2, "hello", [])
    await client.offer(3, "hello", [])
    await client.configure(muted=[], seats_allowed=[1, 2], roster=2)
    assert house.engine.seats == {2, 3}
    await until(lambda: house.engine.seats == {2})


async def test_status_counts_the_timeline(client: StageClient) -> None:
    before = await client.status()
    await asyncio.sleep(0.05)
    after = await client.status()
    assert after.timeline_ms > before.timeline_ms
    assert not after.tape_full


async def test_end_finishes_the_tape_and_the_server(house: House, client: StageClient) -> None:
    await client.offer(1, "hello", [("account:1", 0)])
    await client.end()
    await house.serving
    assert house.engine.closed
    assert house.leases.held() == 0
    assert TapeReader(house.tape).ended
    with pytest.raises(StageGone):
        await client.status()


async def test_stop_leaves_the_tape_to_be_resumed(house: House) -> None:
    house.engine.sink.frame(0, np.full(960, 1000, np.int16), (1,))
    house.server.stop()
    await house.serving
    assert not TapeReader(house.tape).ended
    again = TapeWriter.open(house.tape, lambda: time.time_ns() // 1_000_000)
    again.release()


async def test_the_notes_carry_seats_counts_and_roster(house: House, client: StageClient) -> None:
    await client.note(listeners=12, reactions={"🎉": 3})
    await client.configure(muted=[], seats_allowed=[4], roster=9)
    for tick in range(10):
        house.engine.sink.frame(tick, np.full(960, 1000, np.int16), (4,))
    house.server.stop()
    await house.serving
    notes = [note for _, note in TapeReader(house.tape).notes(0, 10_000)]
    assert any(
        (note.speaking, note.listeners, note.reactions, note.roster) == ((4,), 12, {"🎉": 3}, 9) for note in notes
    )


async def test_the_notes_carry_all_calls_in_turn_a_few_at_a_time(house: House, client: StageClient) -> None:
    calls = [f"{number:016x}" for number in range(5)]
    await client.configure(muted=[], seats_allowed=[4], roster=9, calls=calls)
    await client.note(listeners=12, reactions={})
    for tick in range(20):
        house.engine.sink.frame(tick, None, ())
    house.server.stop()
    await house.serving
    notes = [note for _, note in TapeReader(house.tape).notes(0, 10_000)]
    assert {told for note in notes for told in note.calls} == set(calls)
    assert max(len(note.calls) for note in notes) == 2


async def test_a_full_disk_is_told_and_the_talk_goes_on(
    house: House, client: StageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = TapeWriter.append
    full = True

    def refusing(self: TapeWriter, *arguments: object) -> None:
        if full:
            raise TapeFull("no room")
        append(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(TapeWriter, "append", refusing)
    for tick in range(10):
        house.engine.sink.frame(tick, None, ())
    assert isinstance(await anext(client.events()), protocol.TapeFullNow)
    assert (await client.status()).tape_full
    await client.offer(1, "hello", [])
    assert isinstance(await anext(client.events()), protocol.SeatChanged)
    full = False
    for tick in range(10, 20):
        house.engine.sink.frame(tick, np.full(960, 1000, np.int16), ())
    assert isinstance(await anext(client.events()), protocol.TapeOkAgain)
    house.server.stop()
    await house.serving
    reader = TapeReader(house.tape)
    assert reader.end_ms >= 400


@pytest.mark.parametrize(
    "frame",
    [
        struct.pack("!I", 5) + b"\xc1" * 5,
        struct.pack("!I", 0),
        struct.pack("!I", 3) + msgspec.msgpack.encode([1])[:3].ljust(3, b"\0"),
        struct.pack("!I", 20) + msgspec.msgpack.encode({"id": 1, "call": 5}).ljust(20, b"\0"),
        struct.pack("!I", 1000) + b"\x91" * 1000,
    ],
)
async def test_a_malformed_frame_is_an_error_and_the_next_one_counts(house: House, frame: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(house.socket)
    writer.write(frame + protocol.encode_frame(protocol.Request(7, protocol.Status())))
    replies = [await read_reply(reader), await read_reply(reader)]
    assert (replies[0].id, type(replies[0].result)) == (0, protocol.Failed)
    assert (replies[1].id, type(replies[1].result)) == (7, protocol.StageStatus)
    writer.close()


async def test_an_oversized_frame_is_an_error_and_the_end_of_that_client(house: House) -> None:
    reader, writer = await asyncio.open_unix_connection(house.socket)
    writer.write(struct.pack("!I", 0xFFFFFFFF) + b"x" * 1000)
    reply = await read_reply(reader)
    assert isinstance(reply.result, protocol.Failed)
    assert await reader.read() == b""
    writer.close()
    async with await StageClient.connect(house.socket) as other:
        await other.status()


@pytest.mark.parametrize(
    "call",
    [
        {"type": "offer", "seat": 0, "sdp": "x", "stamps": []},
        {"type": "offer", "seat": 2**40, "sdp": "x", "stamps": []},
        {"type": "note", "listeners": -1, "reactions": {}},
        {"type": "note", "listeners": 1, "reactions": {"x" * 33: 1}},
        {"type": "note", "listeners": 1, "reactions": {str(n): 1 for n in range(65)}},
        {"type": "configure", "muted": [], "seats_allowed": ["1"], "roster": 1},
        {"type": "dance"},
    ],
)
async def test_a_call_beyond_its_bounds_is_refused(house: House, call: dict[str, object]) -> None:
    body = msgspec.msgpack.encode({"id": 3, "call": call})
    reader, writer = await asyncio.open_unix_connection(house.socket)
    writer.write(struct.pack("!I", len(body)) + body)
    assert isinstance((await read_reply(reader)).result, protocol.Failed)
    writer.close()


async def test_a_call_that_breaks_inside_says_so(
    house: House, client: StageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("wires crossed")

    monkeypatch.setattr(house.engine, "set_muted", broken)
    with pytest.raises(StageFailed, match="wires crossed"):
        await client.configure(muted=[1], seats_allowed=[1], roster=1)
    await client.status()


async def test_no_stage_no_client(tmp_path: Path) -> None:
    with pytest.raises(StageGone, match="No stage is listening"):
        await StageClient.connect(tmp_path / "nothing.sock")


async def read_reply(reader: asyncio.StreamReader) -> protocol.Reply:
    async with asyncio.timeout(PATIENCE_S):
        header = await reader.readexactly(4)
        message = protocol.decode_from_stage(await reader.readexactly(protocol.frame_length(header)))
    assert isinstance(message, protocol.Reply)
    return message
