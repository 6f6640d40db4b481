"""The gate's own reads. Each takes a batch and is one statement, whatever the size of a page."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Row, Select, and_, or_, select

from folkmoot.gate.model import Role, Sanction, Standing
from folkmoot.gate.standings import holding
from folkmoot.storage.database import Read
from folkmoot.storage.tables import accounts, blocks, follows, revocations, sanctions, tokens

Key = TypeVar("Key")
BATCH_MAX = 500
# Those of an account that nobody lifted, some of which may be over by the clock.
_OPEN = and_(sanctions.c.account_id == accounts.c.id, sanctions.c.lifted_at_ms.is_(None))


class TokenRow(msgspec.Struct, frozen=True):
    """A token joined with the account it stands for and with both their counters as they are now."""

    id: int
    account_id: int | None
    application_id: int | None
    scopes: str
    account_counter: int
    expires_at_ms: int | None
    role: Role
    standing: Standing


class Relations(msgspec.Struct, frozen=True):
    """How a viewer relates to a set of accounts."""

    follows: frozenset[int] = frozenset()
    followed_by: frozenset[int] = frozenset()
    blocked: frozenset[int] = frozenset()  # either way


async def standings_of(read: Read, account_ids: Collection[int]) -> dict[int, Standing]:
    """The standing of each account now; accounts that don't exist are `deactivated`."""
    if not account_ids:
        return {}
    held = await open_sanctions(read, account_ids)
    return {
        account_id: holding(held[account_id], read.now_ms).standing if account_id in held else Standing.DEACTIVATED
        for account_id in account_ids
    }


async def open_sanctions(read: Read, account_ids: Collection[int]) -> dict[int, list[Sanction]]:
    """What nobody lifted, of each account that exists. One statement."""
    rows = await read.connection.execute(
        select(accounts.c.id.label("whose"), sanctions)
        .select_from(accounts.outerjoin(sanctions, _OPEN))
        .where(accounts.c.id.in_(account_ids))
    )
    found: dict[int, list[Sanction]] = {}
    for row in rows:
        found.setdefault(row.whose, []).extend([] if row.id is None else [_sanction(row)])
    return found


async def sanction_of(read: Read, account_id: int) -> Sanction | None:
    """What one account stands under now, with its reason and end; None if there is no such account."""
    held = await open_sanctions(read, [account_id])
    return holding(held[account_id], read.now_ms) if account_id in held else None


async def sanctions_of(read: Read, account_id: int) -> list[Sanction]:
    """The whole history of one account, the newest first."""
    rows = await read.connection.execute(
        select(sanctions).where(sanctions.c.account_id == account_id).order_by(sanctions.c.id.desc())
    )
    return [_sanction(row) for row in rows]


def _sanction(row: Row[Any]) -> Sanction:
    return Sanction(
        standing=Standing(row.standing),
        reason=row.reason,
        until_ms=row.until_ms,
        id=row.id,
        decided_by=row.decided_by,
        decided_at_ms=row.decided_at_ms,
        lifted_by=row.lifted_by,
        lifted_at_ms=row.lifted_at_ms,
    )


async def role_of(read: Read, account_id: int) -> Role:
    row = (await read.connection.execute(select(accounts.c.role).where(accounts.c.id == account_id))).first()
    return Role(row.role) if row else Role.MEMBER


async def relations(read: Read, viewer_id: int, account_ids: Collection[int]) -> Relations:
    """Follows and blocks between the viewer and each account, both ways."""
    following = await read.connection.execute(
        select(follows.c.follower_id, follows.c.followee_id).where(
            or_(
                and_(follows.c.follower_id == viewer_id, follows.c.followee_id.in_(account_ids)),
                and_(follows.c.followee_id == viewer_id, follows.c.follower_id.in_(account_ids)),
            )
        )
    )
    pairs = following.all()
    blocking = await read.connection.execute(
        select(blocks.c.account_id, blocks.c.blocked_id).where(
            or_(
                and_(blocks.c.account_id == viewer_id, blocks.c.blocked_id.in_(account_ids)),
                and_(blocks.c.blocked_id == viewer_id, blocks.c.account_id.in_(account_ids)),
            )
        )
    )
    return Relations(
        follows=frozenset(row.followee_id for row in pairs if row.follower_id == viewer_id),
        followed_by=frozenset(row.follower_id for row in pairs if row.followee_id == viewer_id),
        blocked=frozenset(
            row.blocked_id if row.account_id == viewer_id else row.account_id for row in blocking.all()
        ),
    )


async def counters(read: Read, subjects: Collection[str]) -> dict[str, int]:
    """The revocation counters of subjects; one that was never raised is 0."""
    found = dict.fromkeys(subjects, 0)
    for batch in batches(list(found)):
        for subject, counter in await read.connection.execute(select_counters(batch)):
            found[subject] = counter
    return found


async def raised_since(read: Read, since_ms: int) -> dict[str, int]:
    """The subjects whose counter was raised at or after a time (Unix ms), with their counters."""
    rows = await read.connection.execute(select_raised_since(since_ms))
    return {row.subject: row.counter for row in rows}


def batches(wanted: Sequence[Key]) -> Iterator[Sequence[Key]]:
    """Subjects or ids in parts that fit into one statement."""
    return (wanted[start : start + BATCH_MAX] for start in range(0, len(wanted), BATCH_MAX))


def select_counters(subjects: Sequence[str]) -> Select[str, int]:
    return select(revocations.c.subject, revocations.c.counter).where(revocations.c.subject.in_(subjects))


def select_raised_since(since_ms: int) -> Select[str, int]:
    return select(revocations.c.subject, revocations.c.counter).where(revocations.c.changed_at_ms >= since_ms)


async def token(read: Read, token_hash: bytes) -> TokenRow | None:
    """A token with the standing of its account, in one statement: it is read at every request."""
    statement = (
        select(
            tokens.c.id,
            tokens.c.account_id,
            tokens.c.application_id,
            tokens.c.scopes,
            tokens.c.account_counter,
            tokens.c.expires_at_ms,
            accounts.c.role,
            sanctions.c.standing,
            sanctions.c.until_ms,
        )
        .select_from(tokens.outerjoin(accounts, accounts.c.id == tokens.c.account_id).outerjoin(sanctions, _OPEN))
        .where(tokens.c.token_hash == token_hash)
    )
    rows = (await read.connection.execute(statement)).all()
    if not rows:
        return None
    row = rows[0]
    held = (Sanction(Standing(one.standing), until_ms=one.until_ms) for one in rows if one.standing)
    return TokenRow(
        id=row.id,
        account_id=row.account_id,
        application_id=row.application_id,
        scopes=row.scopes,
        account_counter=row.account_counter,
        expires_at_ms=row.expires_at_ms,
        role=Role(row.role) if row.role else Role.MEMBER,
        standing=holding(held, read.now_ms).standing,
    )
