"""Reads of traces and of what new accounts have in common with others."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, exists, func, or_, select

from folkmoot.gate import queries as gate_queries
from folkmoot.moderation.evasion.model import Arriving, Hint, Kind, Match, SameBrowser
from folkmoot.moderation.evasion.rules import BROWSERS_KEPT_MS, decided
from folkmoot.storage.database import Read
from folkmoot.storage.tables.joining import ignored_hints, signup_hints, space_visits, traces
from folkmoot.storage.tables.people import credentials
from folkmoot.storage.tables.posts import posts
from folkmoot.storage.tables.spaces import seats, space_members, spaces

MATCHES_MAX = 200
_NAMED_MAX = 500


async def matches(read: Read, new: Arriving) -> list[Match]:
    """The accounts that were seen with the same mailbox, browser or address. Three statements."""
    found = [(Kind.MAILBOX, id_, read.now_ms) for id_ in await _with_mailbox(read, new.mailbox)]
    rows = (await read.connection.execute(_seen_with(new))).all()
    found += [(Kind(row.kind), row.account_id, row.seen_at_ms) for row in rows]
    held = await gate_queries.open_sanctions(read, {account_id for _, account_id, _ in found})
    users = {kind: len({row.account_id for row in rows if row.kind == kind.value}) for kind in Kind}
    return [
        Match(kind, id_, decided(held[id_], read.now_ms).standing, seen_at_ms, users[kind])
        for kind, id_, seen_at_ms in found
    ]


async def is_new_browser(read: Read, account_id: int, browser: bytes | None) -> bool:
    """Whether an account that was used with other browsers was not with this one, as far as is remembered."""
    rows = await read.connection.execute(
        select(traces.c.mark).where(traces.c.account_id == account_id, traces.c.kind == Kind.BROWSER.value)
    )
    known = set(rows.scalars())
    return bool(known) and browser not in known


async def _with_mailbox(read: Read, mailbox: bytes | None) -> list[int]:
    if mailbox is None:
        return []
    rows = await read.connection.execute(
        select(credentials.c.account_id).where(credentials.c.email_mark == mailbox).limit(MATCHES_MAX)
    )
    return [row.account_id for row in rows]


def _seen_with(new: Arriving) -> Select[Any]:
    same = [and_(traces.c.kind == Kind.ADDRESS.value, traces.c.mark == new.address)]
    if new.browser is not None:
        same.append(and_(traces.c.kind == Kind.BROWSER.value, traces.c.mark == new.browser))
    return select(traces).where(or_(*same)).order_by(traces.c.seen_at_ms.desc()).limit(MATCHES_MAX)


async def hints_of(read: Read, account_ids: Collection[int]) -> list[Hint]:
    """Why people look at these sign-ups, the surest first. Two statements."""
    if not account_ids:
        return []
    rows = (
        await read.connection.execute(select(signup_hints).where(signup_hints.c.account_id.in_(account_ids)))
    ).all()
    held = await gate_queries.open_sanctions(read, {row.other_id for row in rows}) if rows else {}
    hints = []
    for row in rows:
        now = decided(held.get(row.other_id, []), read.now_ms)
        since_ms = now.decided_at_ms or None
        kind = Kind(row.kind)
        hints.append(Hint(row.account_id, row.other_id, kind, row.seen_at_ms, now.standing, since_ms))
    return sorted(hints, key=lambda one: (list(Kind).index(one.kind), one.other_id))


async def visitors(read: Read, space_id: int) -> list[int]:
    """Who came to listen, of those who were removed from a Space or share a browser with one of them."""
    rows = await read.connection.execute(
        select(space_visits.c.account_id).where(space_visits.c.space_id == space_id)
    )
    return list(rows.scalars())


async def writers(read: Read, announcement_post_id: int) -> list[int]:
    """Who wrote the last few hundred posts of a Space's conversation."""
    last = (
        select(posts.c.account_id)
        .where(posts.c.conversation_id == announcement_post_id, posts.c.deleted_at_ms.is_(None))
        .order_by(posts.c.id.desc())
        .limit(_NAMED_MAX)
        .subquery()
    )
    return list((await read.connection.execute(select(last.c.account_id).distinct())).scalars())


async def signed_out_again(read: Read, space_id: int) -> list[int]:
    """Who was removed from a Space and by whose browser somebody listens without an account."""
    rows = await read.connection.execute(
        select(space_visits.c.account_id)
        .join(
            space_members,
            and_(
                space_members.c.space_id == space_visits.c.space_id,
                space_members.c.account_id == space_visits.c.account_id,
                space_members.c.removed,
            ),
        )
        .where(
            space_visits.c.space_id == space_id,
            space_visits.c.without_account_at_ms.is_not(None),
            ~_ignored(space_id, space_visits.c.account_id),
        )
    )
    return list(rows.scalars())


async def removed_by_browser(read: Read, space_id: int, browsers: Collection[bytes]) -> list[int]:
    """Who was removed from a Space, after they had come by themselves, and uses one of these browsers."""
    rows = await read.connection.execute(
        select(traces.c.account_id)
        .distinct()
        .join(space_members, _was_removed(space_id, traces))
        .where(
            traces.c.kind == Kind.BROWSER.value,
            traces.c.mark.in_(browsers),
            traces.c.seen_at_ms > read.now_ms - BROWSERS_KEPT_MS,
        )
    )
    return list(rows.scalars())


async def same_browsers(read: Read, space_id: int, account_ids: Collection[int]) -> list[SameBrowser]:
    """Who of these uses a browser from which somebody was removed from the Space. One statement.

    Only somebody who came by themselves: who asked, spoke, wrote in its conversation, or listened. Else whoever
    opens a Space could name any two accounts and learn whether they are one person's. What a host has ignored is
    left out.
    """
    if not account_ids:
        return []
    theirs, others = traces.alias("theirs"), traces.alias("others")
    is_same = and_(others.c.kind == theirs.c.kind, others.c.mark == theirs.c.mark)
    # Of a crowd, whoever shares a browser is found from those who were removed.
    named = [theirs.c.account_id.in_(account_ids)] if len(account_ids) <= _NAMED_MAX else []
    rows = await read.connection.execute(
        select(theirs.c.account_id, func.min(others.c.account_id).label("removed_id"))
        .select_from(theirs.join(others, is_same).join(space_members, _was_removed(space_id, others)))
        .where(
            *named,
            theirs.c.kind == Kind.BROWSER.value,
            theirs.c.account_id != others.c.account_id,
            theirs.c.seen_at_ms > read.now_ms - BROWSERS_KEPT_MS,
            others.c.seen_at_ms > read.now_ms - BROWSERS_KEPT_MS,
            ~_ignored(space_id, theirs.c.account_id),
        )
        .group_by(theirs.c.account_id)
    )
    among = set(account_ids)
    return [SameBrowser(row.account_id, row.removed_id) for row in rows if row.account_id in among]


def _was_removed(space_id: int, others: FromClause) -> ColumnElement[bool]:
    """That who is in a row of traces was removed from a Space after they had come by themselves."""
    return and_(
        space_members.c.space_id == space_id,
        space_members.c.account_id == others.c.account_id,
        space_members.c.removed,
        or_(
            space_members.c.document["had_asked"].as_boolean(),
            exists().where(seats.c.space_id == space_id, seats.c.account_id == others.c.account_id),
            exists().where(
                posts.c.account_id == others.c.account_id,
                posts.c.conversation_id == spaces.c.announcement_post_id,
                spaces.c.id == space_id,
            ),
            exists().where(space_visits.c.space_id == space_id, space_visits.c.account_id == others.c.account_id),
        ),
    )


def _ignored(space_id: int, account_id: ColumnElement[int]) -> ColumnElement[bool]:
    return exists().where(ignored_hints.c.space_id == space_id, ignored_hints.c.account_id == account_id)
