"""Decisions about accounts. Each runs inside `Gate.act`, with a permit to moderate or one of the system."""

import unicodedata

from folkmoot.gate import Acting, Refused, Standing
from folkmoot.gate.actions import impose, lift
from folkmoot.gate.model import Sanction
from folkmoot.gate.queries import open_sanctions

REASON_CHARACTERS_MAX = 2_000
_LIFTED = (Standing.LOCKED, Standing.SUSPENDED, Standing.LIMITED)
_NOTHING_TO_LIFT = {
    Standing.AWAITING_APPROVAL: "This account waits for approval: approve it.",
    Standing.DEACTIVATED: "This account was deactivated by the person themselves, who alone can return.",
    Standing.ACTIVE: "Nothing of the kind is on this account.",
}


async def suspend(acting: Acting, account_id: int, *, reason: str, until_ms: int | None = None) -> Sanction:
    """Suspend an account, without end or until a time (Unix ms); return what holds now.

    The reason is shown to the person. Of two suspensions the later end holds, until somebody lifts both. Raises
    Refused: no reason, no such account, one's own or one above, the last owner, an end that is not ahead.
    """
    return await impose(
        acting, account_id, Standing.SUSPENDED, reason=clean_text(reason, "reason"), until_ms=until_ms
    )


async def limit(acting: Acting, account_id: int, *, reason: str, until_ms: int | None = None) -> Sanction:
    """Have an account seen by its followers only and in no public list; return what holds now.

    Raises Refused as `suspend` does.
    """
    return await impose(
        acting, account_id, Standing.LIMITED, reason=clean_text(reason, "reason"), until_ms=until_ms
    )


async def lock(acting: Acting, account_id: int, *, reason: str) -> Sanction:
    """Shut an account whose credentials may be stolen, until somebody sets a new password by a link, or lifts it.

    Raises Refused as `suspend` does.
    """
    return await impose(acting, account_id, Standing.LOCKED, reason=clean_text(reason, "reason"))


async def reinstate(acting: Acting, account_id: int, standing: Standing | None = None) -> Sanction:
    """Lift every sanction of one kind, the strictest by default; return what holds now, which may be one below.

    Old credentials stay dead. Raises Refused: no such account; one's own or one above; 422 where nothing of the
    kind is to lift.
    """
    held = await _in_force(acting, account_id)
    kinds = {one.standing for one in held}
    lifted = standing or next((kind for kind in _LIFTED if kind in kinds), None)
    if lifted not in _LIFTED or lifted not in kinds:
        present = next((kind for kind in _NOTHING_TO_LIFT if kind in kinds), Standing.ACTIVE)
        raise Refused("nothing_to_lift", _NOTHING_TO_LIFT[present], status=422)
    return await lift(acting, account_id, [one for one in held if one.standing is lifted])


async def approve(acting: Acting, account_id: int) -> Sanction:
    """Let in somebody who signed up and waits; return what holds now. Raises Refused 422 if nobody waits."""
    waiting = [one for one in await _in_force(acting, account_id) if one.standing is Standing.AWAITING_APPROVAL]
    if not waiting:
        raise Refused("not_awaiting", "This account doesn't wait for approval.", status=422)
    return await lift(acting, account_id, waiting)


async def _in_force(acting: Acting, account_id: int) -> list[Sanction]:
    held = await open_sanctions(acting.tx, [account_id])
    if account_id not in held:
        raise Refused("not_found", "There is no such account.", status=404)
    return [one for one in held[account_id] if one.in_force(acting.now_ms)]


def clean_text(text: str, what: str) -> str:
    """A reason, appeal or answer that people can read. Raises Refused 422 (`{what}_missing` and the like)."""
    if len(text) > REASON_CHARACTERS_MAX * 4:  # before work that grows with the length
        raise _too_long(what)
    clean = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    if not clean:
        raise Refused(f"{what}_missing", "Say why: it will be read.", status=422)
    if len(clean) > REASON_CHARACTERS_MAX:
        raise _too_long(what)
    if any(unicodedata.category(one) in ("Cc", "Cs") and one not in "\n\t" for one in clean):
        raise Refused(f"{what}_characters", f"The {what} cannot hold control characters.", status=422)
    return clean


def _too_long(what: str) -> Refused:
    return Refused(f"{what}_too_long", f"The {what} has at most {REASON_CHARACTERS_MAX} characters.", status=422)
