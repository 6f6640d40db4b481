"""The gate's own reads. Each takes a batch and is one statement, whatever the size of a page.

Those of every request are built once: SQLAlchemy takes longer to build a statement than SQLite to answer it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Select,
    String,
    and_,
    bindparam,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)

from folkmoot.gate.model import (
    Action,
    Kind,
    Role,
    Sanction,
    Standing,
    Subject,
    account_subject,
    application_subject,
    token_subject,
)
from folkmoot.gate.standings import TABLES, holding
from folkmoot.gate.subjects import COLUMNS, hosts_held, sanction_of_row, subject_of_row
from folkmoot.storage.among import among, among_given
from folkmoot.storage.database import Read
from folkmoot.storage.prepared import Prepared
from folkmoot.storage.tables.credentials import tokens
from folkmoot.storage.tables.people import accounts, blocks, follows, revocations, sanctions

Key = TypeVar("Key")
BATCH_MAX = 500
# Those of an account that nobody lifted, some of which may be over by the clock.
_OPEN = and_(sanctions.c.account_id == accounts.c.id, sanctions.c.lifted_at_ms.is_(None))


def _between(one: ColumnElement[int], other: ColumnElement[int], *, is_follow: bool) -> Select[bool, int, int]:
    viewer = bindparam("viewer", type_=BigInteger)
    return select(literal(is_follow, Boolean), one, other).where(
        or_(and_(one == viewer, among_given(other, "others")), and_(other == viewer, among_given(one, "others")))
    )


_RELATIONS = Prepared(
    union_all(
        _between(follows.c.follower_id, follows.c.followee_id, is_follow=True),
        _between(blocks.c.account_id, blocks.c.blocked_id, is_follow=False),
    )
)


class TokenRow(msgspec.Struct, frozen=True):
    """A token joined with the account it stands for, and with the counters of what it hangs on as they are now."""

    id: int
    account_id: int | None
    application_id: int | None
    scopes: str
    account_counter: int
    expires_at_ms: int | None
    role: Role
    standing: Standing
    counters: dict[str, int]  # by subject


class Relations(msgspec.Struct, frozen=True):
    """How a viewer relates to a set of accounts."""

    follows: frozenset[int] = frozenset()
    followed_by: frozenset[int] = frozenset()
    blocked: frozenset[int] = frozenset()  # either way


class _Held(msgspec.Struct):
    """What nobody lifted of one account, and the host that it is of."""

    host: str | None
    sanctions: list[Sanction]


async def standings_of(read: Read, account_ids: Collection[int]) -> dict[int, Standing]:
    """The standing of each account now, its host's included; accounts that don't exist are `deactivated`."""
    now = await _now(read, account_ids)
    return {one: now[one].standing if one in now else Standing.DEACTIVATED for one in account_ids}


async def sanction_of(read: Read, account_id: int) -> Sanction | None:
    """What one account stands under now, with its reason and end; None if there is no such account."""
    return (await _now(read, [account_id])).get(account_id)


async def open_sanctions(read: Read, account_ids: Collection[int]) -> dict[int, list[Sanction]]:
    """What nobody lifted, of each account that exists. One statement."""
    return {account_id: held.sanctions for account_id, held in (await _open(read, account_ids)).items()}


async def stand(
    read: Read, account_ids: Collection[int], things: Collection[Subject]
) -> tuple[dict[int, Standing], dict[Subject, Standing]]:
    """`standings_of`, and the same for other things, in the same statement: a page asks for both."""
    held, of_things = await _open_with(read, account_ids, things) if account_ids else ({}, {})
    now = await _with_hosts(read, held)
    return (
        {one: now[one].standing if one in now else Standing.DEACTIVATED for one in account_ids},
        {thing: holding(of_things.get(thing, ()), read.now_ms).standing for thing in things},
    )


async def _now(read: Read, account_ids: Collection[int]) -> dict[int, Sanction]:
    """What decides about each account that exists. One statement, and one more where some are of other hosts."""
    return await _with_hosts(read, await _open(read, account_ids)) if account_ids else {}


async def _with_hosts(read: Read, held: dict[int, _Held]) -> dict[int, Sanction]:
    hosts = await hosts_held(read, {one.host for one in held.values() if one.host is not None})
    return {
        account_id: holding([*one.sanctions, *([hosts[one.host]] if one.host is not None else [])], read.now_ms)
        for account_id, one in held.items()
    }


async def _open(read: Read, account_ids: Collection[int]) -> dict[int, _Held]:
    return (await _open_with(read, account_ids, ()))[0]


async def _open_with(
    read: Read, account_ids: Collection[int], things: Collection[Subject]
) -> tuple[dict[int, _Held], dict[Subject, list[Sanction]]]:
    wanted: dict[str, list[Any]] = {"accounts": list(account_ids)}
    for thing in things:
        wanted.setdefault(thing.kind.value, []).append(thing.id)
    kinds = frozenset(thing.kind for thing in things)
    rows = await _select_open(kinds).rows(read, **wanted)
    found: dict[int, _Held] = {}
    about_things: dict[Subject, list[Sanction]] = {}
    for row in rows:
        if row.whose is None:
            about_things.setdefault(subject_of_row(row), []).append(sanction_of_row(row))
            continue
        held = found.setdefault(row.whose, _Held(row.whose_host, []))
        if row.id is not None:
            held.sanctions.append(sanction_of_row(row))
    return found, about_things


@cache
def _select_open(kinds: frozenset[Kind]) -> Prepared:
    """What nobody lifted of `accounts`, and of the things of each kind by its name."""
    of_accounts = (
        select(accounts.c.id.label("whose"), accounts.c.host.label("whose_host"), sanctions)
        .select_from(accounts.outerjoin(sanctions, _OPEN))
        .where(among_given(accounts.c.id, "accounts"))
    )
    if not kinds:
        return Prepared(of_accounts)
    nobody = (cast(null(), BigInteger).label("whose"), cast(null(), String).label("whose_host"))
    about = [among_given(COLUMNS[kind], kind.value) for kind in sorted(kinds)]
    of_things = select(*nobody, sanctions).where(or_(*about), sanctions.c.lifted_at_ms.is_(None))
    return Prepared(of_accounts.union_all(of_things))


async def under_again(read: Read, latest_ms: int) -> list[int]:
    """The accounts about which something is in force that was over by the clock at `latest_ms` (Unix ms): it has
    stepped back since. None, without a question, where it goes forwards."""
    if read.now_ms >= latest_ms:
        return []
    its_time_came_again = and_(sanctions.c.until_ms > read.now_ms, sanctions.c.until_ms <= latest_ms)
    rows = await read.connection.execute(
        select(sanctions.c.account_id)
        .distinct()
        .where(sanctions.c.account_id.is_not(None), sanctions.c.lifted_at_ms.is_(None), its_time_came_again)
    )
    return list(rows.scalars())


async def sanctions_of(read: Read, account_id: int) -> list[Sanction]:
    """The whole history of one account, the newest first."""
    rows = await read.connection.execute(
        select(sanctions).where(sanctions.c.account_id == account_id).order_by(sanctions.c.id.desc())
    )
    return [sanction_of_row(row) for row in rows]


async def role_of(read: Read, account_id: int) -> Role:
    row = (await read.connection.execute(select(accounts.c.role).where(accounts.c.id == account_id))).first()
    return Role(row.role) if row else Role.MEMBER


async def relations(read: Read, viewer_id: int, account_ids: Collection[int]) -> Relations:
    """Follows and blocks between the viewer and each account, both ways."""
    pairs = await _RELATIONS.rows(read, viewer=viewer_id, others=account_ids)
    following = [(one, other) for is_follow, one, other in pairs if is_follow]
    blocking = [(one, other) for is_follow, one, other in pairs if not is_follow]
    return Relations(
        follows=frozenset(other for one, other in following if one == viewer_id),
        followed_by=frozenset(one for one, other in following if other == viewer_id),
        blocked=frozenset(other if one == viewer_id else one for one, other in blocking),
    )


async def relations_of_many(
    read: Read, viewer_ids: Sequence[int], account_ids: Collection[int]
) -> dict[int, Relations]:
    """The same for each of many viewers and a few accounts; those without any are left out, and those who are alike
    have the same object. Four statements."""
    # Bits for each account: followed, follows, blocked either way.
    bits = {account_id: 1 << 3 * place for place, account_id in enumerate(account_ids)}
    alike: dict[int, int] = {}
    for kind, viewer, other in (
        (0, follows.c.follower_id, follows.c.followee_id),
        (1, follows.c.followee_id, follows.c.follower_id),
        (2, blocks.c.account_id, blocks.c.blocked_id),
        (2, blocks.c.blocked_id, blocks.c.account_id),
    ):
        asked = select(viewer, other).where(other.in_(account_ids), among(read, viewer, viewer_ids))
        for viewer_id, account_id in await read.connection.execute(asked):
            alike[viewer_id] = alike.get(viewer_id, 0) | bits[account_id] << kind
    made = {mask: Relations(*(_marked(mask >> kind, bits) for kind in range(3))) for mask in set(alike.values())}
    return {viewer: made[mask] for viewer, mask in alike.items()}


def _marked(mask: int, bits: Mapping[int, int]) -> frozenset[int]:
    return frozenset(account_id for account_id, bit in bits.items() if mask & bit)


_COUNTERS = Prepared(
    select(revocations.c.subject, revocations.c.counter).where(among_given(revocations.c.subject, "subjects"))
)


async def counters(read: Read, subjects: Collection[str]) -> dict[str, int]:
    """The revocation counters of subjects; one that was never raised is 0."""
    found = dict.fromkeys(subjects, 0)
    for batch in batches(list(found)):
        for subject, counter in await _COUNTERS.rows(read, subjects=batch):
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
    """A token with the standing of its account, in one statement: it is read at every request. None for one of a
    program that is stopped."""
    return await _token(read, tokens.c.token_hash, token_hash)


async def token_by_id(read: Read, token_id: int) -> TokenRow | None:
    """The same, for what was asked for with it and comes later."""
    return await _token(read, tokens.c.id, token_id)


async def _token(read: Read, column: ColumnElement[Any], value: int | bytes) -> TokenRow | None:
    rows = await _select_token(column).rows(read, value=value, now_ms=read.now_ms)
    if not rows:
        return None
    row = rows[0]
    hangs_on = {
        token_subject(row.id): row.token_now,
        **({account_subject(row.account_id): row.account_now} if row.account_id is not None else {}),
        **(
            {application_subject(row.application_id): row.application_now} if row.application_id is not None else {}
        ),
    }
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
        counters=hangs_on,
    )


@cache
def _select_token(column: ColumnElement[Any]) -> Prepared:
    return Prepared(
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
            counter_of(token_subject, tokens.c.id).label("token_now"),
            counter_of(account_subject, tokens.c.account_id).label("account_now"),
            counter_of(application_subject, tokens.c.application_id).label("application_now"),
        )
        .select_from(tokens.outerjoin(accounts, accounts.c.id == tokens.c.account_id).outerjoin(sanctions, _OPEN))
        .where(column == bindparam("value"), ~_is_stopped())
    )


def counter_of(subject_of: Callable[[int], str], id_: ColumnElement[Any]) -> ColumnElement[int]:
    """In a statement: the revocation counter of a subject with this id; one that was never raised is 0."""
    named = revocations.c.subject == literal(subject_of(0).removesuffix("0")) + cast(id_, String)
    return func.coalesce(select(revocations.c.counter).where(named).scalar_subquery(), 0)


def _is_stopped() -> ColumnElement[bool]:
    """Whether what its program stands under leaves the token nothing."""
    its = sanctions.alias()
    stopping = [one for one, kept in TABLES[Kind.APPLICATION].items() if Action.READ not in kept.actions]
    return exists(
        select(its.c.id).where(
            its.c.application_id == tokens.c.application_id,
            its.c.standing.in_([one.value for one in stopping]),
            its.c.lifted_at_ms.is_(None),
            or_(its.c.until_ms.is_(None), its.c.until_ms > bindparam("now_ms")),
        )
    )
