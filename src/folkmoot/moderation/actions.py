"""Decisions about accounts. Each runs inside `Gate.act`, with a permit to moderate or one of the system."""

import unicodedata

from folkmoot.gate import Acting, Refused, Standing
from folkmoot.gate.actions import change_standing
from folkmoot.gate.queries import Sanction, sanction_of

REASON_CHARACTERS_MAX = 2_000
_LIFTED = frozenset({Standing.LIMITED, Standing.SUSPENDED, Standing.LOCKED})
_NOTHING_TO_LIFT = {
    Standing.ACTIVE: "This account is in good standing.",
    Standing.AWAITING_APPROVAL: "This account waits for approval: approve it.",
    Standing.DEACTIVATED: "This account was deactivated by the person themselves, who alone can return.",
}


async def suspend(acting: Acting, account_id: int, *, reason: str, until_ms: int | None = None) -> int | None:
    """Suspend an account, without end or until a time (Unix ms); return the end that now holds.

    The reason is shown to the person. Of two suspensions the stricter end holds, until somebody reinstates.
    Raises Refused: no reason, no such account, one's own, the last owner, an end that is not ahead.
    """
    reason = _clean_reason(reason)
    before = await _present(acting, account_id)
    if before.standing is Standing.SUSPENDED:
        until_ms = _stricter(before.until_ms, until_ms)
    await change_standing(acting, account_id, Standing.SUSPENDED, reason=reason, until_ms=until_ms)
    return until_ms


async def reinstate(acting: Acting, account_id: int) -> Standing:
    """Lift what was decided about an account; return the standing it had. Its old credentials stay dead.

    Raises Refused: no such account; one's own; 422 where nothing of the kind is to lift.
    """
    before = await _present(acting, account_id)
    if before.standing not in _LIFTED:
        raise Refused("nothing_to_lift", _NOTHING_TO_LIFT[before.standing], status=422)
    return await change_standing(acting, account_id, Standing.ACTIVE)


async def approve(acting: Acting, account_id: int) -> None:
    """Let in somebody who signed up and waits. Raises Refused (422) if the account doesn't wait."""
    if (await _present(acting, account_id)).standing is not Standing.AWAITING_APPROVAL:
        raise Refused("not_awaiting", "This account doesn't wait for approval.", status=422)
    await change_standing(acting, account_id, Standing.ACTIVE)


async def _present(acting: Acting, account_id: int) -> Sanction:
    sanction = await sanction_of(acting.tx, account_id)
    if sanction is None:
        raise Refused("not_found", "There is no such account.", status=404)
    return sanction


def _stricter(one_ms: int | None, other_ms: int | None) -> int | None:
    return None if one_ms is None or other_ms is None else max(one_ms, other_ms)


def _clean_reason(reason: str) -> str:
    clean = unicodedata.normalize("NFC", reason).strip()
    if not clean:
        raise Refused("reason_missing", "Say why: the person will read it.", status=422)
    if len(clean) > REASON_CHARACTERS_MAX:
        raise Refused("reason_too_long", f"A reason has at most {REASON_CHARACTERS_MAX} characters.", status=422)
    if any(unicodedata.category(character) == "Cc" and character not in "\n\t" for character in clean):
        raise Refused("reason_characters", "A reason cannot hold control characters.", status=422)
    return clean
