"""Reads for moderators."""

import msgspec
from sqlalchemy import select

from folkmoot.gate import Role, Standing
from folkmoot.gate.standings import effective
from folkmoot.storage.database import Read
from folkmoot.storage.tables import accounts, standings


class Listed(msgspec.Struct, frozen=True):
    """An account as a moderator's list has it. `until_ms`: Unix ms, None without end."""

    username: str
    role: Role
    standing: Standing
    until_ms: int | None
    reason: str


async def all_accounts(read: Read) -> list[Listed]:
    """Every account, by name."""
    rows = await read.connection.execute(
        select(accounts.c.username, accounts.c.role, standings.c.standing, standings.c.until_ms, standings.c.reason)
        .select_from(accounts.outerjoin(standings, standings.c.account_id == accounts.c.id))
        .order_by(accounts.c.username_folded)
    )
    return [
        Listed(username, Role(role), *_as_it_is(standing, until_ms, reason, read.now_ms))
        for username, role, standing, until_ms, reason in rows
    ]


def _as_it_is(
    standing: str | None, until_ms: int | None, reason: str | None, now_ms: int
) -> tuple[Standing, int | None, str]:
    if standing is None or effective(Standing(standing), until_ms, now_ms) is Standing.ACTIVE:
        return Standing.ACTIVE, None, ""
    return Standing(standing), until_ms, reason or ""
