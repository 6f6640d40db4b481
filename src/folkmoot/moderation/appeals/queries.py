"""Reads of appeals."""

from collections.abc import Collection

from sqlalchemy import select

from folkmoot.gate import subjects
from folkmoot.moderation.appeals.model import Appeal, Case
from folkmoot.storage.database import Read
from folkmoot.storage.tables.people import appeals

LIST_MAX = 100


async def of_account(read: Read, account_id: int) -> dict[int, Appeal]:
    """What one account appealed against, by the sanction's id."""
    rows = await read.connection.execute(select(appeals).where(appeals.c.account_id == account_id))
    return {row.sanction_id: Appeal(**row._mapping) for row in rows}


async def case(read: Read, appeal_id: int) -> Case | None:
    """One appeal with the sanction it is against."""
    row = (await read.connection.execute(select(appeals).where(appeals.c.id == appeal_id))).first()
    return None if row is None else (await _cases(read, [Appeal(**row._mapping)]))[0]


async def waiting(read: Read) -> list[Case]:
    """The appeals that nobody decided and whose sanction is in force, the oldest first; at most 100."""
    rows = await read.connection.execute(
        select(appeals).where(appeals.c.granted.is_(None)).order_by(appeals.c.id).limit(LIST_MAX)
    )
    cases = await _cases(read, [Appeal(**row._mapping) for row in rows])
    return [case for case in cases if case.sanction.in_force(read.now_ms)]


async def _cases(read: Read, of: Collection[Appeal]) -> list[Case]:
    found = await subjects.by_ids(read, [appeal.sanction_id for appeal in of])
    return [Case(appeal, *found[appeal.sanction_id]) for appeal in of]
