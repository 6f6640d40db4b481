"""Fetches a file from another server, one answer at a time: to public addresses only, bounded in size and time.

The name is looked up once, here, and the connection goes to an address that was found: what a name means can't
change between the look and the connection. Blocking: for a thread.
"""

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import msgspec

from folkmoot.media.addresses import Address, is_public, parse
from folkmoot.media.sniffing import HEAD_BYTES, sniff

BYTES_MAX = 40 * 1024 * 1024
WITHIN_S = 30.0
CONNECT_WITHIN_S = 5.0
REDIRECTS_MAX = 3
_PIECE_BYTES = 64 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}
_USER_AGENT = "Folkmoot (media)"
Allows = Callable[[Address, int], bool]


class Unfetchable(Exception):
    """There is nothing to be had there; the message says why."""


class Redirect(msgspec.Struct, frozen=True):
    """It is elsewhere."""

    url: str


class Fetched(msgspec.Struct, frozen=True):
    """It is in the file now."""

    mime_type: str
    size_bytes: int


def is_web_server(address: Address, port: int) -> bool:
    """Whether files may be fetched from there: by the web's own ports, from anybody's server."""
    return port in _PORTS.values() and is_public(address)


class _Deadline:
    """Breaks a connection off when its time is up: a server that says a byte now and then never lets a read end."""

    def __init__(self, within_s: float) -> None:
        self.is_over = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(within_s, self._break_off)
        self._timer.daemon = True
        self._timer.start()

    def holds(self, opened: socket.socket) -> None:
        self._socket = opened
        if self.is_over:
            self._break_off()

    def cancel(self) -> None:
        self._timer.cancel()

    def _break_off(self) -> None:
        self.is_over = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # that of TLS would change what is read


@cache
def authorities() -> ssl.SSLContext:
    """Whom servers are vouched for by. Made once: reading them takes tens of milliseconds."""
    return ssl.create_default_context()


def host_of(url: str) -> str:
    """Raises Unfetchable for what is no address of a file on the web."""
    try:
        parts = urlsplit(url)
        named = parts.scheme in _PORTS and parts.hostname and parts.username is None
        _ = parts.port
    except ValueError as error:
        raise Unfetchable("no address") from error
    if not named or not url.isascii() or any(character <= " " for character in url):
        raise Unfetchable("no address")
    assert parts.hostname is not None
    return parts.hostname


def fetch(url: str, to: Path, allows: Allows = is_web_server, within_s: float = WITHIN_S) -> Fetched | Redirect:
    """Write what is at an address into a file, or say where it is instead. Raises Unfetchable."""
    host_of(url)
    parts = urlsplit(url)
    deadline = _Deadline(within_s)
    try:
        port = parts.port or _PORTS[parts.scheme]
        with contextlib.closing(
            _connection(parts.scheme, parts.hostname or "", port, allows, deadline)
        ) as connection:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", path, headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"})
            answer = connection.getresponse()
            if answer.status in _REDIRECTS:
                return Redirect(urljoin(url, answer.headers.get("Location", "")))
            if answer.status != 200:
                raise Unfetchable(f"status {answer.status}")
            return _written(answer, to, deadline)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unfetchable("too slow" if deadline.is_over else type(error).__name__) from error
    finally:
        deadline.cancel()


def _written(answer: http.client.HTTPResponse, to: Path, deadline: _Deadline) -> Fetched:
    if (answer.length or 0) > BYTES_MAX:
        raise Unfetchable("too large")
    form, size_bytes = None, 0
    with to.open("wb") as kept:
        while True:
            piece = answer.read1(_PIECE_BYTES)
            if deadline.is_over:
                raise Unfetchable("too slow")
            if not piece:
                break
            if size_bytes == 0:
                form = sniff(piece[:HEAD_BYTES])
                if form is None:
                    raise Unfetchable("neither picture nor film nor sound")
            kept.write(piece)
            size_bytes += len(piece)
            if size_bytes > BYTES_MAX:
                raise Unfetchable("too large")
    if form is None or answer.length:
        raise Unfetchable("cut off")
    return Fetched(form.mime_type, size_bytes)


def _connection(
    scheme: str, host: str, port: int, allows: Allows, deadline: _Deadline
) -> http.client.HTTPConnection:
    """To the first address of a host that may be spoken to, and answers."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unfetchable("no such host") from error
    addresses = [str(entry[4][0]) for entry in found]
    allowed = [one for one in addresses if allows(parse(one), port)]
    for address in allowed:
        try:
            opened = socket.create_connection((address, port), timeout=CONNECT_WITHIN_S)
            connection = http.client.HTTPConnection(host, port)
            if scheme == "https":
                opened = authorities().wrap_socket(opened, server_hostname=host, do_handshake_on_connect=False)
            deadline.holds(opened)
            if isinstance(opened, ssl.SSLSocket):
                opened.do_handshake()
            opened.settimeout(None)
        except OSError:
            continue
        connection.sock = opened
        return connection
    raise Unfetchable("does not answer" if allowed else "not a public address")
