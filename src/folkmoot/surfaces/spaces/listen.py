"""Who may listen: what the audience's door asks. The socket itself never reaches the application."""

from http.cookies import CookieError, SimpleCookie

from folkmoot.audience.request import Admission, ListenRefusal, ListenRequest
from folkmoot.gate import ANONYMOUS, Action, Refused, Serves, Stamp, Surface, Viewer
from folkmoot.gate.model import account_of
from folkmoot.gate.register import Register
from folkmoot.spaces.model import SpaceState
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import SESSION_COOKIE, require_scope
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.shared import Shared
from folkmoot.surfaces.spaces import load, tickets
from folkmoot.surfaces.spaces.spaces import SPACES, listener_stamps

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
        self._shared: Shared[int, tuple[Stamp, ...]] = Shared()

    async def __call__(self, request: ListenRequest) -> Admission | ListenRefusal:
        try:
            return await self._admit(request)
        except Refused as refusal:
            return ListenRefusal(refusal.status, refusal.code, refusal.sentence)

    async def _admit(self, request: ListenRequest) -> Admission:
        if request.ticket is not None:
            return await self._by_ticket(request, request.ticket)
        viewer = await self._viewer(request)
        if viewer.account_id is None:
            return await self._admission(request, await self._as_anybody(request.space_id))
        self._services.gate.permit(viewer, Action.LISTEN)
        require_scope(viewer, LISTEN.scope)
        return await self._admission(request, await self._stamps(viewer, request.space_id))

    async def _as_anybody(self, space_id: int) -> tuple[Stamp, ...]:
        return await self._shared.get(space_id, lambda: self._stamps(ANONYMOUS, space_id))

    async def _stamps(self, viewer: Viewer, space_id: int) -> tuple[Stamp, ...]:
        async with self._services.database.read() as read:
            await self._require_live(read, viewer, space_id)
            return await listener_stamps(read, self._services, viewer, space_id)

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
            await self._require_live(read, viewer, request.space_id)
        return await self._admission(request, ticket.stamps)

    async def _admission(self, request: ListenRequest, stamps: tuple[Stamp, ...]) -> Admission:
        """A listener hangs on the address, too, from wherever the ticket was fetched."""
        stamps += await self._services.networks.stamps(request.address)
        return Admission(request.space_id, request.form, tuple((s.subject, s.counter) for s in stamps))

    async def _viewer(self, request: ListenRequest) -> Viewer:
        scheme, _, token = (request.authorization or "").partition(" ")
        if scheme.lower() == "bearer":
            return await self._services.gate.identify(token.strip())
        session = _session(request.cookie)
        # Any page may play what anybody may hear; only our own acts as the person who is signed in here.
        is_foreign = request.origin is not None and request.origin != self._services.site.base_url
        if session is None or is_foreign:
            return ANONYMOUS
        try:
            return await self._services.gate.identify(session)
        except Refused:
            # A session that ended leaves what anybody may hear.
            return ANONYMOUS

    async def _require_live(self, read: Read, viewer: Viewer, space_id: int) -> None:
        space = (await load.for_listening(read, self._services, viewer, space_id)).item
        if space.state is SpaceState.SCHEDULED:
            raise Refused("not_live", "This Space has not started yet.", status=409)
        if space.state is not SpaceState.LIVE:
            raise Refused("ended", "This Space is over.", status=410)


def _session(cookie: str | None) -> str | None:
    try:
        morsel = SimpleCookie(cookie or "").get(SESSION_COOKIE)
    except CookieError:
        return None
    return morsel.value if morsel is not None and morsel.value else None
