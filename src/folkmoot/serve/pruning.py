"""What nobody needs any more, deleted every hour: credentials that open nothing, files that hang on no post."""

from folkmoot.accounts.oauth.actions import forget_expired
from folkmoot.clips.actions import forget_unattached
from folkmoot.gate import Action, Gate

FILES_PER_TRANSACTION = 100


async def prune(gate: Gate, files_per_transaction: int = FILES_PER_TRANSACTION) -> None:
    """In small transactions: others write too. What of it could not be done is done the next time."""
    permit = gate.permit_system(Action.SIGN_IN, "worker: pruning")
    await gate.act(permit, forget_expired)
    forgotten = files_per_transaction
    while forgotten == files_per_transaction:
        forgotten = await gate.act(permit, lambda acting: forget_unattached(acting, files_per_transaction))
