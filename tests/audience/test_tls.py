"""HTTPS as clients see it: requests, listeners whose records come from a worker, and what comes instead of them."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.audience.house import Client, House, ScriptedTape, running_house, running_worker
from tests.support.certificates import Authority
from tests.support.waiting import PATIENCE_S, wait_until

from folkmoot.audience import records
from folkmoot.audience.certificates import Certificate
from folkmoot.audience.door import Door, listen_protocol
from folkmoot.audience.entrance import Entrance
from folkmoot.audience.redirect import redirect_protocol
from folkmoot.audience.tls import keep_secret, tls_protocol

LISTEN = "GET /api/folkmoot/v1/spaces/1/listen HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def https(authority: Authority, **settings: Any) -> Callable[[Door], Any]:
    certificate = Certificate(*authority.issue(), keep_secret)
    entrance = Entrance(**settings.pop("entrance", {}))

    def protocol(door: Door) -> Any:
        plain = redirect_protocol(door, "https://moot.example")
        return tls_protocol(lambda: certificate.context, entrance, listen_protocol(door), plain, **settings)

    return protocol


class Rooms:
    """A house with HTTPS, and a tape that a worker reads."""

    def __init__(self, house: House, tape: ScriptedTape, authority: Authority) -> None:
        self.house = house
        self.tape = tape
        self._authority = authority

    def client(self, context: ssl.SSLContext | None = None, session: ssl.SSLSession | None = None) -> Client:
        client = self.house.connect()
        chosen = context or self._authority.client()
        client.socket = chosen.wrap_socket(client.socket, server_hostname="localhost", session=session)
        return client

    def listener(self, context: ssl.SSLContext | None = None) -> Client:
        client = self.client(context)
        client.send(LISTEN)
        return client

    def url(self, path: str) -> str:
        return f"https://localhost:{self.house.port}{path}"


@contextmanager
def rooms(authority: Authority, folder: Path, **settings: Any) -> Iterator[Rooms]:
    tape = ScriptedTape()
    path = folder / "worker.sock"
    http = https(authority, **settings.pop("https", {}))
    with running_worker(path, {1: tape}), running_house(path, http=http, **settings) as house:
        wait_until(lambda: bool(house.handoff.reports()))
        yield Rooms(house, tape, authority)


def test_requests_uploads_and_connections_that_are_kept(authority: Authority, tmp_path: Path) -> None:
    upload = bytes(range(256)) * 8_000  # 2 MB
    with rooms(authority, tmp_path) as at, httpx.Client(verify=authority.client(), timeout=PATIENCE_S) as client:
        assert client.get(at.url("/a?b=c")).text == "GET /a 0"
        assert client.post(at.url("/up"), content=upload).text == f"POST /up {len(upload)}"
        assert client.get(at.url("/b")).text == "GET /b 0"


@pytest.mark.parametrize(
    "suite", ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
)
def test_a_listener_hears_the_worker_through_openssl(
    authority: Authority, tmp_path: Path, suite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from folkmoot.audience import certificates

    monkeypatch.setattr(certificates, "SUITES", {suite: None})
    with rooms(authority, tmp_path) as at:
        at.tape.append(b"part 0")
        with at.listener() as client:
            assert isinstance(client.socket, ssl.SSLSocket)
            cipher = client.socket.cipher()
            assert cipher is not None
            assert cipher[0] == suite
            status, headers = client.head()
            assert (status, headers["transfer-encoding"]) == (200, "chunked")
            assert client.chunk() == b"<init>"
            assert client.chunk() == b"part 0"
            long = bytes(range(256)) * 70  # two records
            at.tape.append(long)
            assert client.chunk() == long
            at.tape.ended = True
            assert client.rest() == b"0\r\n\r\n"  # and close_notify: without it OpenSSL raises


def test_many_listen_after_requests_on_the_same_connection(authority: Authority, tmp_path: Path) -> None:
    with rooms(authority, tmp_path) as at, contextlib.ExitStack() as stack:
        at.tape.append(b"part 0")
        clients = [stack.enter_context(at.client()) for _ in range(20)]
        for number, client in enumerate(clients):
            for _ in range(number % 3):
                client.send("GET /before HTTP/1.1\r\nHost: x\r\n\r\n")
                assert client.answer()[2] == b"GET /before 0"
            client.send(LISTEN)
        for client in clients:
            assert client.head()[0] == 200
            assert client.chunk() == b"<init>"
            assert client.chunk() == b"part 0"
        for number in range(1, 5):
            at.tape.append(b"part %d" % number)
            for client in clients:
                assert client.chunk() == b"part %d" % number


def test_a_listener_goes_on_at_the_next_worker(authority: Authority, tmp_path: Path) -> None:
    """Each record is the next under its key, or OpenSSL would end the connection."""
    aside = tmp_path / "aside.sock"
    with rooms(authority, tmp_path) as at, contextlib.ExitStack() as stack:
        at.tape.append(b"<0>")
        clients = [stack.enter_context(at.listener()) for _ in range(20)]
        for client in clients:
            assert client.head()[0] == 200
            assert (client.chunk(), client.chunk()) == (b"<init>", b"<0>")
        (tmp_path / "worker.sock").rename(aside)
        new, _ = stack.enter_context(running_worker(tmp_path / "worker.sock", {1: at.tape}, predecessors=(aside,)))
        for number in range(1, 10):
            at.tape.append(b"<%d>" % number)
        wait_until(lambda: len(new.fanout) == len(clients))
        at.tape.append(b"<end>")
        at.tape.ended = True
        for client in clients:
            heard = b""
            while not heard.endswith(b"<end>"):
                heard += client.chunk()
            assert heard == b"".join(b"<%d>" % number for number in range(1, 10)) + b"<end>"
            assert client.rest() == b"0\r\n\r\n"


def test_a_session_is_resumed(authority: Authority, tmp_path: Path) -> None:
    context = authority.client()
    with rooms(authority, tmp_path) as at:
        with at.client(context) as first:
            first.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            first.answer()
            assert isinstance(first.socket, ssl.SSLSocket)
            session = first.socket.session
        at.tape.append(b"part 0")
        with at.client(context, session) as again:
            assert isinstance(again.socket, ssl.SSLSocket)
            assert again.socket.session_reused
            again.send(LISTEN)
            assert again.head()[0] == 200
            assert again.chunk() == b"<init>"


def test_a_refusal_comes_through(authority: Authority, tmp_path: Path) -> None:
    with rooms(authority, tmp_path) as at, at.client() as client:
        client.send(LISTEN.replace("listen", "listen?codec=mp3"))
        status, _, body = client.answer()
        assert (status, b"validation_failed" in body) == (400, True)
        assert client.rest() == b""


def test_plain_http_is_sent_to_https(authority: Authority, tmp_path: Path) -> None:
    with rooms(authority, tmp_path) as at:
        answer = httpx.get(
            f"http://localhost:{at.house.port}/api/folkmoot/v1/spaces/1/listen?codec=aac", timeout=PATIENCE_S
        )
        assert answer.status_code == 308
        assert answer.headers["location"] == "https://moot.example/api/folkmoot/v1/spaces/1/listen?codec=aac"


def test_older_tls_is_refused_with_an_alert(authority: Authority, tmp_path: Path) -> None:
    context = authority.client()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with rooms(authority, tmp_path) as at, pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        at.client(context)


def test_http_1_1_is_chosen(authority: Authority, tmp_path: Path) -> None:
    context = authority.client()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with rooms(authority, tmp_path) as at, at.client(context) as client:
        assert isinstance(client.socket, ssl.SSLSocket)
        assert client.socket.selected_alpn_protocol() == "http/1.1"


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x00\x05hello", b"\x16" + bytes(80_000), b"\x16\x03\x01\xff\xff"]
)
def test_garbage_ends_and_others_are_served(authority: Authority, tmp_path: Path, garbage: bytes) -> None:
    with rooms(authority, tmp_path, https={"handshake_timeout_s": 0.3}) as at:
        with at.house.connect() as client:
            client.send(garbage)
            with contextlib.suppress(ConnectionResetError):
                while client.socket.recv(65_536):
                    pass
        with at.client() as client:
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.answer()[0] == 200


def test_who_never_begins_is_let_go(authority: Authority, tmp_path: Path) -> None:
    with rooms(authority, tmp_path, https={"handshake_timeout_s": 0.2}) as at, at.house.connect() as client:
        assert client.socket.recv(1) == b""


def test_of_too_many_half_open_the_longest_waiting_goes(authority: Authority, tmp_path: Path) -> None:
    settings = {"entrance": {"per_address_max": 3}}
    with rooms(authority, tmp_path, https=settings) as at, contextlib.ExitStack() as stack:
        idle = [stack.enter_context(at.house.connect()) for _ in range(4)]
        assert idle[0].socket.recv(1) == b""
        with at.client() as client:
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.answer()[0] == 200
        assert idle[1].socket.recv(1) == b""
        idle[3].socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            idle[3].socket.recv(1)


def test_a_handshake_in_single_bytes(authority: Authority, tmp_path: Path) -> None:
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = authority.client().wrap_bio(received, sent, server_hostname="localhost")
    with (
        rooms(authority, tmp_path) as at,
        socket.create_connection(("127.0.0.1", at.house.port), timeout=PATIENCE_S) as raw,
    ):
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def step() -> None:
            for byte in sent.read():
                raw.sendall(bytes([byte]))
            received.write(raw.recv(65_536))

        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        while True:
            step()
            with contextlib.suppress(ssl.SSLWantReadError):
                client.do_handshake()
                break
        client.write(b"GET /tiny HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while b"GET /tiny 0" not in answer:
            try:
                answer += client.read(65_536)
            except ssl.SSLWantReadError:
                step()


def test_a_connection_that_is_closed_on_its_way_to_a_worker_says_nothing_more(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uvicorn closes what it has when it stops. The worker begins with the number that close_notify would have."""
    from folkmoot.audience.handoff import Handoff

    with rooms(authority, tmp_path) as at:
        hand_over = Handoff.hand_over

        async def stop_meanwhile(handoff: Handoff, *arguments: Any) -> bool:
            for connection in list(at.house.server.server_state.connections):
                connection.shutdown()
            return await hand_over(handoff, *arguments)

        monkeypatch.setattr(Handoff, "hand_over", stop_meanwhile)
        at.tape.append(b"part 0")
        with at.listener() as client:
            assert client.head()[0] == 200
            assert client.chunk() == b"<init>"
            assert client.chunk() == b"part 0"


def test_who_no_worker_takes_is_told_so(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from folkmoot.audience.handoff import Handoff

    async def take_none(*_: Any) -> bool:
        return False

    monkeypatch.setattr(Handoff, "hand_over", take_none)
    with rooms(authority, tmp_path) as at, at.listener() as client:
        assert client.answer()[0] == 503


def test_who_changes_keys_without_end_is_let_go(authority: Authority, tmp_path: Path) -> None:
    """Each change is 27 bytes and costs some 20 µs: ten thousand of them fit into what is read at once."""
    context = authority.client()
    context.keylog_filename = str(tmp_path / "keys")
    with rooms(authority, tmp_path) as at, at.client(context) as client:
        assert isinstance(client.socket, ssl.SSLSocket)
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        client.answer()
        cipher = client.socket.cipher()
        assert cipher is not None
        lines = {line.split()[0]: line.split()[-1] for line in (tmp_path / "keys").read_text().splitlines()}
        secret, number = bytes.fromhex(lines["CLIENT_TRAFFIC_SECRET_0"]), 1
        updates = []
        for _ in range(2_000):
            update, secret = key_update(cipher[0], secret, number)
            updates.append(update)
            number = 0
        raw = socket.socket(fileno=client.socket.detach())
        with raw, contextlib.suppress(ConnectionError):
            raw.settimeout(PATIENCE_S)
            raw.sendall(b"".join(updates))
            answered = b""
            while more := raw.recv(65_536):
                answered += more
            assert records.count_records(answered) < 100


def key_update(suite: str, secret: bytes, number: int) -> tuple[bytes, bytes]:
    """The record that asks the other side to change its keys, too, and the next secret (RFC 8446, 4.6.3, 7.2)."""
    chosen, ours = records.SUITES[suite], records.sealing(suite, secret, number)
    content = bytes([24, 0, 0, 1, 1]) + bytes([22])
    header = bytes([23, 3, 3]) + (len(content) + 16).to_bytes(2, "big")
    nonce = (int.from_bytes(ours.iv, "big") ^ number).to_bytes(12, "big")
    sealed = header + chosen.cipher(ours.key).encrypt(nonce, content, header)
    return sealed, records.expand_label(chosen.digest, secret, b"traffic upd", len(secret))


def test_an_upload_in_one_piece_with_the_end_of_the_handshake(authority: Authority, tmp_path: Path) -> None:
    body = bytes(150_000)
    with rooms(authority, tmp_path) as at, at.house.connect() as client:
        received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = authority.client().wrap_bio(received, sent, server_hostname="localhost")
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                client.send(sent.read())
                received.write(client.socket.recv(65_536))
        tls.write(b"POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        client.send(sent.read())
        answer = b""
        while b"POST /up" not in answer:
            received.write(client.socket.recv(65_536))
            with contextlib.suppress(ssl.SSLWantReadError):
                while read := tls.read(65_536):  # head and body may come in two records at once
                    answer += read
        assert answer.endswith(b"POST /up %d" % len(body))
