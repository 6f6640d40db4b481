"""An account's e-mail address: given, confirmed, exchanged for another. Each write runs inside `Gate.act`."""

from collections.abc import Callable

import msgspec
from sqlalchemy import select, update

from folkmoot.accounts import letters, links
from folkmoot.accounts.links import Purpose
from folkmoot.gate import Acting, Refused
from folkmoot.mail.outbox import Outbox
from folkmoot.storage.database import Read
from folkmoot.storage.tables.people import credentials


class Email(msgspec.Struct, frozen=True):
    """`address`: the one that counts; `pending`: one that counts once it is confirmed."""

    address: str | None
    is_confirmed: bool
    pending: str | None


async def email_of(read: Read, account_id: int) -> Email:
    """What an account gave. Two statements."""
    rows = await read.connection.execute(
        select(credentials.c.email, credentials.c.email_confirmed_at_ms).where(
            credentials.c.account_id == account_id
        )
    )
    row = rows.first()
    pending = await links.pending_email(read, account_id)
    if row is None:
        return Email(None, False, None)
    return Email(row.email, row.email_confirmed_at_ms is not None, pending if pending != row.email else None)


async def change(acting: Acting, email: str, mailbox: bytes, outbox: Outbox) -> None:
    """Give another address. It counts once it is confirmed; where nobody takes letters, at once, unconfirmed.

    `mailbox`: the address' mark (accounts/marks.py).
    """
    if not outbox.is_open:
        await acting.tx.connection.execute(
            update(credentials)
            .where(credentials.c.account_id == acting.actor_id)
            .values(email=email, email_mark=mailbox, email_confirmed_at_ms=None)
        )
        return
    # Whoever has the address that counts hears of it first; the new one's link is made when its letter is sent.
    await letters.tell(acting, outbox, acting.actor_id, letters.EMAIL_ASKED)
    await links.make(acting, Purpose.EMAIL, acting.actor_id, email=email)
    await outbox.put(acting.tx, letters.CONFIRM, account=str(acting.actor_id))


async def confirm(acting: Acting, secret: str, mailbox_of: Callable[[str], bytes]) -> int:
    """Whoever opened this link reads what comes to its address, which counts from now on; return the account's id.

    Raises Refused 403 for a link that is spent.
    """
    link = await links.use(acting, Purpose.EMAIL, secret)
    if link is None or link.account_id is None or link.email is None:
        raise Refused("link_spent", "This link has been used or is too old. Ask for a new one in the settings.")
    await acting.tx.connection.execute(
        update(credentials)
        .where(credentials.c.account_id == link.account_id)
        .values(email=link.email, email_mark=mailbox_of(link.email), email_confirmed_at_ms=acting.now_ms)
    )
    # Whoever reads what came to the address before has nothing more to open.
    for purpose in (Purpose.RESET, Purpose.FACTORS_OFF):
        await links.forget(acting, purpose, link.account_id)
    return link.account_id
