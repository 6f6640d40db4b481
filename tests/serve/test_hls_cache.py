"""HLS behind the real nginx, with the configuration that operators are given."""

import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.support.server import eventually
from tests.support.waiting import PATIENCE_S, Starved

from folkmoot.bench.hls import SPACES, By, Evening, evening
from folkmoot.bench.nginx import hls_cache

pytestmark = pytest.mark.slow
_TAKEN_BACK_WITHIN_S = 12.0
MORE_THAN_NGINX_COUNTS = 1_500
"""It counts uses in ten bits."""


@pytest.fixture(scope="module")
def behind_nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    with evening(tmp_path_factory.mktemp("hls")) as running:
        yield running


@pytest.fixture
def http(behind_nginx: Evening) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=behind_nginx.nginx.base_url, timeout=PATIENCE_S) as client:
        yield client


@pytest.mark.parametrize("by", ["parts", "segments"])
def test_ten_times_the_players_ask_the_server_for_nothing_more(behind_nginx: Evening, by: By) -> None:
    before, began_s = behind_nginx.nginx.origin_log(), time.monotonic()
    for players in (12, 120):
        measured = behind_nginx.measure(players, 4.0, by)
        assert measured.played.errors == measured.played.missed == measured.played.reconnects == 0
        assert measured.played.media >= players
    lasted_s = time.monotonic() - began_s
    asked = Counter(behind_nginx.nginx.origin_log()[len(before) :])
    waited_for = Counter({line: times for line, times in asked.items() if "_HLS_msn" in line})
    assert waited_for
    # But for the one that nobody waited for any more, when the players before were stopped.
    assert waited_for.total() - len(waited_for) <= 1, "all who waited for the same were one request"
    sound = {line: times for line, times in asked.items() if line.endswith(".m4s")}
    # An address that is asked for again after ten seconds, or on both sides of a moment, is asked for anew.
    assert max(sound.values()) <= 2 + lasted_s / 10, sound
    assert max(times for line, times in asked.items() if line.endswith("live.m3u8")) <= max(12, lasted_s / 2)


def test_neither_credentials_nor_queries_split_or_poison_it(behind_nginx: Evening, http: httpx.Client) -> None:
    address = f"{SPACES}/{behind_nginx.space_id}/hls/shared/aac/init.mp4"
    before = len(behind_nginx.nginx.origin_log())
    shown: list[dict[str, str]] = [
        {"Authorization": "Bearer nonsense"},
        {"Authorization": f"Bearer {behind_nginx.token}"},
        {"Cookie": "folkmoot_session=nonsense; other=1"},
        {"Origin": "https://radio.example", "Accept-Encoding": "gzip", "X-Anything": "1"},
        {},
    ]
    answers = [http.get(address, headers=headers, params={"x": n}) for n, headers in enumerate(shown)]
    assert {(one.status_code, one.content) for one in answers} == {(200, answers[0].content)}
    assert {one.headers.get_list("access-control-allow-origin")[0] for one in answers} == {"*"}
    assert not any("x-ratelimit-limit" in one.headers or "set-cookie" in one.headers for one in answers)
    asked = behind_nginx.nginx.origin_log()[before:]
    assert len(asked) <= 2, asked  # two if a moment ended meanwhile


def test_what_is_closed_or_not_there_is_kept_by_nobody(behind_nginx: Evening, http: httpx.Client) -> None:
    server = behind_nginx.server
    server.admin("create", "rosa", "--password", "a long password of a test")
    token = server.admin("token", "rosa").split()[-1]
    host = {"Authorization": f"Bearer {token}"}
    closed = server.call("POST", SPACES, token, {"title": "Us", "audience": "invited", "start": True})
    sound = f"{SPACES}/{closed['id']}/hls/aac/init.mp4"
    eventually(lambda: http.get(sound, headers=host).status_code == 200, what="sound")
    begin = f"{SPACES}/{closed['id']}/hls/index.m3u8"
    assert http.get(begin).status_code == 404
    opened = http.get(begin, headers=host)
    assert (opened.status_code, opened.headers["cache-control"]) == (200, "private, no-store")
    assert opened.text.endswith("\naac/live.m3u8\n")
    assert http.get(begin).status_code == 404
    assert http.get(f"{SPACES}/{closed['id']}/hls/shared/aac/live.m3u8", headers=host).status_code == 404
    future = f"{SPACES}/{behind_nginx.space_id}/hls/shared/aac/99999.0.m4s"
    before = len(behind_nginx.nginx.origin_log())
    assert [http.get(future).status_code for _ in range(3)] == [404] * 3
    assert len(behind_nginx.nginx.origin_log()) == before + 3


def test_a_space_that_is_taken_back_is_gone_from_the_cache_within_seconds(
    behind_nginx: Evening, http: httpx.Client
) -> None:
    base = f"{SPACES}/{behind_nginx.space_id}/hls"
    addresses = [f"{base}/{name}" for name in ("index.m3u8", "shared/aac/live.m3u8", "shared/aac/0.m4s")]
    assert [http.get(address).status_code for address in addresses] == [200] * 3
    behind_nginx.server.admin("suspend", "hana", "--reason", "a test")
    began_s, starved = time.monotonic(), Starved()
    while 200 in (said := [http.get(address).status_code for address in addresses]):
        assert time.monotonic() - began_s - starved.s() < _TAKEN_BACK_WITHIN_S, said
        time.sleep(0.2)
    before, began_s = len(behind_nginx.nginx.origin_log()), time.monotonic()
    # Not where players begin: there somebody with a credential may have another answer.
    assert 200 not in {http.get(address).status_code for address in addresses[1:] * 50}
    asked, lasted_s = len(behind_nginx.nginx.origin_log()) - before, time.monotonic() - began_s
    assert asked <= 12 + 2 * lasted_s, "what is over for all is asked for once a second"


def test_thousands_who_wait_for_the_same_are_one_request(tmp_path: Path) -> None:
    asked: list[bytes] = []
    everybody_waits = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection:
            asked.append(connection.recv(4096))
            everybody_waits.wait(PATIENCE_S)
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nCache-Control: public, max-age=24\r\n"
                b"Content-Length: 2\r\nConnection: close\r\n\r\nok"
            )

    def accept(listening: socket.socket) -> None:
        with contextlib.suppress(OSError):  # closed: the test is over
            while True:
                threading.Thread(target=answer, args=(listening.accept()[0],), daemon=True).start()

    with contextlib.ExitStack() as stack:
        origin = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        threading.Thread(target=accept, args=(origin,), daemon=True).start()
        nginx = stack.enter_context(hls_cache(tmp_path, f"127.0.0.1:{origin.getsockname()[1]}"))
        waiting = []
        for _ in range(MORE_THAN_NGINX_COUNTS):
            waiting.append(
                stack.enter_context(socket.create_connection(("127.0.0.1", nginx.port), timeout=PATIENCE_S))
            )
            waiting[-1].sendall(
                b"GET /api/folkmoot/v1/spaces/1/hls/shared/aac/live.m3u8?_HLS_msn=5 HTTP/1.1\r\nHost: moot\r\n\r\n"
            )
        eventually(lambda: asked, what="a request")
        everybody_waits.set()
        assert all(b" 200 " in one.recv(4096) for one in waiting)
        assert len(asked) == 1
