"""Making, taking back and using invites. Each runs inside `Gate.act`."""

from sqlalchemy import delete, insert, update

from folkmoot.accounts.invites import queries, rules
from folkmoot.accounts.invites.model import Invite
from folkmoot.accounts.invites.rules import Inviting
from folkmoot.gate import Acting, Action, Refused
from folkmoot.gate import queries as gate_queries
from folkmoot.gate.model import account_subject
from folkmoot.storage.tables.joining import invited, invites

KEPT_AFTER_END_MS = 90 * 86_400_000


async def make(acting: Acting, inviting: Inviting, *, uses: int, lasts_s: int) -> Invite:
    """A new invite of the acting account. Raises Refused: 403 who may not invite; 422 beyond the bounds."""
    acting.require(Action.INVITE)
    rules.require_may_invite(acting.viewer.role, inviting)
    rules.check_invite(uses, lasts_s)
    subject = account_subject(acting.actor_id)
    counter = (await gate_queries.counters(acting.tx, [subject]))[subject]
    if await queries.count_open(acting.tx, acting.actor_id, counter) >= rules.OPEN_MAX:
        raise Refused("too_many_invites", f"You have {rules.OPEN_MAX} open invites: take one back.", status=422)
    made = Invite(
        id=acting.tx.new_id(),
        account_id=acting.actor_id,
        account_counter=counter,
        uses_max=uses,
        uses=0,
        created_at_ms=acting.now_ms,
        expires_at_ms=acting.now_ms + lasts_s * 1000,
        revoked_at_ms=None,
    )
    await acting.tx.connection.execute(
        insert(invites).values(
            id=made.id,
            account_id=made.account_id,
            account_counter=made.account_counter,
            uses_max=made.uses_max,
            created_at_ms=made.created_at_ms,
            expires_at_ms=made.expires_at_ms,
        )
    )
    return made


async def take_back(acting: Acting, invite_id: int) -> None:
    """Close an invite: one's own, or with a permit to moderate anybody's. Raises Refused 404."""
    found = await queries.by_id(acting.tx, invite_id)
    is_own = found is not None and found.account_id == acting.viewer.account_id
    if found is None or not (is_own or acting.permit.action is Action.MODERATE):
        raise Refused("not_found", "There is no such invite.", status=404)
    await acting.tx.connection.execute(
        update(invites)
        .where(invites.c.id == invite_id, invites.c.revoked_at_ms.is_(None))
        .values(revoked_at_ms=acting.now_ms)
    )


async def use(acting: Acting, invite_id: int, account_id: int, inviting: Inviting) -> None:
    """The new account came by this invite. Raises Refused 403 for one that lets nobody in (any more)."""
    invite = await queries.require_open(acting.tx, invite_id, inviting)
    await acting.tx.connection.execute(
        update(invites).where(invites.c.id == invite_id).values(uses=invites.c.uses + 1)
    )
    await acting.tx.connection.execute(
        insert(invited).values(
            account_id=account_id,
            inviter_id=invite.account_id,
            invite_id=invite.id,
            joined_at_ms=acting.now_ms,
        )
    )


async def forget_ended(acting: Acting) -> None:
    """Delete invites that are long over and brought nobody."""
    before_ms = acting.now_ms - KEPT_AFTER_END_MS
    await acting.tx.connection.execute(
        delete(invites).where(invites.c.expires_at_ms < before_ms, invites.c.uses == 0)
    )
