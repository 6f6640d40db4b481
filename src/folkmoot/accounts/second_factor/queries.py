"""Which second factors an account has."""

import msgspec
from sqlalchemy import func, select

from folkmoot.storage.database import Read
from folkmoot.storage.tables.credentials import passkeys, recovery_codes, totp_secrets


class Factors(msgspec.Struct, frozen=True):
    """What an account needs besides its password. Without `totp` and passkeys: nothing."""

    totp: bool
    passkeys: int
    recovery_codes: int  # that are left

    @property
    def any(self) -> bool:
        return self.totp or self.passkeys > 0

    @property
    def methods(self) -> list[str]:
        """By which somebody can go on after the password."""
        have = {"totp": self.totp, "passkey": self.passkeys > 0, "recovery": self.recovery_codes > 0}
        return [name for name, has in have.items() if has]


async def factors_of(read: Read, account_id: int) -> Factors:
    """One statement."""
    totp = select(func.count()).where(
        totp_secrets.c.account_id == account_id, totp_secrets.c.confirmed_at_ms.is_not(None)
    )
    keys = select(func.count()).where(passkeys.c.account_id == account_id)
    codes = select(func.count()).where(recovery_codes.c.account_id == account_id)
    row = (await read.connection.execute(select(*(one.scalar_subquery() for one in (totp, keys, codes))))).one()
    return Factors(bool(row[0]), row[1], row[2])
