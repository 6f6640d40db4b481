"""Links that work once: made, looked at, used, kept as digests only. Each write is inside `Gate.act`.

Those of an account hang on its revocation counter, as its tokens do: whatever signs it out everywhere (a new
password, a lock, a suspension) ends them. Otherwise whoever stole the old one would come back by an older letter.
"""

import secrets
from enum import StrEnum

import msgspec
from sqlalchemy import ColumnElement, and_, delete, or_, select, true, update

from folkmoot.gate import Acting
from folkmoot.gate import queries as gate_queries
from folkmoot.gate.model import account_subject
from folkmoot.storage.database import Read, digest
from folkmoot.storage.tables.credentials import one_time_links

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS


class Purpose(StrEnum):
    """What a link is for."""

    OWNER = "owner"  # makes the server's owner
    RESET = "password"  # sets a new password
    EMAIL = "email"  # shows that somebody reads what comes to an address
    FACTORS_OFF = "factors_off"  # takes away the second factors that somebody lost; asks for the password, too
    SIGN_IN = "sign_in"  # the password was right, the second factor is to come
    PASSKEY = "passkey"  # the challenge of a sign-in with a passkey
    NEW_PASSKEY = "new_passkey"  # the challenge under which one is made


LASTS_MS: dict[Purpose, int] = {
    Purpose.OWNER: DAY_MS,
    Purpose.RESET: DAY_MS,
    Purpose.EMAIL: 7 * DAY_MS,
    Purpose.FACTORS_OFF: DAY_MS,
    Purpose.SIGN_IN: 10 * MINUTE_MS,
    Purpose.PASSKEY: 10 * MINUTE_MS,
    Purpose.NEW_PASSKEY: 10 * MINUTE_MS,
}
_MANY = frozenset({Purpose.SIGN_IN, Purpose.PASSKEY})
"""Of these an account has several at a time: somebody signs in with two browsers."""


class Link(msgspec.Struct, frozen=True):
    """What a secret opens. `email`: the address that it confirms."""

    account_id: int | None
    email: str | None = None


async def make(
    acting: Acting,
    purpose: Purpose,
    account_id: int | None = None,
    *,
    email: str | None = None,
    kept_since_ms: int | None = None,
) -> str:
    """The secret of a new link: 256 random bits, as base64url. An earlier one of the same purpose works no more.
    `kept_since_ms`: but those made from then on (Unix ms) do, where one letter is written again: of two with one
    number, mailboxes may keep the first."""
    secret = secrets.token_urlsafe(32)
    if purpose not in _MANY:
        await forget(acting, purpose, account_id, before_ms=kept_since_ms)
    await acting.tx.connection.execute(
        one_time_links.insert().values(
            secret_hash=digest(secret),
            purpose=purpose.value,
            account_id=account_id,
            account_counter=await _counter(acting, account_id),
            email=email,
            created_at_ms=acting.now_ms,
            expires_at_ms=acting.now_ms + LASTS_MS[purpose],
        )
    )
    return secret


async def use(acting: Acting, purpose: Purpose, secret: str) -> Link | None:
    """Spend a link; None for one that is spent or over, that ended with its account's sessions, or is for something
    else."""
    spent = (
        update(one_time_links)
        .where(one_time_links.c.secret_hash == digest(secret), _is_open(purpose, acting.now_ms))
        .values(used_at_ms=acting.now_ms)
        .returning(one_time_links.c.account_id, one_time_links.c.email)
    )
    row = (await acting.tx.connection.execute(spent)).first()
    return Link(*row) if row else None


async def look(read: Read, purpose: Purpose, secret: str) -> Link | None:
    """What a link would open, which stays good."""
    rows = await read.connection.execute(
        select(one_time_links.c.account_id, one_time_links.c.email).where(
            one_time_links.c.secret_hash == digest(secret), _is_open(purpose, read.now_ms)
        )
    )
    row = rows.first()
    return Link(*row) if row else None


async def pending_email(read: Read, account_id: int) -> str | None:
    """The address that counts once its link is opened, if there is one."""
    rows = await read.connection.execute(
        select(one_time_links.c.email).where(
            one_time_links.c.account_id == account_id, _is_open(Purpose.EMAIL, read.now_ms)
        )
    )
    return rows.scalar()


async def forget(acting: Acting, purpose: Purpose, account_id: int | None, *, before_ms: int | None = None) -> None:
    """Whatever was made for this, `before_ms` (Unix ms) if that is said, opens nothing any more."""
    is_theirs = one_time_links.c.account_id == account_id  # where None is, SQLAlchemy writes IS NULL
    is_earlier = true() if before_ms is None else one_time_links.c.created_at_ms < before_ms
    await acting.tx.connection.execute(
        delete(one_time_links).where(one_time_links.c.purpose == purpose.value, is_theirs, is_earlier)
    )


async def _counter(acting: Acting, account_id: int | None) -> int | None:
    if account_id is None:
        return None
    subject = account_subject(account_id)
    return (await gate_queries.counters(acting.tx, [subject]))[subject]


def _is_open(purpose: Purpose, now_ms: int) -> ColumnElement[bool]:
    now = gate_queries.counter_of(account_subject, one_time_links.c.account_id)
    return and_(
        one_time_links.c.purpose == purpose.value,
        one_time_links.c.used_at_ms.is_(None),
        one_time_links.c.expires_at_ms > now_ms,
        or_(one_time_links.c.account_id.is_(None), one_time_links.c.account_counter == now),
    )
