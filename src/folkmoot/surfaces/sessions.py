"""Where one is signed in: browsers and programs, and ending that."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Response, delete, get

from folkmoot.accounts.sessions import actions, queries
from folkmoot.accounts.sessions.queries import SignedIn
from folkmoot.gate import Action, Gate, Permit, Serves
from folkmoot.gate.model import account_subject
from folkmoot.surfaces.http import require_own_pages, serves
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.security import NO_STORE
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.session import PATH


class OwnSession(msgspec.Struct):
    """`kind`: browser, or app (with its scopes). `last_used`: the day (UTC), which is all that is kept."""

    id: str
    kind: str
    name: str
    scopes: list[str]
    created_at: str
    last_used: str | None
    expires_at: str | None
    current: bool


class Ended(msgspec.Struct):
    """How many were signed out."""

    ended: int


@get(f"{PATH}/sessions", opt=serves(Serves.ROOM, Action.SIGN_IN))
async def list_sessions(permit: Permit, services: Services) -> Response[list[OwnSession]]:
    """What one is signed in with, the newest first; 200 at most."""
    viewer = permit.viewer
    require_own_pages(viewer)
    own = account_subject(viewer.id)
    counter = next(stamp.counter for stamp in viewer.stamps if stamp.subject == own)
    async with services.database.read() as read:
        found = await queries.of_account(read, viewer.id, counter)
    return Response([_shown(one, viewer.token_id) for one in found], headers=NO_STORE)


@delete(f"{PATH}/sessions/{{session_id:int}}", opt=serves(Serves.ROOM, Action.SIGN_IN))
async def end_session(session_id: int, permit: Permit, gate: Gate) -> None:
    """Sign one of one's browsers or programs out; what it holds open ends at once."""
    require_own_pages(permit.viewer)
    await gate.act(permit, lambda acting: actions.end(acting, session_id))


@delete(f"{PATH}/sessions", opt=serves(Serves.ROOM, Action.SIGN_IN), status_code=200)
async def end_other_sessions(permit: Permit, gate: Gate) -> Ended:
    """Sign out every browser and program but this one."""
    require_own_pages(permit.viewer)
    return Ended(await gate.act(permit, actions.end_others))


def _shown(one: SignedIn, current_id: int | None) -> OwnSession:
    return OwnSession(
        id=str(one.id),
        kind="browser" if one.application is None else "app",
        name=one.application or one.name or "A browser, or a program of your own",
        scopes=[] if one.application is None else one.scopes.split(),
        created_at=timestamp(one.created_at_ms),
        last_used=_day(one.used_at_ms),
        expires_at=None if one.expires_at_ms is None else timestamp(one.expires_at_ms),
        current=one.id == current_id,
    )


def _day(unix_ms: int | None) -> str | None:
    return None if unix_ms is None else datetime.fromtimestamp(unix_ms // 1000, UTC).date().isoformat()


HANDLERS: list[Any] = [list_sessions, end_session, end_other_sessions]
