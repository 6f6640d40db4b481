"""A small square for tests: accounts, follows and posts, written through the gate where the product writes them."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlalchemy import insert

from folkmoot.gate import Acting, Action, Gate, Viewer
from folkmoot.posts.actions import create_post
from folkmoot.posts.model import Draft, Post, Visibility
from folkmoot.posts.queries import by_id
from folkmoot.storage.database import Database, Write
from folkmoot.storage.tables.people import accounts, blocks, follows

Result = TypeVar("Result")


class Square:
    """Who is there and what they do."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.gate = Gate(database)

    async def person(self, username: str) -> int:
        async def work(tx: Write) -> int:
            account_id = tx.new_id()
            await tx.connection.execute(
                insert(accounts).values(
                    id=account_id,
                    username=username,
                    username_folded=username.lower(),
                    created_at_ms=tx.now_ms,
                )
            )
            return account_id

        return await self.database.write(work)

    async def follow(self, follower_id: int, followee_id: int) -> None:
        await self._insert(follows, follower_id=follower_id, followee_id=followee_id)

    async def block(self, account_id: int, blocked_id: int) -> None:
        await self._insert(blocks, account_id=account_id, blocked_id=blocked_id)

    async def viewer(self, account_id: int) -> Viewer:
        async with self.database.read() as read:
            return await self.gate.as_account(read, account_id)

    async def act(self, account_id: int, action: Action, work: Callable[[Acting], Awaitable[Result]]) -> Result:
        permit = self.gate.permit(await self.viewer(account_id), action)
        return await self.gate.act(permit, work)

    async def say(
        self,
        account_id: int,
        source: str,
        visibility: Visibility = Visibility.PUBLIC,
        *,
        answering: Post | None = None,
        **fields: Any,
    ) -> Post:
        """A post, with all that `posts.actions.create_post` does; `fields` are more of the draft's."""
        parent = None
        if answering is not None:
            viewer = await self.viewer(account_id)
            async with self.database.read() as read:
                parent = await self.gate.admit_one(read, viewer, await by_id(read, answering.id), "Post")
        draft = Draft(source=source, visibility=visibility, **fields)
        return await self.act(account_id, Action.POST, lambda acting: create_post(acting, draft, parent))

    async def _insert(self, table: Any, **values: Any) -> None:
        async def work(tx: Write) -> None:
            await tx.connection.execute(insert(table).values(created_at_ms=tx.now_ms, **values))

        await self.database.write(work)
