"""Networks that are stopped, at the one place that every request and every listener passes.

The web process holds all of them in a book. It hangs on the gate's counter of networks like a connection hangs on
an account's: the event, or else the sweep, has it read anew, and what is open from a stopped network ends. Who
listens at an audience worker or is connected to a stage hangs on counters of their own address.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import structlog
from jinja2 import Environment, PackageLoader, select_autoescape
from litestar import Request, Response
from litestar.enums import MediaType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from folkmoot.audience.door import CONNECTION
from folkmoot.gate import Lease, LeaseBook, Refused, Stamp
from folkmoot.gate.queries import counters
from folkmoot.moderation.networks import queries
from folkmoot.moderation.networks.book import Book
from folkmoot.moderation.networks.model import Severity, Stop
from folkmoot.moderation.networks.rules import NETWORKS, address_subjects
from folkmoot.storage.database import Database
from folkmoot.surfaces.http import ErrorBody
from folkmoot.surfaces.security import NO_STORE
from folkmoot.surfaces.under_way import LAST_WORD_S, Connection

log = structlog.get_logger(__name__)
AGAIN_AFTER_S = 0.1
_HOW_IT_LOOKS = "/static/"  # the style of the page that says why
_TEMPLATES = Environment(
    loader=PackageLoader("folkmoot.surfaces.mastodon"), autoescape=select_autoescape(), trim_blocks=True
)


class Networks:
    """The book of one web process. `contact`: where people reach whoever runs the server."""

    def __init__(self, database: Database, leases: LeaseBook, contact: str = "") -> None:
        self._database = database
        self._leases = leases
        self._contact = contact
        self._book = Book()
        self._version = -1
        self._lease: Lease | None = None
        self._reading = asyncio.Lock()
        self._again: asyncio.Task[None] | None = None
        self._under_way: dict[int, tuple[str, Connection]] = {}

    async def find(self, address: str) -> Stop | None:
        """What is stopped of this client's address."""
        await self._read_if_changed()
        return self._book.find(address, self._database.clock_ms())

    async def require_let_in(self, address: str) -> None:
        """Raises Refused 403 for who is served nothing."""
        await self._read_if_changed()
        stop = self._book.find(address, self._database.clock_ms())
        if stop is not None and stop.severity is Severity.NO_ACCESS:
            raise Refused("network_stopped", _sentence(stop, self._contact))

    async def stamps(self, address: str) -> tuple[Stamp, ...]:
        """What is opened from this address hangs on these, which cost no question to the database: whatever is
        stopped after the book was read raises them above its version. Raises Refused as above."""
        await self.require_let_in(address)
        return tuple(Stamp(subject, self._version) for subject in address_subjects(address))

    @contextmanager
    def under_way(self, address: str, connection: Connection) -> Iterator[None]:
        """A request from there, which ends when the address is stopped."""
        key = id(connection)
        self._under_way[key] = (address, connection)
        try:
            yield
        finally:
            self._under_way.pop(key, None)

    async def _read_if_changed(self) -> None:
        if self._lease is None or not self._lease.is_open:
            async with self._reading:
                if self._lease is None or not self._lease.is_open:
                    await self._read_anew()

    async def _read_anew(self) -> None:
        async with self._database.read() as read:
            version = (await counters(read, [NETWORKS]))[NETWORKS]
            self._take(version, await queries.in_force(read))

    def _take(self, version: int, stops: list[Stop]) -> None:
        if version < self._version:
            return
        self._book, self._version = Book(stops), version
        if self._lease is not None:
            self._lease.release()
        try:
            self._lease = self._leases.hold([Stamp(NETWORKS, version)], self._changed)
        except Refused:
            self._lease = None  # there is a newer one already
        for address, connection in self._under_way.values():
            stop = self._book.find(address, self._database.clock_ms())
            if stop is not None and stop.severity is Severity.NO_ACCESS:
                asyncio.get_running_loop().call_later(LAST_WORD_S, connection.reset)

    def _changed(self, _subject: str) -> None:
        self._again = asyncio.get_running_loop().create_task(self._keep_reading())

    async def _keep_reading(self) -> None:
        """A database that is away is asked again: what is open from a stopped network must not stay."""
        while True:
            try:
                await self._read_if_changed()
            except Exception:
                log.exception("networks.not_read")
            else:
                return
            await asyncio.sleep(AGAIN_AFTER_S)


class AtTheGate(ASGIMiddleware):
    """Before any handler: who comes from a stopped network reads one sentence, and where to turn."""

    def __init__(self, networks: Callable[[], Networks]) -> None:
        self._networks = networks

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        networks, address = self._networks(), scope["client"][0] if scope["client"] else ""
        try:
            if not scope["path"].startswith(_HOW_IT_LOOKS):
                await networks.require_let_in(address)
        except Refused as refusal:
            request: Request[Any, Any, Any] = Request(scope)
            await _answer(request, refusal).to_asgi_response(app=None, request=request)(scope, receive, send)
            return
        connection = cast(Connection | None, (scope.get("extensions") or {}).get(CONNECTION))
        if connection is None:
            await next_app(scope, receive, send)
            return
        with networks.under_way(address, connection):
            await next_app(scope, receive, send)
            await connection.drained()


def address_of(request: Request[Any, Any, Any]) -> str:
    """The client's address whole, as a trusted proxy may have passed it on."""
    return request.client.host if request.client else ""


def _answer(request: Request[Any, Any, Any], refusal: Refused) -> Response[Any]:
    if "text/html" not in request.headers.get("accept", ""):
        return Response(ErrorBody(refusal.sentence, refusal.code), status_code=refusal.status, headers=NO_STORE)
    site = request.app.state.equipment.services.site
    page = _TEMPLATES.get_template("refused.html").render(site=site, sentence=refusal.sentence)
    return Response(page, media_type=MediaType.HTML, status_code=refusal.status, headers=NO_STORE)


def _sentence(stop: Stop, contact: str) -> str:
    end = ""
    if stop.until_ms is not None:
        end = f" until {datetime.fromtimestamp(stop.until_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
    turn = f"write to {contact}" if contact else "tell whoever runs this server, from another network"
    return (
        f"Nobody is let in from your network ({stop.network}){end}: {stop.reason.rstrip('.')}. "
        f"If this is wrong, {turn}."
    )
