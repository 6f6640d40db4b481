"""Accounts, tokens and sanctions for tests, by the same actions that the program uses."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy import insert

from folkmoot.accounts import actions as accounts
from folkmoot.accounts.relations import actions as relations
from folkmoot.accounts.relations import following
from folkmoot.gate import Acting, Action, Gate, Role, Standing, Viewer
from folkmoot.gate.actions import impose, lift
from folkmoot.gate.queries import open_sanctions, sanction_of
from folkmoot.storage.database import Database, Write
from folkmoot.storage.tables.people import revocations

Result = TypeVar("Result")


class People:
    """On one database; nothing is hashed slowly, so a test may make many."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate

    async def system(self, work: Callable[[Acting], Awaitable[Result]]) -> Result:
        """Run an action as the system."""
        return await self.gate.act(self.gate.permit_system(Action.MODERATE, "test"), work)

    async def create(self, username: str, role: Role = Role.MEMBER) -> int:
        new = accounts.NewAccount(username, password_hash="none")
        return await self.system(lambda acting: accounts.create_account(acting, new, role))

    async def token(self, account_id: int, scopes: str = accounts.SESSION_SCOPES) -> str:
        return await self.system(lambda acting: accounts.issue_token(acting, account_id, scopes))

    async def viewer(self, account_id: int) -> Viewer:
        """The account, just signed in."""
        return await self.gate.identify(await self.token(account_id))

    async def put(self, account_id: int, standing: Standing, until_ms: int | None = None) -> Standing:
        """Leave an account under this and nothing else; return the standing it had."""

        async def instead(acting: Acting) -> Standing:
            before = await sanction_of(acting.tx, account_id)
            held = (await open_sanctions(acting.tx, [account_id])).get(account_id, [])
            if standing is not Standing.ACTIVE:
                await impose(acting, account_id, standing, reason="a test", until_ms=until_ms)
            others = [one for one in held if (one.standing, one.until_ms) != (standing, until_ms)]
            await lift(acting, account_id, others)
            assert before is not None
            return before.standing

        return await self.system(instead)

    async def follow(self, follower_id: int, followee_id: int) -> None:
        await self.act(follower_id, Action.FOLLOW, lambda acting: following.follow(acting, followee_id))

    async def block(self, account_id: int, blocked_id: int) -> None:
        await self.act(account_id, Action.BLOCK, lambda acting: relations.block(acting, blocked_id))

    async def act(self, account_id: int, action: Action, work: Callable[[Acting], Awaitable[Result]]) -> Result:
        """Run an action as an account that has just signed in."""
        return await self.gate.act(self.gate.permit(await self.viewer(account_id), action), work)


async def raise_silently(database: Database, subject: str, changed_at_ms: int) -> None:
    """A raised counter without its event, written by a process whose clock says `changed_at_ms`."""

    async def work(tx: Write) -> None:
        await tx.connection.execute(
            insert(revocations).values(subject=subject, counter=1, changed_at_ms=changed_at_ms)
        )

    await database.write(work)
