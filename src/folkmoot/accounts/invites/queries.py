"""Reads of invites and of who came by them."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, func, literal, select

from folkmoot.accounts.invites.model import Arrival, Invite
from folkmoot.accounts.invites.rules import Inviting, may_invite
from folkmoot.gate import Action, Refused
from folkmoot.gate import queries as gate_queries
from folkmoot.gate.standings import may
from folkmoot.storage.database import Read
from folkmoot.storage.tables.joining import invited, invites

LISTED_MAX = 100
CHAIN_MAX = 50


async def by_id(read: Read, invite_id: int) -> Invite | None:
    row = (await read.connection.execute(select(invites).where(invites.c.id == invite_id))).first()
    return _invite(row) if row else None


async def require_open(read: Read, invite_id: int, inviting: Inviting) -> Invite:
    """The invite, if it lets somebody in now: its maker may invite still, and has lost no right since.

    Raises Refused 403.
    """
    invite = await by_id(read, invite_id)
    if invite is None or not invite.is_open(read.now_ms) or not await _maker_may(read, invite, inviting):
        raise spent()
    return invite


def spent() -> Refused:
    return Refused("invite_spent", "This invite is used up, over, or taken back. Ask for another.")


async def _maker_may(read: Read, invite: Invite, inviting: Inviting) -> bool:
    counters = await gate_queries.counters(read, [stamp.subject for stamp in invite.stamps])
    if any(counters[stamp.subject] > stamp.counter for stamp in invite.stamps):
        return False
    standing = (await gate_queries.standings_of(read, [invite.account_id]))[invite.account_id]
    role = await gate_queries.role_of(read, invite.account_id)
    return may(standing, role, Action.INVITE) and may_invite(role, inviting)


async def made_by(read: Read, account_id: int) -> list[Invite]:
    """An account's invites, the newest first, a hundred at most."""
    rows = await read.connection.execute(
        select(invites).where(invites.c.account_id == account_id).order_by(invites.c.id.desc()).limit(LISTED_MAX)
    )
    return [_invite(row) for row in rows]


async def count_open(read: Read, account_id: int, account_counter: int) -> int:
    """How many invites that an account has made since its counter rose let somebody in yet."""
    is_open = (
        invites.c.account_counter >= account_counter,
        invites.c.revoked_at_ms.is_(None),
        invites.c.expires_at_ms > read.now_ms,
        invites.c.uses < invites.c.uses_max,
    )
    counted = select(func.count()).select_from(invites).where(invites.c.account_id == account_id, *is_open)
    return int((await read.connection.execute(counted)).scalar_one())


async def arrivals_by(read: Read, inviter_ids: Collection[int]) -> list[Arrival]:
    """Who came by invites of these, the newest first, a hundred at most."""
    rows = await read.connection.execute(
        select(invited)
        .where(invited.c.inviter_id.in_(inviter_ids))
        .order_by(invited.c.account_id.desc())
        .limit(LISTED_MAX)
    )
    return [_arrival(row) for row in rows]


async def chain_of(read: Read, account_id: int) -> list[Arrival]:
    """Who brought somebody, who brought that one, and so on to the first; one statement. Fifty at most."""
    start = select(invited, literal(0).label("steps")).where(invited.c.account_id == account_id)
    up = start.cte("up", recursive=True)
    further = select(invited, up.c.steps + 1).where(invited.c.account_id == up.c.inviter_id, up.c.steps < CHAIN_MAX)
    up = up.union_all(further)
    rows = await read.connection.execute(select(up).order_by(up.c.steps))
    return [_arrival(row) for row in rows]


def _invite(row: Row[Any]) -> Invite:
    return Invite(
        id=row.id,
        account_id=row.account_id,
        account_counter=row.account_counter,
        uses_max=row.uses_max,
        uses=row.uses,
        created_at_ms=row.created_at_ms,
        expires_at_ms=row.expires_at_ms,
        revoked_at_ms=row.revoked_at_ms,
    )


def _arrival(row: Row[Any]) -> Arrival:
    return Arrival(row.account_id, row.inviter_id, row.invite_id, row.joined_at_ms)
