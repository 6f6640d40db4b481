"""Invites: people make links by which others sign up; moderators see who brought whom."""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Response, delete, get, post
from litestar.params import JSONBody

from folkmoot.accounts import queries as account_queries
from folkmoot.accounts.invites import actions, queries, rules
from folkmoot.accounts.invites.model import Arrival, Invite
from folkmoot.accounts.model import Account
from folkmoot.gate import Action, Gate, Permit, Serves, Viewer, Visible
from folkmoot.gate import queries as gate_queries
from folkmoot.gate.model import account_subject
from folkmoot.storage.database import Read
from folkmoot.surfaces import invite_links
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon import entities, present
from folkmoot.surfaces.mastodon.paging import entity_id
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.security import NO_STORE
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.session import PATH

_READ = serves(Serves.SIGNED_IN, Action.INVITE, "read:accounts")
_WRITE = serves(Serves.SIGNED_IN, Action.INVITE, "write:accounts")


class MakeInvite(msgspec.Struct, forbid_unknown_fields=True):
    """For how many people, 1 to 100, and for how many seconds, an hour to 90 days."""

    uses: int = 1
    expires_in: int = 7 * 86_400


class OwnInvite(msgspec.Struct):
    """An invite, as who made it sees it, and moderators. `open`: whether it lets somebody in now."""

    id: str
    url: str | None  # for who made it
    uses_max: int
    uses: int
    created_at: str
    expires_at: str
    revoked: bool
    open: bool


class OwnInvites(msgspec.Struct):
    """One's invites, the newest first. `can_invite`: whether this server lets one make more."""

    can_invite: bool
    invites: list[OwnInvite]


class OpenInvite(msgspec.Struct):
    """What somebody who was given a link sees before they sign up. `by`: null where it may not be shown."""

    by: entities.Account | None
    expires_at: str


class Brought(msgspec.Struct):
    """Somebody who came by an invite."""

    account: entities.Account
    standing: str
    joined_at: str


class InviteTree(msgspec.Struct):
    """Who brought an account, who brought that one, and so on; whom it brought, the newest first; its invites."""

    above: list[Brought]
    below: list[Brought]
    invites: list[OwnInvite]


@get(f"{PATH}/invites", opt=_READ)
async def list_invites(viewer: Viewer, services: Services) -> Response[OwnInvites]:
    """One's own invites, a hundred at most."""
    async with services.database.read() as read:
        shown = await _made_by(read, services, viewer.id, with_link=True)
    may = rules.may_invite(viewer.role, services.site.inviting)
    return Response(OwnInvites(may, shown), headers=NO_STORE)


@post(f"{PATH}/invites", opt=_WRITE, status_code=200)
async def make_invite(data: JSONBody[MakeInvite], permit: Permit, services: Services, gate: Gate) -> OwnInvite:
    """Make a link by which others sign up here, also where that is closed or needs approval."""
    inviting = services.site.inviting
    made = await gate.act(
        permit, lambda acting: actions.make(acting, inviting, uses=data.uses, lasts_s=data.expires_in)
    )
    return _invite(services, made, is_open=True, with_link=True)


@delete(f"{PATH}/invites/{{invite_id:str}}", opt=_WRITE)
async def take_back_invite(invite_id: str, permit: Permit, gate: Gate) -> None:
    """Take one of one's invites back. Who came by it stays."""
    id_ = entity_id(invite_id, "Invite")
    await gate.act(permit, lambda acting: actions.take_back(acting, id_))


@get(f"{PATH}/invite/{{code:str}}", opt=serves(Serves.ANYONE, scope="read:accounts"))
async def show_invite(code: str, viewer: Viewer, services: Services) -> Response[OpenInvite]:
    """Whether a link lets somebody in, and who made it. 403 if it doesn't."""
    invite_id = invite_links.read(services, code)
    async with services.database.read() as read:
        invite = await queries.require_open(read, invite_id, services.site.inviting)
        found = await account_queries.by_ids(read, [invite.account_id])
        admitted = await services.gate.admit(read, viewer, found)
    by = present.account(admitted[0], services.site) if admitted else None
    return Response(OpenInvite(by, timestamp(invite.expires_at_ms)), headers=NO_STORE)


@get(
    f"{PATH}/moderation/accounts/{{account_id:str}}/invites",
    opt=serves(Serves.MODERATOR, Action.MODERATE, "admin:read:accounts"),
)
async def invite_tree(account_id: str, permit: Permit, services: Services) -> Response[InviteTree]:
    """Who brought whom, around one account."""
    id_ = entity_id(account_id, "Account")
    async with services.database.read() as read:
        chain = await queries.chain_of(read, id_)
        brought = await queries.arrivals_by(read, [id_])
        invites = await _made_by(read, services, id_, with_link=False)
        concerned = {one.inviter_id for one in chain} | {one.account_id for one in (*chain, *brought)}
        found = await account_queries.by_ids(read, sorted(concerned))
        standings = await gate_queries.standings_of(read, concerned)
    known = {one.item.id: one for one in services.gate.admit_to_moderate(permit, found)}

    def shown(person_id: int, arrival: Arrival, known: Mapping[int, Visible[Account]] = known) -> Brought:
        account = present.account(known[person_id], services.site)
        return Brought(account, standings[person_id].value, timestamp(arrival.joined_at_ms))

    tree = InviteTree(
        above=[shown(one.inviter_id, one) for one in chain],
        below=[shown(one.account_id, one) for one in brought],
        invites=invites,
    )
    return Response(tree, headers=NO_STORE)


@delete(
    f"{PATH}/moderation/invites/{{invite_id:str}}",
    opt=serves(Serves.MODERATOR, Action.MODERATE, "admin:write:accounts"),
)
async def close_invite(invite_id: str, permit: Permit, gate: Gate) -> None:
    """Take anybody's invite back."""
    id_ = entity_id(invite_id, "Invite")
    await gate.act(permit, lambda acting: actions.take_back(acting, id_))


async def _made_by(read: Read, services: Services, account_id: int, *, with_link: bool) -> list[OwnInvite]:
    subject = account_subject(account_id)
    counter = (await gate_queries.counters(read, [subject]))[subject]
    role = await gate_queries.role_of(read, account_id)
    may = rules.may_invite(role, services.site.inviting)
    return [
        _invite(
            services,
            one,
            is_open=may and one.is_open(read.now_ms) and one.account_counter >= counter,
            with_link=with_link,
        )
        for one in await queries.made_by(read, account_id)
    ]


def _invite(services: Services, invite: Invite, *, is_open: bool, with_link: bool) -> OwnInvite:
    return OwnInvite(
        id=str(invite.id),
        url=invite_links.link(services, invite) if with_link and is_open else None,
        uses_max=invite.uses_max,
        uses=invite.uses,
        created_at=timestamp(invite.created_at_ms),
        expires_at=timestamp(invite.expires_at_ms),
        revoked=invite.revoked_at_ms is not None,
        open=is_open,
    )


HANDLERS: list[Any] = [list_invites, make_invite, take_back_invite, show_invite, invite_tree, close_invite]
