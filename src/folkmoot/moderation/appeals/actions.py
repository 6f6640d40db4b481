"""Appealing, and deciding an appeal. Each runs inside `Gate.act`."""

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite

from folkmoot.gate import Acting, Action, Kind, Refused, subjects
from folkmoot.gate.actions import lift_from
from folkmoot.moderation.actions import clean_text
from folkmoot.moderation.appeals import queries
from folkmoot.moderation.appeals.model import APPEALABLE, Appeal
from folkmoot.spaces.actions import tell_muted
from folkmoot.storage.tables.people import appeals


async def appeal(acting: Acting, sanction_id: int, text: str) -> Appeal:
    """Say once what is to be said against a sanction that one, or a Space or clip of one's own, stands under.

    Raises Refused: 404 for a sanction that isn't about that or is over, 422 for one that nobody can decide anew,
    for a second appeal, for a text that is empty or too long.
    """
    acting.require(Action.APPEAL)
    text = clean_text(text, "appeal")
    held = await subjects.open_about(acting.tx, acting.actor_id)
    every = [one for of_one in held.values() for one in of_one]
    sanction = next((one for one in every if one.id == sanction_id and one.in_force(acting.now_ms)), None)
    if sanction is None:
        raise Refused("not_found", "There is no such decision about you, or it is over.", status=404)
    if sanction.standing not in APPEALABLE:
        raise Refused("no_appeal", "There is no appeal against this.", status=422)
    made = Appeal(acting.tx.new_id(), sanction_id, acting.actor_id, text, acting.now_ms)
    new = (sqlite if acting.tx.is_sqlite else postgresql).insert(appeals)
    inserted = await acting.tx.connection.execute(
        new.values(
            id=made.id,
            sanction_id=sanction_id,
            account_id=made.account_id,
            text=text,
            made_at_ms=made.made_at_ms,
        )
        .on_conflict_do_nothing(index_elements=[appeals.c.sanction_id])
        .returning(appeals.c.id)
    )
    if inserted.first() is None:
        raise Refused("appealed_already", "You have appealed against this, which is possible once.", status=422)
    return made


async def decide_appeal(acting: Acting, appeal_id: int, *, granted: bool, answer: str) -> None:
    """Grant an appeal, which lifts that one sanction, or reject it. The answer is shown to the person.

    By any moderator but the one who decided first, whoever it is about: a rank narrows who may sanction, not who
    may hear an appeal. Raises Refused: 404 no such appeal; 403 one's own decision or appeal; 422 decided already, a
    sanction that is over, an answer that is empty.
    """
    acting.require(Action.MODERATE)
    answer = clean_text(answer, "answer")
    case = await queries.case(acting.tx, appeal_id)
    if case is None:
        raise Refused("not_found", "There is no such appeal.", status=404)
    if acting.viewer.account_id in (case.sanction.decided_by, case.appeal.account_id):
        raise Refused("own_decision", "An appeal is decided by somebody else than the one who decided first.")
    if case.appeal.granted is not None:
        raise Refused("decided_already", "This appeal has been decided.", status=422)
    if not case.sanction.in_force(acting.now_ms):
        raise Refused("sanction_over", "What this appeal is against is over.", status=422)
    await acting.tx.connection.execute(
        update(appeals)
        .where(appeals.c.id == appeal_id)
        .values(granted=granted, answer=answer, decided_by=acting.viewer.account_id, decided_at_ms=acting.now_ms)
    )
    if granted:
        await lift_from(acting, case.subject, [case.sanction], on_appeal=True)
        if case.subject.kind is Kind.SPACE:
            await tell_muted(acting, int(case.subject.id))
