"""The room for who is kept out: why, what may be said against it, and the way back; and leaving by oneself."""

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import JSONBody

from folkmoot.accounts import actions as accounts
from folkmoot.accounts.passwords import Passwords
from folkmoot.gate import Action, Gate, Permit, Serves, Subject, Viewer, subjects
from folkmoot.gate import queries as gate_queries
from folkmoot.gate.model import Sanction as Decided
from folkmoot.moderation.appeals import queries as appeal_queries
from folkmoot.moderation.appeals.actions import appeal
from folkmoot.moderation.appeals.model import APPEALABLE
from folkmoot.moderation.appeals.model import Appeal as Made
from folkmoot.surfaces.http import require_own_pages, serves
from folkmoot.surfaces.limits import Limits
from folkmoot.surfaces.mastodon.paging import entity_id
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.security import NO_STORE
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.session import PATH, reason_shown
from folkmoot.surfaces.sign_in import require_own_password


class Appeal(msgspec.Struct):
    """What was said against a sanction. `state`: waiting, granted, rejected."""

    text: str
    made_at: str
    state: str
    answer: str
    decided_at: str | None


class OwnSanction(msgspec.Struct):
    """Something that was decided about oneself, or a Space or clip of one's own, and is in force. `until` is null
    for no end; `kind` is account, space or clip, and `about` its id."""

    id: str
    kind: str
    about: str
    standing: str
    reason: str
    until: str | None
    decided_at: str
    can_appeal: bool
    appeal: Appeal | None


class OwnStanding(msgspec.Struct):
    """How one stands now, and everything that holds, the newest first."""

    standing: str
    until: str | None
    sanctions: list[OwnSanction]


class MakeAppeal(msgspec.Struct):
    """The id of a sanction, and what is to be said against it."""

    sanction: str
    text: str


class Deactivate(msgspec.Struct):
    """One's password: who only found an open browser can't shut the account."""

    password: str


@get(f"{PATH}/standing", opt=serves(Serves.ROOM, Action.SEE_STANDING))
async def show_standing(viewer: Viewer, services: Services) -> Response[OwnStanding]:
    """How one stands, why, until when, and what came of one's appeals."""
    return await _show(viewer, services)


async def _show(viewer: Viewer, services: Services) -> Response[OwnStanding]:
    async with services.database.read() as read:
        held = await subjects.open_about(read, viewer.id)
        now = await gate_queries.sanction_of(read, viewer.id)
        appeals = await appeal_queries.of_account(read, viewer.id)
    in_force = [(subject, one) for subject, ones in held.items() for one in ones if one.in_force(read.now_ms)]
    in_force.sort(key=lambda pair: -pair[1].id)
    shown = [_sanction(subject, one, appeals.get(one.id)) for subject, one in in_force]
    until_ms = None if now is None else now.until_ms
    return Response(OwnStanding(viewer.standing.value, _time(until_ms), shown), headers=NO_STORE)


@post(f"{PATH}/appeals", opt=serves(Serves.ROOM, Action.APPEAL), status_code=200)
async def make_appeal(
    data: JSONBody[MakeAppeal], permit: Permit, services: Services, gate: Gate
) -> Response[OwnStanding]:
    """Say, once, what is to be said against a sanction. Somebody else than who decided it answers."""
    require_own_pages(permit.viewer)
    sanction_id = entity_id(data.sanction, "Decision")
    await gate.act(permit, lambda acting: appeal(acting, sanction_id, data.text))
    return await _show(permit.viewer, services)


@post(f"{PATH}/deactivate", opt=serves(Serves.SIGNED_IN, Action.DEACTIVATE, "write:accounts"), status_code=204)
async def deactivate(
    data: JSONBody[Deactivate],
    request: Request[Any, Any, Any],
    permit: Permit,
    services: Services,
    gate: Gate,
    passwords: Passwords,
    limits: Limits,
) -> None:
    """Shut one's own account: it is seen nowhere, and signed out everywhere. Sign in again to come back."""
    require_own_pages(permit.viewer)
    await require_own_password(request, services, passwords, limits, permit.viewer.id, data.password)
    await gate.act(permit, accounts.deactivate)


@post(f"{PATH}/come-back", opt=serves(Serves.ROOM, Action.COME_BACK), status_code=204)
async def come_back(permit: Permit, gate: Gate) -> None:
    """Open the account again that one has deactivated: everything is as it was."""
    require_own_pages(permit.viewer)
    await gate.act(permit, accounts.come_back)


def _time(unix_ms: int | None) -> str | None:
    return None if unix_ms is None else timestamp(unix_ms)


def _sanction(subject: Subject, one: Decided, made: Made | None) -> OwnSanction:
    return OwnSanction(
        id=str(one.id),
        kind=subject.kind.value,
        about=str(subject.id),
        standing=one.standing.value,
        reason=reason_shown(one.standing, one.reason),
        until=_time(one.until_ms),
        decided_at=timestamp(one.decided_at_ms),
        can_appeal=made is None and one.standing in APPEALABLE,
        appeal=None if made is None else _appeal(made),
    )


def _appeal(made: Made) -> Appeal:
    return Appeal(made.text, timestamp(made.made_at_ms), made.state.value, made.answer, _time(made.decided_at_ms))


HANDLERS: list[Any] = [show_standing, make_appeal, deactivate, come_back]
