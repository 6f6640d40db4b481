"""Asks the application over ASGI without a socket; hears an endless answer only as far as its first piece."""

import asyncio
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
from litestar import Litestar
from tests.support.sockets import socket
from tests.support.waiting import PATIENCE_S

from folkmoot.audience.request import ListenRefusal, ListenRequest
from folkmoot.surfaces.mastodon.streams.sockets import SOCKET
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces.listen import STREAMS, Admitter


class Answer(msgspec.Struct, frozen=True):
    """As it would travel."""

    status: int
    headers: bytes
    body: bytes

    @property
    def opened(self) -> bool:
        return 200 <= self.status < 300

    def says(self, words: str) -> bool:
        return words.encode() in self.headers + self.body


async def ask(
    app: Litestar, services: Services, name: str, path: str, headers: dict[str, str], body: Any = None
) -> Answer:
    """Open the surface `name` ("GET /api/…") at `path`, query included. `body`: JSON, or (content type, bytes)."""
    # A path that can't be a Space's is none for the door.
    if name in {surface.name for surface in STREAMS} and urlsplit(path).path.split("/")[-2].isdecimal():
        return await _ask_the_door(services, path, headers)
    if name == SOCKET.name:
        return await _ask_for_a_socket(app, path, headers)
    method = name.partition(" ")[0]
    content = b""
    if method != "GET":
        given = body if isinstance(body, tuple) else ("application/json", msgspec.json.encode(body or {}))
        headers, content = headers | {"content-type": given[0], "content-length": str(len(given[1]))}, given[1]
    listener = _Listener(content)
    answering = asyncio.ensure_future(
        cast(Any, app)(scope_of(method, path, headers), listener.receive, listener.send)
    )
    hearing = asyncio.ensure_future(listener.enough.wait())
    try:
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait({answering, hearing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        listener.enough.set()
        answering.cancel()
        await asyncio.gather(answering, hearing, return_exceptions=True)
    return Answer(listener.status, listener.headers, bytes(listener.body))


async def _ask_for_a_socket(app: Litestar, path: str, headers: dict[str, str]) -> Answer:
    """Opened and left again: an opened one answers 200 here."""
    async with socket(app, headers=headers, path=path) as client:
        return Answer(200 if client.status == 101 else client.status or 0, b"", msgspec.json.encode(client.heard))


class _Listener:
    """The client's end."""

    def __init__(self, content: bytes) -> None:
        self._content: bytes | None = content
        self._is_endless = False
        self.status = 0
        self.headers = b""
        self.body = bytearray()
        self.enough = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        if self._content is not None:
            content, self._content = self._content, None
            return {"type": "http.request", "body": content, "more_body": False}
        await self.enough.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = b"\n".join(name + b": " + value for name, value in message["headers"])
            self._is_endless = b"text/event-stream" in self.headers
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")
            if not message.get("more_body", False) or (self._is_endless and self.body):
                self.enough.set()


def scope_of(method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
    """The ASGI scope of a request, as the server would make it."""
    parts = urlsplit(path)
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }


async def _ask_the_door(services: Services, path: str, headers: dict[str, str]) -> Answer:
    parts = urlsplit(path)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    admission = await Admitter(services)(
        ListenRequest(
            space_id=int(parts.path.split("/")[-2]),
            form=query.get("codec", "opus"),
            ticket=query.get("ticket"),
            authorization=headers.get("authorization"),
            cookie=headers.get("cookie"),
            origin=headers.get("origin"),
            address="127.0.0.1",
        )
    )
    if isinstance(admission, ListenRefusal):
        return Answer(admission.status, b"", admission.error.encode())
    return Answer(200, b"", b"")
