"""Reads for moderators."""

import msgspec
from sqlalchemy import select

from folkmoot.gate import Kind, Role, Standing, Subject
from folkmoot.gate import queries as gate_queries
from folkmoot.gate.standings import holding
from folkmoot.gate.subjects import subject_of_row
from folkmoot.storage.database import Read
from folkmoot.storage.tables.people import accounts, sanctions
from folkmoot.storage.tables.spaces import clips, spaces


class Listed(msgspec.Struct, frozen=True):
    """An account as a moderator's list has it. `until_ms`: Unix ms, None without end."""

    username: str
    role: Role
    standing: Standing
    until_ms: int | None
    reason: str


async def all_accounts(read: Read) -> list[Listed]:
    """Every account, by name. One statement, and one more for each 500."""
    rows = (
        await read.connection.execute(
            select(accounts.c.id, accounts.c.username, accounts.c.role).order_by(accounts.c.username_folded)
        )
    ).all()
    listed = []
    for batch in gate_queries.batches(rows):
        held = await gate_queries.open_sanctions(read, [row.id for row in batch])
        for row in batch:
            now = holding(held[row.id], read.now_ms)
            listed.append(Listed(row.username, Role(row.role), now.standing, now.until_ms, now.reason))
    return listed


async def owner_of(read: Read, subject: Subject) -> int | None:
    """Whose a Space or a clip is: who hosts it, who cut it. None where there is none of it (any more)."""
    owners = {Kind.SPACE: spaces.c.host_id, Kind.CLIP: clips.c.account_id}
    owner = owners[subject.kind]
    rows = await read.connection.execute(select(owner).where(owner.table.c.id == subject.id))
    return rows.scalar()


async def ended_since(read: Read, since_ms: int) -> list[Subject]:
    """What stood under something that nobody lifted, and that came to its end after a time (Unix ms)."""
    over = (
        sanctions.c.until_ms > since_ms,
        sanctions.c.until_ms <= read.now_ms,
        sanctions.c.lifted_at_ms.is_(None),
    )
    rows = await read.connection.execute(select(sanctions).where(*over).order_by(sanctions.c.until_ms))
    return list(dict.fromkeys(subject_of_row(row) for row in rows))
