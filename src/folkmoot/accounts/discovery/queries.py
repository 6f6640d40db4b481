"""Reads of who can be found: ids for the gate, ranked. What each costs is bounded, however many there are."""

from collections.abc import Collection, Sequence
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    desc,
    exists,
    func,
    literal,
    or_,
    select,
    union,
    union_all,
)

from folkmoot.accounts.discovery.rules import asked_words
from folkmoot.accounts.model import Page
from folkmoot.accounts.paging import rows_of_page
from folkmoot.accounts.queries import hides
from folkmoot.accounts.rules import fold, is_username
from folkmoot.storage.database import Read
from folkmoot.storage.tables.people import account_counts, accounts, follow_requests, follows
from folkmoot.storage.tables.relations import account_words, dismissed_suggestions

CANDIDATES_MAX = 500
LISTED_FEW = 2_000
"""As many as want to be listed are all looked at; among more, some are met soon."""
FRIENDS_MAX = 200
FAMILIAR_MAX = 40
_LAST = chr(0x10FFFF)
Order = Literal["active", "new"]


async def search(
    read: Read,
    text: str,
    *,
    viewer_id: int | None,
    limit: int,
    offset: int = 0,
    following: bool = False,
) -> list[int]:
    """Those in whose names a word begins with each word of `text`: who has just this username first, then those
    whom the viewer follows, then those whom most follow. `following`: only whom the viewer follows."""
    asked = asked_words(text)
    if not asked:
        return []
    meant = text.strip().removeprefix("@")
    username = fold(meant) if is_username(meant) else ""  # whose spelling the database could not hold is nobody's
    followed = _followed_by(viewer_id)
    near = select(account_words.c.account_id).where(_matches(asked), account_words.c.account_id.in_(followed))
    candidates: Select[Any] | CompoundSelect[Any] = near.limit(CANDIDATES_MAX).subquery().select()
    if not following:
        named = select(accounts.c.id).where(accounts.c.username_folded == username)
        anybody = select(account_words.c.account_id).where(_matches(asked)).limit(CANDIDATES_MAX)
        candidates = union(candidates, anybody.subquery().select(), named)
    found = candidates.subquery("found")
    id_ = next(iter(found.c))
    statement = (
        select(id_)
        .join(accounts, accounts.c.id == id_)
        .outerjoin(account_counts, account_counts.c.account_id == id_)
        .order_by(
            desc(accounts.c.username_folded == username),
            desc(id_.in_(followed)),
            desc(func.coalesce(account_counts.c.followers, 0)),
            id_,
        )
    )
    return await _ids(read, statement.limit(limit).offset(offset))


def _matches(asked: Sequence[str]) -> ColumnElement[bool]:
    """That a row of `account_words` begins with the first word, and its account has the others, too."""
    first, *others = asked
    other = account_words.alias("other")
    return and_(
        _begins(account_words.c.word, first),
        *(
            exists().where(other.c.account_id == account_words.c.account_id, _begins(other.c.word, word))
            for word in others
        ),
    )


def _begins(column: ColumnElement[str], beginning: str) -> ColumnElement[bool]:
    return and_(column >= beginning, column < beginning + _LAST)


def _followed_by(viewer_id: int | None) -> Select[Any]:
    return select(follows.c.followee_id).where(follows.c.follower_id == viewer_id)


async def friends_of_friends(read: Read, viewer_id: int, limit: int) -> list[int]:
    """Whom most of those follow whom the viewer follows, and the viewer doesn't; without whoever hides whom they
    follow. Looks at no more than two hundred friends and a few thousand of their follows."""
    theirs = accounts.alias("theirs")
    open_ones = (
        _followed_by(viewer_id)
        .join(theirs, theirs.c.id == follows.c.followee_id)
        .where(theirs.c.hide_collections.is_(False))
    )
    friends = open_ones.order_by(follows.c.followee_id.desc()).limit(FRIENDS_MAX).subquery("friends")
    further = (
        select(follows.c.followee_id.label("id"))
        .where(follows.c.follower_id.in_(friends.select()))
        .limit(CANDIDATES_MAX * 10)
        .subquery("further")
    )
    ranked = select(further.c.id, func.count().label("friends")).group_by(further.c.id).subquery("ranked")
    statement = (
        select(ranked.c.id)
        .join(accounts, accounts.c.id == ranked.c.id)
        .where(*_suggestible(ranked.c.id, viewer_id, read.now_ms))
        .order_by(ranked.c.friends.desc(), ranked.c.id)
    )
    return await _ids(read, statement.limit(limit))


async def most_followed(read: Read, viewer_id: int, limit: int) -> list[int]:
    """Whom most follow, and the viewer doesn't. Two statements."""
    statement = await _listed_by(read, account_counts.c.followers)
    return await _ids(read, statement.where(*_suggestible(accounts.c.id, viewer_id, read.now_ms)).limit(limit))


def _suggestible(id_: ColumnElement[int], viewer_id: int, now_ms: int) -> list[ColumnElement[bool]]:
    """Whom nobody has to be ashamed to suggest: who wants it, and isn't known, hidden or dismissed. Expects
    `accounts` in the statement."""
    return [
        accounts.c.discoverable,
        accounts.c.locked.is_(False),
        id_ != viewer_id,
        ~exists().where(follows.c.follower_id == viewer_id, follows.c.followee_id == id_),
        ~exists().where(follow_requests.c.follower_id == viewer_id, follow_requests.c.followee_id == id_),
        ~exists().where(
            dismissed_suggestions.c.account_id == viewer_id, dismissed_suggestions.c.dismissed_id == id_
        ),
        ~hides(viewer_id, id_, now_ms),
    ]


async def directory(read: Read, *, order: Order, limit: int, offset: int, viewer_id: int | None) -> list[int]:
    """Those who want to be listed, by their last post or the newest first; without whom the viewer hides. Two
    statements."""
    if order == "active":
        statement = await _listed_by(read, account_counts.c.last_post_id)
    else:
        statement = select(accounts.c.id).where(accounts.c.discoverable).order_by(accounts.c.id.desc())
    if viewer_id is not None:
        statement = statement.where(~hides(viewer_id, accounts.c.id, read.now_ms))
    return await _ids(read, statement.limit(limit).offset(offset))


async def _listed_by(read: Read, rank: ColumnElement[int]) -> Select[Any]:
    """Who wants to be listed and has such a count, the highest first: by looking at all of them where they are few,
    by going down its index where they are many."""
    listed = select(accounts.c.id).where(accounts.c.discoverable).limit(LISTED_FEW + 1).subquery("listed")
    are_few = (await read.connection.execute(select(func.count()).select_from(listed))).scalar_one() <= LISTED_FEW
    id_ = account_counts.c.account_id
    statement = select(id_).join(accounts, accounts.c.id == id_)
    if not are_few:
        return statement.where(accounts.c.discoverable, rank > 0).order_by(rank.desc())
    # Neither database is to go down the index in spite of that: an expression has none.
    height = func.coalesce(rank, 0)
    return statement.join(listed, listed.c.id == id_).where(height > 0).order_by(height.desc(), id_.desc())


async def familiar_follower_ids(read: Read, viewer_id: int, ids: Collection[int]) -> dict[int, list[int]]:
    """Of each account those who follow it and whom the viewer follows, at most forty, the newest accounts first;
    without whoever hides whom they follow. One statement, whose cost follows the number that the viewer follows."""
    own, theirs, whose = follows.alias("own"), follows.alias("theirs"), accounts.alias("whose")
    of_each = [
        select(literal(id_).label("id"), own.c.followee_id)
        .join(accounts, accounts.c.id == own.c.followee_id)
        .where(
            own.c.follower_id == viewer_id,
            accounts.c.hide_collections.is_(False),
            exists().where(theirs.c.follower_id == own.c.followee_id, theirs.c.followee_id == id_),
            exists().where(whose.c.id == id_, or_(whose.c.hide_collections.is_(False), whose.c.id == viewer_id)),
        )
        .order_by(own.c.followee_id.desc())
        .limit(FAMILIAR_MAX)
        .subquery()
        .select()
        for id_ in ids
    ]
    found: dict[int, list[int]] = {id_: [] for id_ in ids}
    for id_, follower_id in await read.connection.execute(union_all(*of_each)) if of_each else ():
        found[id_].append(follower_id)
    return found


async def dismissed_ids(read: Read, account_id: int, page: Page) -> list[int]:
    """A page of those whom the account doesn't want to be suggested, the newest accounts first."""
    id_ = dismissed_suggestions.c.dismissed_id
    statement = select(id_).where(dismissed_suggestions.c.account_id == account_id)
    return [int(row[0]) for row in await rows_of_page(read, statement, id_, page)]


async def _ids(read: Read, statement: Select[Any]) -> list[int]:
    return list((await read.connection.execute(statement)).scalars())
