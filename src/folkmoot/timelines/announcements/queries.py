"""Reads of announcements: two statements for all of them."""

from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select

from folkmoot.storage.database import Read
from folkmoot.storage.tables.reading import announcement_dismissals, announcement_reactions, announcements
from folkmoot.timelines.announcements.model import Announcement, Reaction
from folkmoot.timelines.announcements.rules import SHOWN_MAX


async def shown(read: Read, account_id: int | None) -> list[Announcement]:
    """Those that have not ended, the last first, with what the account did with each."""
    holds = or_(announcements.c.ends_at_ms.is_(None), announcements.c.ends_at_ms > read.now_ms)
    return await _found(read, account_id, holds)


async def by_id(read: Read, account_id: int | None, announcement_id: int) -> Announcement | None:
    """One of them, ended or not."""
    found = await _found(read, account_id, announcements.c.id == announcement_id)
    return found[0] if found else None


async def done_by(read: Read, account_id: int) -> tuple[list[int], list[tuple[int, str]]]:
    """Ids of what an account put away, and (id, emoji) of its reactions. Two statements."""
    put_away = select(announcement_dismissals.c.announcement_id).where(
        announcement_dismissals.c.account_id == account_id
    )
    table = announcement_reactions
    reacted = select(table.c.announcement_id, table.c.name).where(table.c.account_id == account_id)
    ids = list((await read.connection.execute(put_away)).scalars())
    return ids, [(row[0], row[1]) for row in await read.connection.execute(reacted)]


async def _found(read: Read, account_id: int | None, which: ColumnElement[bool]) -> list[Announcement]:
    put_away = select(announcement_dismissals.c.announcement_id).where(
        announcement_dismissals.c.account_id == account_id,
        announcement_dismissals.c.announcement_id == announcements.c.id,
    )
    statement = (
        select(announcements, put_away.exists().label("read"))
        .where(which)
        .order_by(announcements.c.id.desc())
        .limit(SHOWN_MAX)
    )
    rows = (await read.connection.execute(statement)).all()
    reactions = await _reactions(read, account_id, [row.id for row in rows])
    return [
        Announcement(
            id=row.id,
            text=row.text,
            starts_at_ms=row.starts_at_ms,
            ends_at_ms=row.ends_at_ms,
            all_day=row.all_day,
            published_at_ms=row.published_at_ms,
            updated_at_ms=row.updated_at_ms,
            read=row.read,
            reactions=tuple(reactions.get(row.id, ())),
        )
        for row in rows
    ]


async def _reactions(read: Read, account_id: int | None, ids: list[int]) -> dict[int, list[Reaction]]:
    """By announcement, in the order in which each was first chosen."""
    if not ids:
        return {}
    table = announcement_reactions
    own: ColumnElement[Any] = func.max(case((table.c.account_id == account_id, 1), else_=0))
    statement = (
        select(table.c.announcement_id, table.c.name, func.count().label("count"), own.label("me"))
        .where(table.c.announcement_id.in_(ids))
        .group_by(table.c.announcement_id, table.c.name)
        .order_by(func.min(table.c.created_at_ms), table.c.name)
    )
    found: dict[int, list[Reaction]] = {}
    for row in await read.connection.execute(statement):
        found.setdefault(row.announcement_id, []).append(Reaction(row.name, row[2], bool(row.me)))
    return found
