"""Reads of what is decided about hosts."""

from typing import Any

from sqlalchemy import Select, or_, select

from folkmoot.accounts.model import Page
from folkmoot.gate import Standing
from folkmoot.gate.subjects import sanction_of_row
from folkmoot.moderation.hosts.model import Decided
from folkmoot.storage.database import Read
from folkmoot.storage.tables.people import sanctions

BLOCKED = (Standing.LIMITED, Standing.SUSPENDED)
ALLOWED = (Standing.ACTIVE,)


async def page_of(read: Read, standings: tuple[Standing, ...], page: Page) -> list[Decided]:
    """The decisions of some kinds that are in force, the newest first. One statement."""
    statement = _in_force(read, standings).limit(page.limit)
    if page.max_id is not None:
        statement = statement.where(sanctions.c.id < page.max_id)
    newer_than = page.min_id if page.min_id is not None else page.since_id
    if newer_than is not None:
        statement = statement.where(sanctions.c.id > newer_than)
    upwards = page.min_id is not None
    order = sanctions.c.id.asc() if upwards else sanctions.c.id.desc()
    rows = await read.connection.execute(statement.order_by(order))
    found = [Decided(row.host, sanction_of_row(row)) for row in rows]
    return found[::-1] if upwards else found


async def by_id(read: Read, sanction_id: int, standings: tuple[Standing, ...]) -> Decided | None:
    """One that is in force."""
    row = (await read.connection.execute(_in_force(read, standings).where(sanctions.c.id == sanction_id))).first()
    return None if row is None else Decided(row.host, sanction_of_row(row))


def _in_force(read: Read, standings: tuple[Standing, ...]) -> Select[Any]:
    return select(sanctions).where(
        sanctions.c.host.is_not(None),
        sanctions.c.standing.in_([one.value for one in standings]),
        sanctions.c.lifted_at_ms.is_(None),
        or_(sanctions.c.until_ms.is_(None), sanctions.c.until_ms > read.now_ms),
    )
