"""What somebody is signed in with."""

import msgspec
from sqlalchemy import or_, select

from folkmoot.storage.database import Read
from folkmoot.storage.tables.credentials import applications, tokens

LISTED_MAX = 200


class SignedIn(msgspec.Struct, frozen=True):
    """A browser or a program. `used_at_ms`: when the day began (UTC) on which it was last used."""

    id: int
    name: str
    application: str | None
    scopes: str
    created_at_ms: int
    used_at_ms: int | None
    expires_at_ms: int | None


async def of_account(read: Read, account_id: int, account_counter: int) -> list[SignedIn]:
    """Those that open something yet, the newest first; 200 at most."""
    rows = await read.connection.execute(
        select(
            tokens.c.id,
            tokens.c.name,
            applications.c.name,
            tokens.c.scopes,
            tokens.c.created_at_ms,
            tokens.c.used_at_ms,
            tokens.c.expires_at_ms,
        )
        .select_from(tokens.outerjoin(applications, applications.c.id == tokens.c.application_id))
        .where(
            tokens.c.account_id == account_id,
            tokens.c.account_counter >= account_counter,
            or_(tokens.c.expires_at_ms.is_(None), tokens.c.expires_at_ms > read.now_ms),
        )
        .order_by(tokens.c.id.desc())
        .limit(LISTED_MAX)
    )
    return [SignedIn(*row) for row in rows]
