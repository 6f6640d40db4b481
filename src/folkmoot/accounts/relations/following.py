"""Writes of who follows whom: at once, or where the account is locked by a request that it answers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, select, tuple_, update

from folkmoot.accounts.relations.model import Choices
from folkmoot.accounts.relations.rules import clean_choices
from folkmoot.gate import Acting, Refused, shown_to_others
from folkmoot.gate import queries as gate_queries
from folkmoot.storage.events import emit, emit_each
from folkmoot.storage.tables.people import account_counts, accounts, follow_requests, follows
from folkmoot.storage.tables.relations import domain_blocks, endorsements
from folkmoot.storage.upserts import batches, count_each, insert_new, insert_once

# {"follower": id, "followed": id, "asked": whether it was let in by an answer}
ACCOUNT_FOLLOWED = "account.followed"
# {"follower": id, "followed": id}
ACCOUNT_FOLLOW_REQUESTED = "account.follow_requested"
# {"account": id of who follows no more, nor asks to, "unfollowed": id}
ACCOUNT_UNFOLLOWED = "account.unfollowed"


async def follow(acting: Acting, account_id: int, choices: Choices | None = None) -> None:
    """Follow an account, or ask to if it is locked; who does already changes what of it they want to see.

    Raises Refused: 422 oneself, or languages that are none; 404 where there is no such account, or a block, or
    nothing of it is shown.
    """
    chosen = clean_choices(choices or Choices())
    not_oneself(acting, account_id, "follow")
    locked = await _locked(acting, account_id)
    for table in (follows, follow_requests):
        if await _choose(acting, table, account_id, chosen):
            return
    values = {"follower_id": acting.actor_id, "followee_id": account_id, "created_at_ms": acting.now_ms} | chosen
    if locked:
        await insert_once(acting.tx, follow_requests, **values)
        await emit(acting.tx, ACCOUNT_FOLLOW_REQUESTED, _told(acting.actor_id, account_id))
        return
    await _insert(acting, [values], asked=False)


async def unfollow(acting: Acting, account_id: int) -> None:
    """Follow no more, and ask no more. The event tells Spaces that are for those whom one follows."""
    await end(acting, (follows.c.follower_id == acting.actor_id) & (follows.c.followee_id == account_id))
    await end_requests(
        acting,
        (follow_requests.c.follower_id == acting.actor_id) & (follow_requests.c.followee_id == account_id),
    )
    await _tell_of_end(acting, acting.actor_id, account_id)


async def authorize(acting: Acting, follower_id: int) -> None:
    """Let somebody in who asked. Raises Refused 404 where they don't ask (any more)."""
    if not await _let_in(acting, _asks(acting, follower_id)):
        raise no_account()


async def authorize_all(acting: Acting) -> None:
    """Let everybody in who asks: the account is no longer locked."""
    await _let_in(acting, follow_requests.c.followee_id == acting.actor_id)


async def reject(acting: Acting, follower_id: int) -> None:
    """Don't let somebody in. Raises Refused 404 where they don't ask (any more)."""
    if not await end_requests(acting, _asks(acting, follower_id)):
        raise no_account()
    await _tell_of_end(acting, follower_id, acting.actor_id)


async def remove_follower(acting: Acting, account_id: int) -> None:
    """Have an account follow one no longer. Raises nothing, also where it doesn't."""
    if await end(acting, (follows.c.follower_id == account_id) & (follows.c.followee_id == acting.actor_id)):
        await _tell_of_end(acting, account_id, acting.actor_id)


async def end(acting: Acting, which: ColumnElement[bool]) -> int:
    """Delete follows, with what hangs on them; returns how many there were."""
    ended = delete(follows).where(which).returning(follows.c.follower_id, follows.c.followee_id)
    pairs = [(row.follower_id, row.followee_id) for row in await acting.tx.connection.execute(ended)]
    await _count(acting, pairs, -1)
    for some in batches(pairs):
        recommended = tuple_(endorsements.c.account_id, endorsements.c.endorsed_id).in_(some)
        await acting.tx.connection.execute(delete(endorsements).where(recommended))
    return len(pairs)


async def end_requests(acting: Acting, which: ColumnElement[bool]) -> int:
    """Delete requests; returns how many there were."""
    return int((await acting.tx.connection.execute(delete(follow_requests).where(which))).rowcount)


def not_oneself(acting: Acting, account_id: int, verb: str) -> None:
    """Raises Refused 422."""
    if account_id == acting.actor_id:
        raise Refused("own_account", f"One cannot {verb} oneself.", status=422)


def no_account() -> Refused:
    return Refused("not_found", "Account not found.", status=404)


async def _locked(acting: Acting, account_id: int) -> bool:
    """Whether follows of an account need its answer. Raises Refused 404."""
    standing = (await gate_queries.standings_of(acting.tx, [account_id]))[account_id]
    relations = await gate_queries.relations(acting.tx, acting.actor_id, [account_id])
    own_host = select(accounts.c.host).where(accounts.c.id == acting.actor_id).scalar_subquery()
    unwanted = select(domain_blocks.c.id).where(
        domain_blocks.c.account_id == account_id, domain_blocks.c.host == own_host
    )
    found = select(accounts.c.locked, unwanted.exists()).where(accounts.c.id == account_id)
    row = (await acting.tx.connection.execute(found)).first()
    if row is None or row[1] or not shown_to_others(standing) or account_id in relations.blocked:
        raise no_account()
    return bool(row[0])


async def _choose(acting: Acting, table: Table, account_id: int, chosen: dict[str, Any]) -> bool:
    """Whether there is a follow or a request, whose choices are then these."""
    own = (table.c.follower_id == acting.actor_id) & (table.c.followee_id == account_id)
    if chosen:
        return bool((await acting.tx.connection.execute(update(table).where(own).values(chosen))).rowcount)
    return (await acting.tx.connection.execute(select(table.c.follower_id).where(own))).first() is not None


def _asks(acting: Acting, follower_id: int) -> ColumnElement[bool]:
    return (follow_requests.c.follower_id == follower_id) & (follow_requests.c.followee_id == acting.actor_id)


async def _let_in(acting: Acting, which: ColumnElement[bool]) -> int:
    """Make follows of requests; returns of how many."""
    answered = delete(follow_requests).where(which).returning(follow_requests)
    asking = (await acting.tx.connection.execute(answered)).mappings().all()
    await _insert(acting, [{**request, "created_at_ms": acting.now_ms} for request in asking], asked=True)
    return len(asking)


async def _insert(acting: Acting, rows: Sequence[Mapping[str, Any]], *, asked: bool) -> None:
    pairs = [(row.follower_id, row.followee_id) for row in await insert_new(acting.tx, follows, rows)]
    await _count(acting, pairs, 1)
    await emit_each(acting.tx, ACCOUNT_FOLLOWED, [_told(*pair) | {"asked": asked} for pair in pairs])


async def _tell_of_end(acting: Acting, follower_id: int, followed_id: int) -> None:
    told = {"account": str(follower_id), "unfollowed": str(followed_id)}
    await emit(acting.tx, ACCOUNT_UNFOLLOWED, told)


def _told(follower_id: int, followed_id: int) -> dict[str, Any]:
    return {"follower": str(follower_id), "followed": str(followed_id)}


async def _count(acting: Acting, pairs: Sequence[tuple[int, int]], by: int) -> None:
    """Of follows that are new (1) or gone (-1)."""
    for column, people in (("following", (one for one, _ in pairs)), ("followers", (other for _, other in pairs))):
        each = {account_id: by * number for account_id, number in Counter(people).items()}
        await count_each(acting.tx, account_counts, column, each)
