"""What nobody needs any more, deleted every hour: credentials that open nothing, files that hang on no post."""

from folkmoot.accounts.invites import actions as invites
from folkmoot.accounts.oauth.actions import forget_expired
from folkmoot.accounts.relations.actions import forget_mutes
from folkmoot.clips.actions import forget_unattached
from folkmoot.gate import Action, Gate
from folkmoot.moderation.evasion import actions as evasion
from folkmoot.moderation.networks import actions as networks
from folkmoot.moderation.reports.actions import forget_closed
from folkmoot.notifications import actions as notifications

FILES_PER_TRANSACTION = 100


async def prune(gate: Gate, *, reports_kept_days: int, files_per_transaction: int = FILES_PER_TRANSACTION) -> None:
    """In small transactions: others write too. What of it could not be done is done the next time."""
    permit = gate.permit_system(Action.SIGN_IN, "worker: pruning")
    for forget in (
        forget_expired,
        evasion.forget_old,
        invites.forget_ended,
        networks.forget_ended,
        notifications.forget_old,
        forget_mutes,
    ):
        await gate.act(permit, forget)
    while await gate.act(permit, lambda acting: forget_closed(acting, reports_kept_days)):
        pass
    forgotten = files_per_transaction
    while forgotten == files_per_transaction:
        forgotten = await gate.act(permit, lambda acting: forget_unattached(acting, files_per_transaction))
