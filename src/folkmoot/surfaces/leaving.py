"""Having one's account deleted: asked with the password and the second factor, taken back within the grace."""

from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.params import JSONBody

from folkmoot.accounts import deletion
from folkmoot.accounts.deletion import Deletion
from folkmoot.accounts.passkeys import actions as passkeys
from folkmoot.accounts.passwords import Passwords
from folkmoot.accounts.second_factor import actions as factors
from folkmoot.accounts.second_factor.queries import factors_of
from folkmoot.gate import Acting, Action, Gate, Permit, Refused, Serves
from folkmoot.surfaces.http import require_own_pages, serves
from folkmoot.surfaces.limits import Limits
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.security import NO_STORE
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.session import PATH
from folkmoot.surfaces.sign_in import relying_party, require_own_password

HERE = f"{PATH}/account-deletion"


class AskDeletion(msgspec.Struct):
    """The password, and where there is a second factor, a code or what a passkey answered: to the options of
    `POST /api/folkmoot/v1/session/passkey/options`."""

    password: str
    code: str | None = None
    passkey: dict[str, Any] | None = None


class OwnDeletion(msgspec.Struct):
    """`due_at`: until then it can be taken back. Both null: nobody asked."""

    asked_at: str | None
    due_at: str | None


@get(HERE, opt=serves(Serves.ROOM, Action.LEAVE))
async def show_deletion(permit: Permit, services: Services) -> Response[OwnDeletion]:
    """Whether one's account is going to be deleted, and when."""
    require_own_pages(permit.viewer)
    async with services.database.read() as read:
        found = await deletion.of_account(read, permit.viewer.id)
    return _shown(found)


@post(HERE, opt=serves(Serves.ROOM, Action.LEAVE), status_code=200)
async def ask_deletion(
    data: JSONBody[AskDeletion],
    request: Request[Any, Any, Any],
    permit: Permit,
    services: Services,
    gate: Gate,
    passwords: Passwords,
    limits: Limits,
) -> Response[OwnDeletion]:
    """Have one's account deleted with all that it published, in 14 days; it is shut at once. Take one's data first
    (`GET /api/folkmoot/v1/export`)."""
    own_id = permit.viewer.id
    require_own_pages(permit.viewer)
    await require_own_password(request, services, passwords, limits, own_id, data.password)
    limits.second_factor(own_id)

    async def ask(acting: Acting) -> Deletion:
        await _require_second_factor(acting, services, data)
        return await deletion.ask(acting, own_id, services.outbox)

    asked = await gate.act(permit, ask)
    limits.second_factor_was_right(own_id)
    return _shown(asked)


@delete(HERE, opt=serves(Serves.ROOM, Action.LEAVE), status_code=204)
async def take_back(permit: Permit, gate: Gate) -> None:
    """Stay after all: everything is as it was."""
    require_own_pages(permit.viewer)
    await gate.act(permit, deletion.take_back)


async def _require_second_factor(acting: Acting, services: Services, given: AskDeletion) -> None:
    if not (await factors_of(acting.tx, acting.actor_id)).any:
        return
    if given.passkey is not None:
        if await passkeys.sign_in(acting, relying_party(services), given.passkey) != acting.actor_id:
            raise factors.wrong_code(status=422)
        return
    try:
        await factors.use_code(acting, acting.actor_id, given.code or "", services.seal, services.outbox)
    except Refused as refused:
        raise factors.wrong_code(status=422) from refused


def _shown(found: Deletion | None) -> Response[OwnDeletion]:
    times = (None, None) if found is None else (timestamp(found.asked_at_ms), timestamp(found.due_at_ms))
    return Response(OwnDeletion(*times), headers=NO_STORE)


HANDLERS: list[Any] = [show_deletion, ask_deletion, take_back]
