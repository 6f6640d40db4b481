"""The gate's own writes: a change of standing, and the raising of a revocation counter."""

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from folkmoot.gate import queries
from folkmoot.gate.model import Refused, Role, Standing, account_subject
from folkmoot.gate.standings import loses_rights
from folkmoot.gate.visible import Acting
from folkmoot.storage.events import emit
from folkmoot.storage.tables import accounts, revocations, standings

STANDING_CHANGED = "standing.changed"
REVOKED = "revoked"


async def change_standing(
    acting: Acting, account_id: int, standing: Standing, *, reason: str = "", until_ms: int | None = None
) -> Standing:
    """Give an account a standing; return the one it had. Whatever loses a right by it ends at once.

    Raises Refused: no such account; one's own; the last owner, without whom nobody could undo it.
    """
    before = (await queries.standings_of(acting.tx, [account_id]))[account_id]
    if await _role(acting, account_id) is Role.OWNER and loses_rights(before, standing):
        await _require_another_owner(acting, account_id)
    if acting.viewer.account_id == account_id and loses_rights(before, standing):
        raise Refused("own_account", "One's own standing is for somebody else to change.", status=422)
    await acting.tx.connection.execute(delete(standings).where(standings.c.account_id == account_id))
    if standing is not Standing.ACTIVE:
        await acting.tx.connection.execute(
            standings.insert().values(
                account_id=account_id,
                standing=standing.value,
                reason=reason,
                until_ms=until_ms,
                decided_by=acting.viewer.account_id,
                changed_at_ms=acting.now_ms,
            )
        )
    if loses_rights(before, standing):
        await revoke(acting, account_subject(account_id))
    await emit(
        acting.tx,
        STANDING_CHANGED,
        {"account": str(account_id), "before": before.value, "after": standing.value},
    )
    return before


async def revoke(acting: Acting, subject: str) -> int:
    """Raise a subject's counter: every credential and lease under a lower one is dead. Returns the counter."""
    insert = (sqlite if acting.tx.connection.dialect.name == "sqlite" else postgresql).insert
    statement = (
        insert(revocations)
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
    if not any(standing is Standing.ACTIVE for standing in held.values()):
        raise Refused(
            "last_owner", "This is the server's last owner. Make somebody else an owner first.", status=422
        )
