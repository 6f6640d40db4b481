"""The door on real sockets: uvicorn on uvloop in a thread, and a worker over scripted tapes in another."""

import asyncio
import json
import re
import select
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.audience.house import (
    INIT,
    Client,
    House,
    ScriptedTape,
    admit_all,
    running_house,
    running_worker,
)
from tests.support.waiting import Starved, wait_until

from folkmoot.audience.door import HEAD_BYTES_MAX, Headers
from folkmoot.audience.limiter import JoinLimiter
from folkmoot.audience.request import Admission, ListenRefusal, ListenRequest
from folkmoot.audience.worker import Worker

LISTEN = "GET /api/folkmoot/v1/spaces/1/listen HTTP/1.1\r\nHost: x\r\n\r\n"
asked: list[ListenRequest] = []
decided = threading.Event()


@pytest.fixture(autouse=True)
def _undecided() -> None:
    decided.clear()


async def admit(request: ListenRequest) -> Admission | ListenRefusal:
    asked.append(request)
    if request.ticket == "no":
        return ListenRefusal(403, "closed", "This Space is closed.")
    if request.ticket == "slow":
        while not decided.is_set():
            await asyncio.sleep(0.005)
    if request.ticket == "crash":
        raise RuntimeError("the database is gone")
    return await admit_all(request)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run") / "audience-1.sock"


@pytest.fixture(scope="module")
def worker(path: Path) -> Iterator[Worker]:
    tape = ScriptedTape(["opus", "aac", "ogg", "adts"])
    tape.append(b"a")
    with running_worker(path, {1: tape}) as (worker, _):
        yield worker


@pytest.fixture(scope="module")
def house(path: Path, worker: Worker) -> Iterator[House]:
    with running_house(path, admit=admit) as house:
        wait_until(lambda: len(house.handoff.reports()) == 1)
        yield house


@pytest.fixture(scope="module")
def impatient() -> Iterator[House]:
    with running_house(head_timeout_s=0.5) as house:
        yield house


@pytest.fixture
def client(house: House) -> Iterator[Client]:
    with house.connect() as client:
        yield client


def error_of(body: bytes) -> str:
    answer = json.loads(body)
    assert list(answer) == ["error", "code"]
    assert re.fullmatch("[a-z_]+", answer["code"])
    return str(answer["error"])


def test_a_stream_starts_with_head_init_and_newest_part(client: Client) -> None:
    client.send(LISTEN)
    status, headers = client.head()
    assert status == 200
    assert headers["content-type"] == 'audio/mp4; codecs="opus"'
    assert headers["transfer-encoding"] == "chunked"
    assert headers["cache-control"] == "no-store"
    assert headers["x-accel-buffering"] == "no"
    assert headers["access-control-allow-origin"] == "*"
    assert "date" in headers
    assert "content-length" not in headers
    assert [client.chunk(), client.chunk()] == [INIT, b"a"]


def test_aac_on_request_and_a_range_changes_nothing(client: Client) -> None:
    client.send("GET /api/folkmoot/v1/spaces/1/listen?codec=aac HTTP/1.1\r\nHost: x\r\nRange: bytes=5-\r\n\r\n")
    status, headers = client.head()
    assert (status, headers["content-type"]) == (200, 'audio/mp4; codecs="mp4a.40.2"')
    assert client.chunk() == INIT


@pytest.mark.parametrize(
    ("name", "content_type"), [("live.ogg", "audio/ogg; codecs=opus"), ("live.aac", "audio/aac")]
)
def test_players_and_radios_get_what_they_know(client: Client, name: str, content_type: str) -> None:
    client.send(
        f"GET /api/folkmoot/v1/spaces/1/{name}?codec=ignored HTTP/1.1\r\nHost: x\r\nIcy-MetaData: 1\r\n\r\n"
    )
    status, headers = client.head()
    assert (status, headers["content-type"]) == (200, content_type)
    assert client.chunk() == INIT


def test_http_1_0_gets_the_bare_bytes(client: Client) -> None:
    client.send("GET /api/folkmoot/v1/spaces/1/listen HTTP/1.0\r\n\r\n")
    status, headers = client.head()
    assert status == 200
    assert "transfer-encoding" not in headers
    assert client.read(len(INIT) + 1) == INIT + b"a"


def test_head_answers_with_the_head_only(client: Client) -> None:
    client.send(LISTEN.replace("GET", "HEAD"))
    status, headers = client.head()
    assert (status, headers["content-type"]) == (200, 'audio/mp4; codecs="opus"')
    assert client.rest() == b""


def test_ordinary_requests_pass_and_may_come_first_on_the_same_connection(client: Client) -> None:
    for number in range(3):
        client.send(f"POST /posts/{number} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
        assert client.answer()[2] == b"POST /posts/%d 5" % number
    client.send(LISTEN)
    assert client.head()[0] == 200
    assert client.chunk() == INIT


def test_pipelined_ordinary_requests_pass(client: Client) -> None:
    client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert client.answer()[2] == b"GET /1 0"
    assert client.answer()[2] == b"GET /2 0"


@pytest.mark.parametrize(
    "line",
    [
        "POST /api/folkmoot/v1/spaces/1/listen",
        "OPTIONS /api/folkmoot/v1/spaces/1/listen",
        "GET /api/folkmoot/v1/spaces/1/listening",
        "GET /api/folkmoot/v1/spaces/x/listen",
        "GET /api/folkmoot/v1/spaces/9999999999999999999/listen",
        "GET //api/folkmoot/v1/spaces/1/listen",
    ],
)
def test_what_is_no_listen_request_is_the_applications(client: Client, line: str) -> None:
    client.send(f"{line} HTTP/1.1\r\nHost: x\r\n\r\n")
    assert client.answer()[2] == f"{line} 0".encode()


def test_what_the_gate_is_told(house: House, client: Client) -> None:
    asked.clear()
    client.send(
        "GET /api/folkmoot/v1/spaces/77/listen?codec=aac&ticket=t%2D1 HTTP/1.1\r\nHost: x\r\n"
        "Authorization: Bearer x\r\nCookie: session=1\r\nOrigin: https://there.test\r\nContent-Length: 0\r\n\r\n"
    )
    wait_until(lambda: len(asked) == 1)
    assert asked == [ListenRequest(77, "aac", "t-1", "Bearer x", "session=1", "https://there.test", "127.0.0.1")]


def test_a_refusal_is_a_sentence_in_json(house: House) -> None:
    with house.listen(query="?ticket=no") as client:
        status, headers, body = client.answer()
        assert (status, error_of(body)) == (403, "This Space is closed.")
        assert headers["access-control-allow-origin"] == "*"
        assert client.rest() == b""


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("?codec=mp3", "", 400),
        ("?" + "&".join("a=1" for _ in range(17)), "", 400),
        ("?codec=%FF", "", 400),
        ("", "Content-Length: 10\r\n", 400),
        ("", "Transfer-Encoding: chunked\r\n", 400),
        ("?ticket=crash", "", 500),
    ],
)
def test_what_cannot_be_understood_is_refused(house: House, query: str, headers: str, status: int) -> None:
    with house.connect() as client:
        client.send(f"GET /api/folkmoot/v1/spaces/1/listen{query} HTTP/1.1\r\nHost: x\r\n{headers}\r\n")
        answer = client.answer()
        assert answer[0] == status
        assert error_of(answer[2]).endswith(".")


@pytest.mark.parametrize("more", ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x00\x01garbage", "GET / HT"])
def test_bytes_behind_a_listen_request_are_refused(house: House, more: str) -> None:
    with house.connect() as client:
        client.send(LISTEN.replace("listen", "listen?ticket=slow") + more)
        wait_until(lambda: asked[-1].ticket == "slow")
        decided.set()
        assert client.head()[0] == 400


def test_bytes_that_follow_while_the_gate_decides_are_refused(house: House) -> None:
    with house.listen(query="?ticket=slow") as client:
        wait_until(lambda: asked[-1].ticket == "slow")
        client.send("more")
        assert client.head()[0] == 400


def test_bytes_that_follow_later_are_ignored(house: House) -> None:
    with house.listen() as client:
        client.head()
        client.send(b"GET / HTTP/1.1\r\n\r\n" * 50)
        assert [client.chunk(), client.chunk()] == [INIT, b"a"]


def test_a_listen_request_before_the_answer_to_another_is_refused_in_its_turn(client: Client) -> None:
    client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n" + LISTEN)
    assert client.answer()[2] == b"GET /1 0"
    status, _, body = client.answer()
    assert status == 400
    assert "Wait" in error_of(body)


def test_who_hangs_up_while_the_gate_decides_is_not_handed_over(house: House, worker: Worker) -> None:
    received = worker.fanout.metrics.received
    with house.listen(query="?ticket=slow"):
        wait_until(lambda: asked[-1].ticket == "slow")
    wait_until(lambda: not house.server.server_state.connections)
    decided.set()
    with house.listen() as client:
        client.head()
    wait_until(lambda: not house.server.server_state.tasks)
    assert worker.fanout.metrics.received == received + 1


@pytest.mark.parametrize("start", ["", "GET /", "\r\n", "GET / HTTP/1.1\r\nX: y\r\n"])
def test_an_unfinished_request_is_closed_in_time(impatient: House, start: str) -> None:
    with impatient.connect() as client:
        client.send("GET /first HTTP/1.1\r\nHost: x\r\n\r\n")
        client.answer()
        client.send(start or "\r\n")
        begun_s, starved = time.monotonic(), Starved()
        assert client.rest() == b""
        assert time.monotonic() - begun_s - starved.s() < 2


def test_who_says_nothing_at_all_is_closed_in_time(impatient: House) -> None:
    with impatient.connect() as client:
        assert client.rest() == b""


def test_an_endless_head_is_refused(client: Client) -> None:
    client.send("GET / HTTP/1.1\r\nX: " + "y" * HEAD_BYTES_MAX)
    status, _, body = client.answer()
    assert status == 431
    assert error_of(body)


def test_garbage_is_refused(client: Client) -> None:
    client.send("\x16\x03\x01 not HTTP\r\n\r\n")
    assert client.head()[0] == 400


def test_websockets_are_the_applications(client: Client) -> None:
    client.send(
        "GET /api/folkmoot/v1/spaces/1/listen HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    assert client.head()[0] == 101


def test_a_flood_from_one_address_is_slowed_down_and_others_are_not() -> None:
    def client_address(peer: str, headers: Headers) -> str:
        return dict(headers).get(b"x-forwarded-for", peer.encode()).decode()

    limiter = JoinLimiter(per_second=0.001, burst=5)  # none comes back while this runs
    with running_house(limiter=limiter, client_address=client_address) as house:
        statuses = []
        for _ in range(20):
            with house.listen() as client:
                statuses.append(client.answer())
        assert [status for status, _, _ in statuses] == [503] * 5 + [429] * 15
        _, headers, body = statuses[-1]
        assert int(headers["retry-after"]) > 900
        assert "address" in error_of(body)
        with house.listen(headers="X-Forwarded-For: 192.0.2.9\r\n") as client:
            assert client.head()[0] == 503, "let in, though there is no worker here"


def test_admissions_at_once_are_bounded_and_so_is_their_queue() -> None:
    at_once, most, all_are_there = 0, 0, threading.Event()

    async def slow_admit(request: ListenRequest) -> ListenRefusal:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        while not all_are_there.is_set():
            await asyncio.sleep(0.005)
        at_once -= 1
        return ListenRefusal(403, "closed", "No.")

    with running_house(admit=slow_admit, admissions_max=2, admissions_waiting_max=3) as house:
        clients = [house.listen() for _ in range(8)]
        sockets = [client.socket for client in clients]
        wait_until(lambda: len(select.select(sockets, [], [], 0)[0]) == 3)
        all_are_there.set()
        answers = [client.answer() for client in clients]
        for client in clients:
            client.socket.close()
    statuses = sorted(status for status, _, _ in answers)
    assert most == 2
    assert statuses == [403] * 5 + [503] * 3


def test_without_a_worker_a_listener_is_asked_to_come_back(tmp_path: Path) -> None:
    with running_house(tmp_path / "nobody.sock") as house, house.listen() as client:
        status, headers, body = client.answer()
        assert (status, headers["retry-after"]) == (503, "1")
        assert error_of(body)
