"""Who may listen: what the audience's door asks. The socket itself never reaches the application."""

from http.cookies import CookieError, SimpleCookie

import structlog

from folkmoot.audience.request import Admission, ListenRefusal, ListenRequest
from folkmoot.gate import ANONYMOUS, Action, Refused, Serves, Stamp, Surface, Viewer
from folkmoot.gate.model import account_of
from folkmoot.gate.register import Register
from folkmoot.spaces.model import Space, SpaceState
from folkmoot.storage.database import DatabaseBusy, DatabaseError, Read
from folkmoot.surfaces.browser import browser_shown
from folkmoot.surfaces.http import SESSION_COOKIE, require_scope
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.shared import Shared
from folkmoot.surfaces.spaces import load, tickets
from folkmoot.surfaces.spaces.spaces import SPACES, listener_stamps

log = structlog.get_logger(__name__)

LISTEN, LIVE_OGG, LIVE_AAC = (
    Surface("stream", f"GET {SPACES}/{{space_id}}/{name}", Serves.ANYONE, Action.LISTEN, "read:statuses")
    for name in ("listen", "live.ogg", "live.aac")
)
STREAMS = (LISTEN, LIVE_OGG, LIVE_AAC)


def register_listen(register: Register) -> None:
    for surface in STREAMS:
        register.add(surface)


class Admitter:
    """Answers the door, once for each listener.

    Those without an account who come to one Space within a moment share an answer. What ends a right after it was
    read ends it for all of them alike, for the stamps they are handed over with are those of the moment of reading,
    and a worker refuses the older counter.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._shared: Shared[int, tuple[Space, tuple[Stamp, ...]]] = Shared()

    async def __call__(self, request: ListenRequest) -> Admission | ListenRefusal:
        try:
            return await self._admit(request)
        except Refused as refusal:
            return ListenRefusal(refusal.status, refusal.code, refusal.sentence)
        except DatabaseBusy:
            return ListenRefusal(503, "busy", "The server is busy. Try again in a moment.", 1)
        except DatabaseError as error:
            log.warning("listen.database_away", error=str(error.orig))  # a crowd's, so one line each
            sentence = "The server's database does not answer. Try again in a moment."
            return ListenRefusal(503, "database_away", sentence, 5)

    async def _admit(self, request: ListenRequest) -> Admission:
        if request.ticket is not None:
            return await self._by_ticket(request, request.ticket)
        viewer = await self._viewer(request)
        if viewer.account_id is None:
            return await self._admission(request, await self._as_anybody(request))
        self._services.gate.permit(viewer, Action.LISTEN)
        require_scope(viewer, LISTEN.scope)
        _, stamps = await self._heard(viewer, request.space_id)
        return await self._admission(request, stamps)

    async def _as_anybody(self, request: ListenRequest) -> tuple[Stamp, ...]:
        id_ = request.space_id
        space, stamps = await self._shared.get(id_, lambda: self._heard(ANONYMOUS, id_))
        if not self._is_foreign(request):
            browser = browser_shown(_cookies(request.cookie), self._services)
            self._services.visits.note(space, None, browser)
        return stamps

    async def _heard(self, viewer: Viewer, space_id: int) -> tuple[Space, tuple[Stamp, ...]]:
        async with self._services.database.read() as read:
            space = await self._live(read, viewer, space_id)
            return space, await listener_stamps(read, self._services, viewer, space_id)

    async def _by_ticket(self, request: ListenRequest, text: str) -> Admission:
        services = self._services
        ticket = tickets.read(services.ticket_key, text, request.space_id, services.clock_ms())
        account_id = account_of(ticket.stamps)
        if account_id is None:
            raise Refused("ticket_over", "This listen ticket is nobody's. Join again.", status=401)
        async with services.database.read() as read:
            await services.gate.check(read, ticket.stamps)
            viewer = await services.gate.as_account(read, account_id)
            services.gate.permit(viewer, Action.LISTEN)
            await self._live(read, viewer, request.space_id)
        return await self._admission(request, ticket.stamps)

    async def _admission(self, request: ListenRequest, stamps: tuple[Stamp, ...]) -> Admission:
        """A listener hangs on the address, too, from wherever the ticket was fetched."""
        stamps += await self._services.networks.stamps(request.address)
        return Admission(request.space_id, request.form, tuple((s.subject, s.counter) for s in stamps))

    async def _viewer(self, request: ListenRequest) -> Viewer:
        scheme, _, token = (request.authorization or "").partition(" ")
        if scheme.lower() == "bearer":
            return await self._services.gate.identify(token.strip())
        session = _cookies(request.cookie).get(SESSION_COOKIE)
        if not session or self._is_foreign(request):
            return ANONYMOUS
        try:
            return await self._services.gate.identify(session)
        except Refused:
            # A session that ended leaves what anybody may hear.
            return ANONYMOUS

    def _is_foreign(self, request: ListenRequest) -> bool:
        """Any page may play what anybody may hear; only our own acts as the person who is signed in here."""
        return request.origin is not None and request.origin != self._services.site.base_url

    async def _live(self, read: Read, viewer: Viewer, space_id: int) -> Space:
        space = (await load.for_listening(read, self._services, viewer, space_id)).item
        if space.state is SpaceState.SCHEDULED:
            raise Refused("not_live", "This Space has not started yet.", status=409)
        if space.state is not SpaceState.LIVE:
            raise Refused("ended", "This Space is over.", status=410)
        return space


def _cookies(header: str | None) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header or "").items()}
    except CookieError:
        return {}
