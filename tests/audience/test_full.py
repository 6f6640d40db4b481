"""No room for another listener: the door names HLS, and lets in again who asks once there is room."""

import json
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from tests.audience.house import INIT, Client, House, ScriptedTape, running_house, running_worker
from tests.support.waiting import wait_until

from folkmoot.audience.ceiling import Ceiling
from folkmoot.audience.estimate import ASK_AGAIN_S, HlsEstimate
from folkmoot.audience.limiter import JoinLimiter

LISTENERS_MAX = 3
HLS = "/api/folkmoot/v1/spaces/1/hls/index.m3u8"


@pytest.fixture
def tape() -> ScriptedTape:
    tape = ScriptedTape(["opus", "aac", "ogg", "adts"])
    tape.append(b"a")
    return tape


@pytest.fixture
def estimate() -> HlsEstimate:
    return HlsEstimate()


@pytest.fixture
def house(tmp_path: Path, tape: ScriptedTape, estimate: HlsEstimate) -> Iterator[House]:
    path = tmp_path / "audience-1.sock"
    with (
        running_worker(path, {1: tape}),
        running_house(path, ceiling=Ceiling(LISTENERS_MAX), estimate=estimate, clock_s=lambda: 100.0) as house,
    ):
        wait_until(lambda: len(house.handoff.reports()) == 1)
        yield house


def listening(house: House) -> Client:
    client = house.listen()
    assert client.head()[0] == 200
    return client


def test_who_finds_no_room_is_told_where_the_sound_is_and_let_in_later(house: House, estimate: HlsEstimate) -> None:
    with ExitStack() as stack:
        held = [stack.enter_context(listening(house)) for _ in range(LISTENERS_MAX)]
        with house.listen() as late:
            status, headers, body = late.answer()
            answer = json.loads(body)
            assert (status, answer["code"], answer["hls"]) == (503, "listeners_full", HLS)
            assert headers["retry-after"] == str(ASK_AGAIN_S)
            assert answer["error"].endswith(".")
            assert late.rest() == b""
        assert estimate.counts(100.0) == {1: 1}
        wait_until(lambda: house.handoff.counts() == {1: LISTENERS_MAX})
        held[0].socket.close()
        wait_until(lambda: house.handoff.counts() == {1: LISTENERS_MAX - 1})
        stack.enter_context(listening(house))


@pytest.mark.parametrize("name", ["live.ogg", "live.aac"])
def test_radios_are_told_when_to_come_back(house: House, estimate: HlsEstimate, name: str) -> None:
    with ExitStack() as stack:
        for _ in range(LISTENERS_MAX):
            stack.enter_context(listening(house))
        with house.connect() as radio:
            radio.send(f"GET /api/folkmoot/v1/spaces/1/{name} HTTP/1.1\r\nHost: x\r\n\r\n")
            status, headers, body = radio.answer()
        answer = json.loads(body)
        assert (status, answer["code"], headers["retry-after"]) == (503, "listeners_full", str(ASK_AGAIN_S))
        assert "hls" not in answer
        assert estimate.counts(100.0) == {}, "a radio doesn't go to HLS"


def test_workers_without_a_file_left_are_full_too(tmp_path: Path, tape: ScriptedTape) -> None:
    path = tmp_path / "audience-1.sock"
    with running_worker(path, {1: tape}, listeners_max=1), running_house(path) as house:
        wait_until(lambda: len(house.handoff.reports()) == 1)
        with listening(house), house.listen() as late:
            assert json.loads(late.answer()[2])["code"] == "listeners_full"


def test_a_crowd_that_comes_at_once_is_let_in_to_the_last_place(house: House) -> None:
    clients = [house.listen() for _ in range(4 * LISTENERS_MAX)]
    statuses = [client.head()[0] for client in clients]
    for client in clients:
        client.socket.close()
    assert sorted(statuses) == [200] * LISTENERS_MAX + [503] * 3 * LISTENERS_MAX


# --- connections that wait for their client


def test_unfinished_requests_cost_their_own_places_and_nobody_elses(tmp_path: Path, tape: ScriptedTape) -> None:
    path = tmp_path / "audience-1.sock"
    with (
        running_worker(path, {1: tape}),
        running_house(path, idle_max=20, limiter=JoinLimiter(burst=1_000)) as house,
        ExitStack() as stack,
    ):
        wait_until(lambda: len(house.handoff.reports()) == 1)
        heard = stack.enter_context(listening(house))
        for start in ("", "GET / HTTP/1.1\r\nX: ", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhell"):
            for _ in range(40):
                stack.enter_context(house.connect()).send(start or b"G")
        wait_until(lambda: len(house.server.server_state.connections) <= 20)
        with house.connect() as client:
            client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.answer()[2] == b"GET /1 0"
        with listening(house):
            tape.append(b"b")
            assert [heard.chunk() for _ in range(3)][-1] == b"b"


def test_the_oldest_gives_way(tmp_path: Path) -> None:
    with running_house(tmp_path / "nobody.sock", idle_max=2) as house, ExitStack() as stack:
        first, second, third = (stack.enter_context(house.connect()) for _ in range(3))
        for client in (first, second):
            client.send("GET /")
        wait_until(lambda: len(house.server.server_state.connections) >= 2)
        third.send("GET /")
        assert first.is_reset() or first.rest() == b""
        for client in (second, third):
            client.send("2 HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.answer()[2] == b"GET /2 0"


def test_a_reconnecting_client_is_slowed_down_and_nobody_notices(tmp_path: Path, tape: ScriptedTape) -> None:
    path = tmp_path / "audience-1.sock"
    limiter = JoinLimiter(per_second=1, burst=50)
    with (
        running_worker(path, {1: tape}),
        running_house(
            path, limiter=limiter, client_address=lambda _peer, headers: dict(headers)[b"host"].decode()
        ) as house,
        ExitStack() as stack,
    ):
        wait_until(lambda: len(house.handoff.reports()) == 1)
        heard = stack.enter_context(listening(house))
        heard.chunk()
        statuses = []
        for _ in range(100):
            with house.connect() as client:
                client.send("GET /api/folkmoot/v1/spaces/1/listen HTTP/1.1\r\nHost: again\r\n\r\n")
                statuses.append(client.head()[0])
            tape.append(b"b")
        assert statuses.count(200) <= 53
        assert statuses[-1] == 429
        wait_until(lambda: house.handoff.counts() == {1: 1})
        assert heard.chunk()


@pytest.mark.slow
def test_ten_thousand_that_never_finish(tmp_path: Path, tape: ScriptedTape) -> None:
    """What they cost is bounded by the places there are for them, and who listens hears every part."""
    path = tmp_path / "audience-1.sock"
    _, files_max = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files_max, files_max))
    count = min(10_000, files_max - 6_000)
    assert count >= 5_000
    with running_worker(path, {1: tape}), running_house(path) as house, ExitStack() as stack:
        wait_until(lambda: len(house.handoff.reports()) == 1)
        heard = stack.enter_context(listening(house))
        assert (heard.chunk(), heard.chunk()) == (INIT, b"a")
        before_mb = _resident_mb()
        for number in range(count):
            connection = stack.enter_context(closing(socket.create_connection(("127.0.0.1", house.port))))
            connection.send(b"GET / HTTP/1.1\r\nX: ")
            if number % 500 == 0:
                tape.append(b"%05d" % number)
                assert heard.chunk() == b"%05d" % number
        cost_mb = _resident_mb() - before_mb
        connections = len(house.server.server_state.connections)
        print(f"\n{count} unfinished requests: {connections} held, {cost_mb:.0f} MB")
        assert connections <= 4_100
        assert cost_mb < 100
        with house.connect() as client:
            client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.answer()[2] == b"GET /1 0"


def _resident_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError
