"""The gate's own writes: a change of standing, and the raising of a revocation counter."""

from typing import Any

from sqlalchemy import Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from folkmoot.gate import queries
from folkmoot.gate.model import Action, Refused, Role, Standing, account_subject
from folkmoot.gate.standings import ENDING, loses_rights, may
from folkmoot.gate.visible import Acting
from folkmoot.storage.events import emit
from folkmoot.storage.tables import accounts, revocations, standings

STANDING_CHANGED = "standing.changed"
REVOKED = "revoked"


async def change_standing(
    acting: Acting, account_id: int, standing: Standing, *, reason: str = "", until_ms: int | None = None
) -> Standing:
    """Give an account a standing; return the one it had. Whatever loses a right by it ends at once.

    `until_ms` (Unix ms): from then on the account is active again. Raises Refused: without a permit to moderate;
    no such account; one's own; the last owner, without whom nobody could undo it; an end that is not ahead.
    """
    acting.require(Action.MODERATE)
    if acting.viewer.account_id == account_id:
        raise Refused("own_account", "One's own standing is for somebody else to change.", status=422)
    role = await _role(acting, account_id)
    before = (await queries.standings_of(acting.tx, [account_id]))[account_id]
    _check_end(acting, before, standing, until_ms)
    if role is Role.OWNER and loses_rights(before, standing):
        await _require_another_owner(acting, account_id)
    await _write_standing(acting, account_id, standing, reason, until_ms)
    if loses_rights(before, standing):
        await revoke(acting, account_subject(account_id))
    await emit(
        acting.tx,
        STANDING_CHANGED,
        {"account": str(account_id), "before": before.value, "after": standing.value},
    )
    return before


def _check_end(acting: Acting, before: Standing, standing: Standing, until_ms: int | None) -> None:
    if until_ms is None:
        return
    # When the time is over the account is active: not behind the back of who deactivated or never approved it.
    if standing not in ENDING or before not in ENDING | {Standing.ACTIVE}:
        raise Refused("no_end", "This holds until somebody decides otherwise: leave the end out.", status=422)
    if until_ms <= acting.now_ms:
        raise Refused("end_is_past", "The end has to lie ahead.", status=422)


async def _write_standing(
    acting: Acting, account_id: int, standing: Standing, reason: str, until_ms: int | None
) -> None:
    if standing is Standing.ACTIVE:
        await acting.tx.connection.execute(delete(standings).where(standings.c.account_id == account_id))
        return
    row = {
        "standing": standing.value,
        "reason": reason,
        "until_ms": until_ms,
        "decided_by": acting.viewer.account_id,
        "changed_at_ms": acting.now_ms,
    }
    await acting.tx.connection.execute(
        _insert(acting, standings)
        .values(account_id=account_id, **row)
        .on_conflict_do_update(index_elements=[standings.c.account_id], set_=row)
    )


async def revoke(acting: Acting, subject: str) -> int:
    """Raise a subject's counter: every credential and lease under a lower one is dead. Returns the counter."""
    statement = (
        _insert(acting, revocations)
        .values(subject=subject, counter=1, changed_at_ms=acting.now_ms)
        .on_conflict_do_update(
            index_elements=[revocations.c.subject],
            set_={"counter": revocations.c.counter + 1, "changed_at_ms": acting.now_ms},
        )
        .returning(revocations.c.counter)
    )
    counter = int((await acting.tx.connection.execute(statement)).scalar_one())
    await emit(acting.tx, REVOKED, {"subject": subject, "counter": counter})
    return counter


def _insert(acting: Acting, table: Table) -> Any:
    return (sqlite if acting.tx.is_sqlite else postgresql).insert(table)


async def _role(acting: Acting, account_id: int) -> Role:
    row = (await acting.tx.connection.execute(select(accounts.c.role).where(accounts.c.id == account_id))).first()
    if row is None:
        raise Refused("not_found", "There is no such account.", status=404)
    return Role(row.role)


async def _require_another_owner(acting: Acting, account_id: int) -> None:
    rows = await acting.tx.connection.execute(
        select(accounts.c.id).where(accounts.c.role == Role.OWNER.value, accounts.c.id != account_id)
    )
    others = [row.id for row in rows]
    held = await queries.standings_of(acting.tx, others)
    if not any(may(standing, Role.OWNER, Action.MODERATE) for standing in held.values()):
        raise Refused(
            "last_owner", "This is the server's last owner. Make somebody else an owner first.", status=422
        )
