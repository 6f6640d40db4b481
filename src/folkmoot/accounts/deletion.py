"""Asking for one's account to be deleted, and taking that back in time. What is deleted, and how: `leaving/`."""

import msgspec
from sqlalchemy import delete, insert, select

from folkmoot.accounts import letters
from folkmoot.gate import Acting, Refused, Standing
from folkmoot.gate import queries as gate_queries
from folkmoot.gate.actions import impose, lift
from folkmoot.mail.outbox import Outbox
from folkmoot.storage.database import Read
from folkmoot.storage.jobs import enqueue
from folkmoot.storage.tables.people import deletions

DELETE_ACCOUNT = "accounts.delete"
GRACE_MS = 14 * 86_400_000


class Deletion(msgspec.Struct, frozen=True):
    """Times are Unix ms. Until `due_at_ms` it can be taken back."""

    asked_at_ms: int
    due_at_ms: int
    begun_at_ms: int | None
    done_at_ms: int | None


async def of_account(read: Read, account_id: int) -> Deletion | None:
    """Whether an account is being deleted, or was."""
    rows = await read.connection.execute(select(deletions).where(deletions.c.account_id == account_id))
    row = rows.first()
    return None if row is None else Deletion(row.asked_at_ms, row.due_at_ms, row.begun_at_ms, row.done_at_ms)


async def ask(acting: Acting, account_id: int, outbox: Outbox, *, grace_ms: int = GRACE_MS) -> Deletion:
    """Shut the account now, and have it deleted after the grace. Raises Refused 422 for the last owner, or where
    that was asked already."""
    if await of_account(acting.tx, account_id) is not None:
        raise Refused("deletion_asked", "This account is going to be deleted already.", status=422)
    await letters.tell(acting, outbox, account_id, "deletion_asked")
    asked = Deletion(acting.now_ms, acting.now_ms + grace_ms, None, None)
    await acting.tx.connection.execute(
        insert(deletions).values(account_id=account_id, asked_at_ms=asked.asked_at_ms, due_at_ms=asked.due_at_ms)
    )
    await impose(acting, account_id, Standing.DEACTIVATED)
    await enqueue(acting.tx, DELETE_ACCOUNT, {"account": str(account_id)}, run_at_ms=asked.due_at_ms)
    return asked


async def take_back(acting: Acting) -> None:
    """Stay after all: everything is as it was. Raises Refused: 404 where nothing was asked, 409 once it began."""
    if not await forget(acting):
        raise Refused("not_found", "Nobody asked for this account to be deleted.", status=404)
    held = (await gate_queries.open_sanctions(acting.tx, [acting.actor_id]))[acting.actor_id]
    await lift(acting, acting.actor_id, [one for one in held if one.standing is Standing.DEACTIVATED])


async def forget(acting: Acting) -> bool:
    """That the acting account was to be deleted; whether it was. Raises Refused 409 once that began."""
    known = await of_account(acting.tx, acting.actor_id)
    if known is None:
        return False
    if known.begun_at_ms is not None:
        raise Refused("deletion_begun", "This account is being deleted: it is too late.", status=409)
    await acting.tx.connection.execute(delete(deletions).where(deletions.c.account_id == acting.actor_id))
    return True
