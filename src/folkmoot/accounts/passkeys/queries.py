"""Reads of passkeys."""

from sqlalchemy import select

from folkmoot.accounts.passkeys.model import Passkey
from folkmoot.storage.database import Read
from folkmoot.storage.tables.credentials import passkeys


async def of_account(read: Read, account_id: int) -> list[Passkey]:
    """The oldest first."""
    shown = ("id", "name", "created_at_ms", "used_at_ms", "signs_in_alone")
    rows = await read.connection.execute(
        select(*(passkeys.c[name] for name in shown))
        .where(passkeys.c.account_id == account_id)
        .order_by(passkeys.c.id)
    )
    return [Passkey(*row) for row in rows]


async def credential_ids(read: Read, account_id: int) -> list[bytes]:
    """What the devices call them."""
    rows = await read.connection.execute(
        select(passkeys.c.credential_id).where(passkeys.c.account_id == account_id).order_by(passkeys.c.id)
    )
    return list(rows.scalars())
