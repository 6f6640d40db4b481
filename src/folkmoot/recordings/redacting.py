"""Deciding to take something out of a Space's sound. The bytes follow at once, and by a job if that fails.

Each decision is a row that stays and is shown; `Carrying` (clips/redacting.py) makes the tape and the clips follow.
"""

from collections.abc import Sequence

from sqlalchemy import insert, update

from folkmoot.gate import Acting, Action, Refused
from folkmoot.recordings import rules
from folkmoot.recordings.model import ByRole, Reason, Redaction
from folkmoot.spaces import actions as space_actions
from folkmoot.spaces import commands as c
from folkmoot.spaces import queries as space_queries
from folkmoot.spaces.model import Space, SpaceState
from folkmoot.storage.jobs import enqueue
from folkmoot.storage.tables.spaces import redactions

REDACT = "recordings.redact"
TAKE_BACK = "recordings.take_back"
SAFETY_DELAY_MS = 3_000
"""The jobs repeat what a request does itself: they are for when its process died, and for the last words spoken."""


async def redact(
    acting: Acting, space_id: int, from_ms: int, to_ms: int, reason: Reason, sound_ms: int
) -> Redaction:
    """Decide to take a range out, as host, co-host, moderator, or the system for the operator. It can't be undone.

    `sound_ms` is how much sound there is; what lies behind it is left out. Raises Refused.
    """
    acting.require(Action.REDACT)
    space = await _space(acting, space_id)
    role = ByRole.OPERATOR
    if acting.viewer.account_id is not None:
        role = rules.redacting_role(space, acting.viewer)
    if reason is Reason.CONSENT_WITHDRAWN:
        raise Refused("reason_not_yours", "Only who spoke can take their consent back.", status=422)
    found = rules.redacted_range(space, from_ms, to_ms, sound_ms)
    return (await _decide(acting, space_id, [found], reason, role, acting.viewer.account_id))[0]


async def take_back_consent(acting: Acting, space_id: int) -> list[int]:
    """Take back one's consent to being recorded: off the stage if one is on it; returns the seats one had.

    What was said there is taken out by `redact_speech`, which a job sees to. Raises Refused 404 for who had none.
    """
    acting.require(Action.TAKE_BACK_CONSENT)
    seats = [
        row.number for row in await space_queries.seats_of(acting.tx, space_id) if row.account_id == acting.actor_id
    ]
    if not seats:
        raise Refused("never_spoke", "You have not been on the stage of this Space.", status=404)
    space = await _space(acting, space_id)
    if space.state is SpaceState.LIVE and space.member(acting.actor_id).on_stage:
        order = c.Consent(recording_consent=False) if space.recorded else c.StepDown()
        await space_actions.command(acting, space_id, order)
    payload = {"space": str(space_id), "account": str(acting.actor_id), "seats": seats}
    run_at_ms = acting.now_ms + SAFETY_DELAY_MS
    await enqueue(acting.tx, TAKE_BACK, payload, queue=_queue(space_id), run_at_ms=run_at_ms)
    return seats


async def redact_speech(
    acting: Acting, space_id: int, account_id: int, ranges: Sequence[rules.Range]
) -> list[Redaction]:
    """Decide to take out where somebody spoke who took their consent back: what wasn't decided before."""
    return await _decide(acting, space_id, ranges, Reason.CONSENT_WITHDRAWN, ByRole.SPEAKER, account_id)


async def mark_applied(acting: Acting, space_id: int, redaction_ids: Sequence[int]) -> None:
    """The tape is silent there: who looks at the Space, or hears it, is told, and fetches anew what they have."""
    await acting.tx.connection.execute(
        update(redactions)
        .where(redactions.c.id.in_(redaction_ids), redactions.c.applied_at_ms.is_(None))
        .values(applied_at_ms=acting.now_ms)
    )
    await space_actions.tell_redacted(acting, space_id)


async def _decide(
    acting: Acting,
    space_id: int,
    ranges: Sequence[rules.Range],
    reason: Reason,
    role: ByRole,
    decided_by: int | None,
) -> list[Redaction]:
    decided = [
        Redaction(
            id=acting.tx.new_id(),
            space_id=space_id,
            from_ms=from_ms,
            to_ms=to_ms,
            reason=reason,
            by_role=role,
            decided_by=decided_by,
            decided_at_ms=acting.now_ms,
        )
        for from_ms, to_ms in ranges
    ]
    await acting.tx.connection.execute(insert(redactions), [_row(one) for one in decided])
    run_at_ms = acting.now_ms + SAFETY_DELAY_MS
    await enqueue(acting.tx, REDACT, {"space": str(space_id)}, queue=_queue(space_id), run_at_ms=run_at_ms)
    return decided


def _row(redaction: Redaction) -> dict[str, object]:
    return {
        "id": redaction.id,
        "space_id": redaction.space_id,
        "from_ms": redaction.from_ms,
        "to_ms": redaction.to_ms,
        "reason": redaction.reason.value,
        "by_role": redaction.by_role.value,
        "decided_by": redaction.decided_by,
        "decided_at_ms": redaction.decided_at_ms,
    }


def _queue(space_id: int) -> str:
    """One for each Space: a long tape keeps no other waiting."""
    return f"redactions:{space_id}"


async def _space(acting: Acting, space_id: int) -> Space:
    space = await space_queries.by_id(acting.tx, space_id)
    if space is None:
        raise Refused("not_found", "Space not found.", status=404)
    return space
