"""Fetching files of other servers: from public addresses, pictures and films and sounds, and not for ever."""

import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import uploads
from tests.support.elsewhere import Elsewhere, Said, elsewhere

from folkmoot.media import remote
from folkmoot.media.addresses import Address
from folkmoot.media.remote import Fetched, Redirect, Unfetchable, fetch, is_web_server

PICTURE = uploads.photograph(8, 8)


def anywhere(_address: Address, _port: int) -> bool:
    return True


@pytest.fixture
def other() -> Iterator[Elsewhere]:
    with elsewhere() as server:
        yield server


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
     "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
     "2002:7f00:1::", "2002:a00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"],
)  # fmt: skip
def test_nothing_near_is_web_server(address: str) -> None:
    assert not is_web_server(ipaddress.ip_address(address), 443)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "64:ff9b::101:101"])
def test_what_is_public_is_so_at_the_ports_of_the_web(address: str) -> None:
    assert is_web_server(ipaddress.ip_address(address), 443)
    assert is_web_server(ipaddress.ip_address(address), 80)
    assert not is_web_server(ipaddress.ip_address(address), 22)


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_what_it_is(address: ipaddress.IPv4Address) -> None:
    for inside in (f"::ffff:{address}", str(ipaddress.IPv6Address(0x64FF9B << 96 | int(address)))):
        assert is_web_server(ipaddress.ip_address(inside), 443) == is_web_server(address, 443)


def test_a_file_is_fetched(other: Elsewhere, tmp_path: Path) -> None:
    other.answers["/a.jpg?b=c"] = Said(PICTURE)
    assert fetch(f"{other.url}/a.jpg?b=c", tmp_path / "x", anywhere) == Fetched("image/jpeg", len(PICTURE))
    assert (tmp_path / "x").read_bytes() == PICTURE


def test_this_machine_is_not_asked(other: Elsewhere, tmp_path: Path) -> None:
    for url in (f"{other.url}/a.jpg", other.url.replace("127.0.0.1", "localhost")):
        with pytest.raises(Unfetchable, match="not a public address"):
            fetch(url, tmp_path / "x")
    assert other.asked == []


def test_a_redirect_is_for_whoever_asked_to_decide(other: Elsewhere, tmp_path: Path) -> None:
    other.answers["/a"] = Said(status=302, location="/b")
    assert fetch(f"{other.url}/a", tmp_path / "x", anywhere) == Redirect(f"{other.url}/b")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (Said(status=500), "status 500"),
        (Said(b"<html><script>"), "neither"),
        (Said(uploads.DRAWING), "neither"),
        (Said(b""), "cut off"),
        (Said(PICTURE, length=10**9), "too large"),
        (Said(PICTURE, length=len(PICTURE) + 10), "cut off"),
        (Said(PICTURE, endless=True), "too large"),
    ],
)
def test_what_is_no_file_is_none(
    other: Elsewhere, tmp_path: Path, said: Said, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "BYTES_MAX", 100_000)
    other.answers["/a"] = said
    with pytest.raises(Unfetchable, match=why):
        fetch(f"{other.url}/a", tmp_path / "x", anywhere)


def test_nobody_is_waited_for_without_end(other: Elsewhere, tmp_path: Path) -> None:
    other.answers["/a"] = Said(PICTURE, endless=True)
    with pytest.raises(Unfetchable, match="too slow"):
        fetch(f"{other.url}/a", tmp_path / "x", anywhere, within_s=0)


def _trickle(listening: socket.socket) -> None:
    """Says a head that never ends, a byte now and then."""
    connection, _ = listening.accept()
    with connection, contextlib.suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            connection.sendall(b"y")
            time.sleep(0.01)


def test_a_head_that_never_ends_is_broken_off(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_trickle, args=(listening,))
        thread.start()
        with pytest.raises(Unfetchable, match="too slow"):
            fetch(f"http://127.0.0.1:{listening.getsockname()[1]}/", tmp_path / "x", anywhere, within_s=0.1)
        thread.join()


@pytest.mark.parametrize(
    "url",
    ["", "a.jpg", "ftp://a.example/x", "file:///etc/passwd", "http://", "http://a:b@a.example/", "http://a.example:x/",
     "http://a.example/\r\nX: y", "http://[::1", "http://ä.example/"],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(Unfetchable):
        fetch(url, tmp_path / "x", anywhere)


def test_a_server_that_is_away(other: Elsewhere, tmp_path: Path) -> None:
    for url in ("http://127.0.0.1:1/", "http://nobody.invalid/"):
        with pytest.raises(Unfetchable, match=r"does not answer|no such host"):
            fetch(url, tmp_path / "x", anywhere)
