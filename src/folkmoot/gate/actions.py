"""The gate's own writes: a change of standing, and the raising of a revocation counter."""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

from folkmoot.gate import queries
from folkmoot.gate.model import Action, Kind, Refused, Role, Sanction, Standing, Subject
from folkmoot.gate.standings import ENDING, TABLES, holding, is_hidden, is_stricter, loses_rights, may, may_sanction
from folkmoot.gate.subjects import COLUMNS, open_of
from folkmoot.gate.visible import Acting
from folkmoot.storage.events import emit
from folkmoot.storage.tables.people import accounts, revocations, sanctions
from folkmoot.storage.tables.spaces import clips, spaces

STANDING_CHANGED = "standing.changed"
SUBJECT_CHANGED = "subject.changed"  # the standing of a Space, a clip, an application or a host
REVOKED = "revoked"
END_MS_MAX = 253_402_300_799_999  # the year 9999, the last that every program can write
_CALLED = {Kind.SPACE: "Space", Kind.CLIP: "clip"}
_OWN = {
    Kind.ACCOUNT: "One's own standing is for somebody else to change.",
    Kind.SPACE: "What becomes of one's own Space is for somebody else to decide.",
    Kind.CLIP: "What becomes of one's own clip is for somebody else to decide.",
}


async def impose(
    acting: Acting, account_id: int, standing: Standing, *, reason: str = "", until_ms: int | None = None
) -> Sanction:
    """Put an account under another sanction; return the one that holds now. Whatever loses a right ends at once.

    `until_ms` (Unix ms): from then on what is below it holds. The same again changes nothing. Raises Refused: no
    permit to decide about this account; no such account; one's own, but to deactivate it; the last owner, without
    whom nobody could undo it; an end that is not ahead.
    """
    return await impose_on(acting, Subject(Kind.ACCOUNT, account_id), standing, reason=reason, until_ms=until_ms)


async def impose_on(
    acting: Acting,
    subject: Subject,
    standing: Standing,
    *,
    reason: str = "",
    until_ms: int | None = None,
    private_note: str = "",
) -> Sanction:
    """The same for a Space, a clip, an application or a host (that there is it, is for the caller to know). What is
    somebody's is decided about by who may decide about them."""
    role = await _role_behind(acting, subject)
    _require_authority(acting, await _behind(acting, subject), role, subject.kind, standing, Action.DEACTIVATE)
    _check_end(acting, subject.kind, standing, until_ms)
    held = (await open_of(acting.tx, [subject]))[subject]
    before = holding(held, acting.now_ms)
    new = Sanction(
        standing,
        reason,
        until_ms,
        decided_by=acting.viewer.account_id,
        decided_at_ms=acting.now_ms,
        private_note=private_note,
    )
    if any(_is_same(new, one) for one in held if one.in_force(acting.now_ms)):
        return before
    new = msgspec.structs.replace(new, id=acting.tx.new_id())
    after = holding([*held, new], acting.now_ms)
    if role is Role.OWNER and subject.kind is Kind.ACCOUNT and loses_rights(before.standing, after.standing):
        await require_another_owner(acting, int(subject.id))
    await acting.tx.connection.execute(
        sanctions.insert().values({COLUMNS[subject.kind].name: subject.id, **msgspec.structs.asdict(new)})
    )
    await _tell(acting, subject, before, after)
    return after


async def lift(
    acting: Acting, account_id: int, lifted: Collection[Sanction], *, on_appeal: bool = False
) -> Sanction:
    """Lift some of an account's sanctions; return the one that holds now: whatever is below them.

    What is lifted already stays as it is. `on_appeal`: by a moderator, whoever it is about. Raises Refused: no
    permit to decide about this account; no such account; one's own, but to come back.
    """
    return await lift_from(acting, Subject(Kind.ACCOUNT, account_id), lifted, on_appeal=on_appeal)


async def lift_from(
    acting: Acting, subject: Subject, lifted: Collection[Sanction], *, on_appeal: bool = False
) -> Sanction:
    """The same for a Space, a clip, an application or a host."""
    role = await _role_behind(acting, subject)
    behind = await _behind(acting, subject)
    for sanction in lifted:
        whose = Role.MEMBER if on_appeal else role
        _require_authority(acting, behind, whose, subject.kind, sanction.standing, Action.COME_BACK)
    held = (await open_of(acting.tx, [subject]))[subject]
    ids = {sanction.id for sanction in lifted}
    await acting.tx.connection.execute(
        update(sanctions)
        .where(COLUMNS[subject.kind] == subject.id, sanctions.c.id.in_(ids), sanctions.c.lifted_at_ms.is_(None))
        .values(lifted_by=acting.viewer.account_id, lifted_at_ms=acting.now_ms)
    )
    after = holding((one for one in held if one.id not in ids), acting.now_ms)
    await _tell(acting, subject, holding(held, acting.now_ms), after)
    return after


def _require_authority(
    acting: Acting, account_id: int | None, role: Role, kind: Kind, standing: Standing, own: Action
) -> None:
    """`account_id`: whose it is, and with `role` what they are here; None is nobody's."""
    if standing not in TABLES[kind]:
        raise ValueError(f"a thing of the kind {kind.value} is never {standing.value}")
    if standing is Standing.ACTIVE and kind is not Kind.HOST:
        raise ValueError("it is active when nothing is against it: lift what is")
    if standing is Standing.DEACTIVATED:
        # Who leaves for good is deactivated until then, whatever else they stand under.
        if acting.permit.action is not Action.LEAVE:
            acting.require(own)
        if acting.viewer.account_id not in (None, account_id):
            raise Refused("not_yours", "Only the person themselves can do that.", status=422)
        return
    acting.require(Action.MODERATE)
    if acting.viewer.account_id is None or account_id is None:
        return
    if acting.viewer.account_id == account_id:
        raise Refused("own_account", _OWN[kind], status=422)
    if not may_sanction(acting.viewer.role, role):
        raise Refused("not_above", "Only an owner can decide about a moderator or an owner.")


def _check_end(acting: Acting, kind: Kind, standing: Standing, until_ms: int | None) -> None:
    if until_ms is None:
        return
    if standing not in ENDING[kind]:
        raise Refused("no_end", "This holds until somebody decides otherwise: leave the end out.", status=422)
    if until_ms <= acting.now_ms:
        raise Refused("end_is_past", "The end has to lie ahead.", status=422)
    if until_ms > END_MS_MAX:
        raise Refused("end_too_far", "The end lies too far ahead: leave it out for no end.", status=422)


def _is_same(new: Sanction, other: Sanction) -> bool:
    """The button pressed twice."""
    return new == msgspec.structs.replace(other, id=new.id, decided_at_ms=new.decided_at_ms)


async def _tell(acting: Acting, subject: Subject, before: Sanction, after: Sanction) -> None:
    if _ends_what_is_held(subject.kind, before.standing, after.standing):
        await revoke(acting, subject.text)
    await announce(acting, subject, before, after)


async def announce(acting: Acting, subject: Subject, before: Sanction, after: Sanction) -> None:
    """Say that something stands otherwise than before, or until another time, if it does: whoever was written of
    one end must not come back to a door that is shut."""
    if (before.standing, before.until_ms) == (after.standing, after.until_ms):
        return
    changed = {"before": before.standing.value, "after": after.standing.value, "until": str(after.until_ms)}
    if subject.kind is Kind.ACCOUNT:
        await emit(acting.tx, STANDING_CHANGED, {"account": str(subject.id), **changed})
    else:
        await emit(acting.tx, SUBJECT_CHANGED, {"kind": subject.kind.value, "id": str(subject.id), **changed})


def _ends_what_is_held(kind: Kind, before: Standing, after: Standing) -> bool:
    """An account's rights are what its credentials hang on; whoever is suspended while they wait for approval loses
    none, but what they signed in with must be dead after the lift, too. Of a thing people hold something as long as
    it is there: who listens to a Space that is muted goes on. Nothing is held of a host: each word asks anew."""
    if kind is Kind.ACCOUNT:
        return loses_rights(before, after) or (after is Standing.SUSPENDED and is_stricter(after, before))
    return kind is not Kind.HOST and is_hidden(kind, after) and not is_hidden(kind, before)


async def revoke(acting: Acting, subject: str, *, to: int | None = None) -> int:
    """Raise a subject's counter: every credential and lease under a lower one is dead. Returns the counter.

    `to`: not by one, but as high as the counter of something that it follows, which is higher than ever before.
    """
    statement = (
        _insert(acting, revocations)
        .values(subject=subject, counter=to or 1, changed_at_ms=acting.now_ms)
        .on_conflict_do_update(
            index_elements=[revocations.c.subject],
            set_={"counter": to or revocations.c.counter + 1, "changed_at_ms": acting.now_ms},
        )
        .returning(revocations.c.counter)
    )
    counter = int((await acting.tx.connection.execute(statement)).scalar_one())
    await emit(acting.tx, REVOKED, {"subject": subject, "counter": counter})
    return counter


def _insert(acting: Acting, table: Table) -> Any:
    return (sqlite if acting.tx.is_sqlite else postgresql).insert(table)


async def _behind(acting: Acting, subject: Subject) -> int | None:
    """Whose a thing is: who hosts the Space, who cut the clip."""
    if subject.kind is Kind.ACCOUNT:
        return int(subject.id)
    column = {Kind.SPACE: spaces.c.host_id, Kind.CLIP: clips.c.account_id}.get(subject.kind)
    if column is None:
        return None
    row = (await acting.tx.connection.execute(select(column).where(column.table.c.id == subject.id))).first()
    if row is None:
        raise Refused("not_found", f"There is no such {_CALLED[subject.kind]}.", status=404)
    return int(row[0])


async def _role_behind(acting: Acting, subject: Subject) -> Role:
    account_id = await _behind(acting, subject)
    if account_id is None:
        return Role.MEMBER
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
