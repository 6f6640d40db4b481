"""For the hosts of a Space: who asks, speaks or listens by a browser from which somebody was removed.

A hint and no more: families share browsers, and so do newsrooms. Looked at is who came by themselves, with or
without an account, and compared with who was removed and had come by themselves: nobody whom a host only invited or
named, for hosts are anybody, and would learn which names are one person's. Of other listeners they hear nothing
(moderation/evasion/visits.py).
"""

import msgspec
from litestar import Response, delete, get

from folkmoot.gate import Acting, Action, Gate, Permit, Refused, Serves, Viewer
from folkmoot.moderation.evasion import actions, queries
from folkmoot.spaces.model import Space
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon import entities
from folkmoot.surfaces.mastodon import present as mastodon
from folkmoot.surfaces.mastodon.paging import entity_id
from folkmoot.surfaces.security import NO_STORE
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces import load
from folkmoot.surfaces.spaces.spaces import SPACES

RETURNING = SPACES + "/{space_id:int}/returning"


class Returning(msgspec.Struct):
    """`account` is there by a browser from which `removed` was removed; null where that one may not be shown.
    `listens`: that is all they do; else they ask to speak, are on stage, or wrote in its conversation. `account`
    null: somebody listens without an account by a browser of `removed`; ignored by that one's id."""

    account: entities.Account | None
    removed: entities.Account | None
    listens: bool


@get(RETURNING, opt=serves(Serves.SIGNED_IN, Action.TAKE_PART, "read:statuses"))
async def list_returning(space_id: int, viewer: Viewer, services: Services) -> Response[list[Returning]]:
    """For hosts and co-hosts of a Space that isn't over; 403 for others."""
    async with services.database.read() as read:
        space = (await load.visible(read, services, viewer, space_id)).item
        _require_host(space, viewer.id)
        near = _near_the_stage(space)
        others = await _listeners_and_writers(read, space, near)
        found = await queries.same_browsers(read, space_id, near | others.keys())
        signed_out = [] if space.state.terminal else await queries.signed_out_again(read, space_id)
        concerned = {id_ for one in found for id_ in (one.account_id, one.removed_id)}.union(signed_out)
        known = await load.people(read, services, viewer, concerned)
    shown = {id_: mastodon.account(one, services.site) for id_, one in known.items()}
    hints = [
        Returning(shown[one.account_id], shown.get(one.removed_id), others.get(one.account_id, False))
        for one in found
        if one.account_id in shown
    ]
    hints += [Returning(None, shown[id_], listens=True) for id_ in signed_out if id_ in shown]
    return Response(hints, headers=NO_STORE)


@delete(RETURNING + "/{account_id:str}", opt=serves(Serves.SIGNED_IN, Action.TAKE_PART, "write:statuses"))
async def ignore_returning(space_id: int, account_id: str, permit: Permit, services: Services, gate: Gate) -> None:
    """It is somebody else, or it is all right: no host is told again in this Space."""
    id_ = entity_id(account_id, "Account")
    async with services.database.read() as read:
        space = (await load.visible(read, services, permit.viewer, space_id)).item

    async def ignore(acting: Acting) -> None:
        _require_host(space, acting.actor_id)
        await actions.ignore_in_space(acting, space_id, id_)

    await gate.act(permit, ignore)


def _near_the_stage(space: Space) -> set[int]:
    if space.state.terminal or not any(member.removed for member in space.members.values()):
        return set()
    return {
        member.account_id
        for member in space.members.values()
        if (member.asking or member.on_stage) and not member.role.commands
    }


async def _listeners_and_writers(read: Read, space: Space, near: set[int]) -> dict[int, bool]:
    """Who else came: whether all they do is listen."""
    if space.state.terminal or not any(member.removed for member in space.members.values()):
        return {}
    came = dict.fromkeys(await queries.visitors(read, space.id), True)
    if space.announcement_post_id is not None:
        came |= dict.fromkeys(await queries.writers(read, space.announcement_post_id), False)
    others = [space.member(account_id) for account_id in came if account_id not in near]
    return {one.account_id: came[one.account_id] for one in others if not (one.removed or one.role.commands)}


def _require_host(space: Space, account_id: int) -> None:
    if not space.member(account_id).role.commands:
        raise Refused("not_host_or_co_host", "Only the host and co-hosts can do that.")


HANDLERS = [list_returning, ignore_returning]
