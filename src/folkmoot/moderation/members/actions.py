"""Who may moderate, and who is not let in. Each runs inside `Gate.act`."""

from sqlalchemy import delete, select, update

from folkmoot.gate import Acting, Action, Refused, Role, Standing
from folkmoot.gate.actions import require_another_owner, revoke
from folkmoot.gate.model import account_subject
from folkmoot.gate.queries import role_of, sanction_of
from folkmoot.gate.standings import MODERATORS
from folkmoot.storage.events import emit
from folkmoot.storage.tables.people import accounts

ROLE_CHANGED = "account.role_changed"


async def change_role(acting: Acting, account_id: int, role: Role) -> Role:
    """Give an account a role; return the one it had. Who loses one is signed out everywhere, at once.

    Raises Refused: 403 for anybody but an owner; 404 no such account; 422 the last owner.
    """
    acting.require(Action.MODERATE)
    if acting.viewer.account_id is not None and acting.viewer.role is not Role.OWNER:
        raise Refused("not_an_owner", "Only an owner can change roles.")
    row = (await acting.tx.connection.execute(select(accounts.c.role).where(accounts.c.id == account_id))).first()
    if row is None:
        raise Refused("not_found", "There is no such account.", status=404)
    before = Role(row.role)
    if before is role:
        return before
    if before is Role.OWNER:
        await require_another_owner(acting, account_id)
    await acting.tx.connection.execute(update(accounts).where(accounts.c.id == account_id).values(role=role.value))
    if before is Role.OWNER or role not in MODERATORS:
        await revoke(acting, account_subject(account_id))
    await emit(acting.tx, ROLE_CHANGED, {"account": str(account_id), "before": before.value, "after": role.value})
    return before


async def require_deletable(acting: Acting, account_id: int, *, by_id: int) -> None:
    """Whether somebody else may have this account deleted for good: an owner, once it is suspended.

    Raises Refused: 403 for anybody but an owner, and where it isn't suspended; 404 no such account; 422 one's own.
    """
    if await role_of(acting.tx, by_id) is not Role.OWNER:
        raise Refused("not_an_owner", "Only an owner can delete an account: nobody can bring it back.")
    if by_id == account_id:
        raise Refused("own_account", "One deletes one's own account in the settings.", status=422)
    now = await sanction_of(acting.tx, account_id)
    if now is None:
        raise Refused("not_found", "Record not found", status=404)
    if now.standing is not Standing.SUSPENDED:
        raise Refused("not_suspended", "Suspend the account first: what is deleted is gone for good.")


async def reject(acting: Acting, account_id: int) -> None:
    """Don't let in somebody who signed up and waits: nothing of the account is kept, and its name is free again.

    Raises Refused: 404 no such account, 422 if it doesn't wait.
    """
    acting.require(Action.MODERATE)
    now = await sanction_of(acting.tx, account_id)
    if now is None:
        raise Refused("not_found", "There is no such account.", status=404)
    if now.standing is not Standing.AWAITING_APPROVAL:
        raise Refused("not_awaiting", "This account doesn't wait for approval.", status=422)
    await revoke(acting, account_subject(account_id))
    await acting.tx.connection.execute(delete(accounts).where(accounts.c.id == account_id))
