"""The gate's own writes: a change of standing, and the raising of a revocation counter."""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

from folkmoot.gate import queries
from folkmoot.gate.model import Action, Refused, Role, Sanction, Standing, account_subject
from folkmoot.gate.standings import ENDING, holding, loses_rights, may, may_sanction
from folkmoot.gate.visible import Acting
from folkmoot.storage.events import emit
from folkmoot.storage.tables import accounts, revocations, sanctions

STANDING_CHANGED = "standing.changed"
REVOKED = "revoked"
END_MS_MAX = 253_402_300_799_999  # the year 9999, the last that every program can write


async def impose(
    acting: Acting, account_id: int, standing: Standing, *, reason: str = "", until_ms: int | None = None
) -> Sanction:
    """Put an account under another sanction; return the one that holds now. Whatever loses a right ends at once.

    `until_ms` (Unix ms): from then on what is below it holds. The same again changes nothing. Raises Refused: no
    permit to decide about this account; no such account; one's own, but to deactivate it; the last owner, without
    whom nobody could undo it; an end that is not ahead.
    """
    role = await _role(acting, account_id)
    _require_authority(acting, account_id, role, standing, Action.DEACTIVATE)
    _check_end(acting, standing, until_ms)
    held = (await queries.open_sanctions(acting.tx, [account_id]))[account_id]
    before = holding(held, acting.now_ms)
    new = Sanction(standing, reason, until_ms, decided_by=acting.viewer.account_id, decided_at_ms=acting.now_ms)
    if any(_is_same(new, one) for one in held if one.in_force(acting.now_ms)):
        return before
    new = msgspec.structs.replace(new, id=acting.tx.new_id())
    after = holding([*held, new], acting.now_ms)
    if role is Role.OWNER and loses_rights(before.standing, after.standing):
        await require_another_owner(acting, account_id)
    await acting.tx.connection.execute(
        sanctions.insert().values(account_id=account_id, **msgspec.structs.asdict(new))
    )
    await _tell(acting, account_id, before, after)
    return after


async def lift(
    acting: Acting, account_id: int, lifted: Collection[Sanction], *, on_appeal: bool = False
) -> Sanction:
    """Lift some of an account's sanctions; return the one that holds now: whatever is below them.

    What is lifted already stays as it is. `on_appeal`: by a moderator, whoever it is about. Raises Refused: no
    permit to decide about this account; no such account; one's own, but to come back.
    """
    role = await _role(acting, account_id)
    for sanction in lifted:
        whose = Role.MEMBER if on_appeal else role
        _require_authority(acting, account_id, whose, sanction.standing, Action.COME_BACK)
    held = (await queries.open_sanctions(acting.tx, [account_id]))[account_id]
    ids = {sanction.id for sanction in lifted}
    await acting.tx.connection.execute(
        update(sanctions)
        .where(sanctions.c.account_id == account_id, sanctions.c.id.in_(ids), sanctions.c.lifted_at_ms.is_(None))
        .values(lifted_by=acting.viewer.account_id, lifted_at_ms=acting.now_ms)
    )
    after = holding((one for one in held if one.id not in ids), acting.now_ms)
    await _tell(acting, account_id, holding(held, acting.now_ms), after)
    return after


def _require_authority(acting: Acting, account_id: int, role: Role, standing: Standing, own: Action) -> None:
    if standing is Standing.ACTIVE:
        raise ValueError("an account is active when nothing is against it: lift what is")
    if standing is Standing.DEACTIVATED:
        acting.require(own)
        if acting.viewer.account_id not in (None, account_id):
            raise Refused("not_yours", "Only the person themselves can do that.", status=422)
        return
    acting.require(Action.MODERATE)
    if acting.viewer.account_id == account_id:
        raise Refused("own_account", "One's own standing is for somebody else to change.", status=422)
    if acting.viewer.account_id is not None and not may_sanction(acting.viewer.role, role):
        raise Refused("not_above", "Only an owner can decide about a moderator or an owner.")


def _check_end(acting: Acting, standing: Standing, until_ms: int | None) -> None:
    if until_ms is None:
        return
    if standing not in ENDING:
        raise Refused("no_end", "This holds until somebody decides otherwise: leave the end out.", status=422)
    if until_ms <= acting.now_ms:
        raise Refused("end_is_past", "The end has to lie ahead.", status=422)
    if until_ms > END_MS_MAX:
        raise Refused("end_too_far", "The end lies too far ahead: leave it out for no end.", status=422)


def _is_same(new: Sanction, other: Sanction) -> bool:
    """The button pressed twice."""
    return new == msgspec.structs.replace(other, id=new.id, decided_at_ms=new.decided_at_ms)


async def _tell(acting: Acting, account_id: int, before: Sanction, after: Sanction) -> None:
    if loses_rights(before.standing, after.standing):
        await revoke(acting, account_subject(account_id))
    if before.standing is not after.standing:
        await emit(
            acting.tx,
            STANDING_CHANGED,
            {"account": str(account_id), "before": before.standing.value, "after": after.standing.value},
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


async def require_another_owner(acting: Acting, account_id: int) -> None:
    """Raises Refused 422 if nobody but this account could undo as an owner what is decided about it."""
    rows = await acting.tx.connection.execute(
        select(accounts.c.id).where(accounts.c.role == Role.OWNER.value, accounts.c.id != account_id)
    )
    others = [row.id for row in rows]
    held = await queries.standings_of(acting.tx, others)
    if not any(may(standing, Role.OWNER, Action.MODERATE) for standing in held.values()):
        raise Refused(
            "last_owner", "This is the server's last owner. Make somebody else an owner first.", status=422
        )
