"""The job that deletes an account: in small transactions, each of which may be the last before a crash.

Nothing is remembered between them but what is left to do, which the tables themselves say. Run again, it goes on.
"""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

from sqlalchemy import Column, Select, TextClause, delete, insert, literal_column, null, select, update

from folkmoot.accounts import deletion
from folkmoot.accounts.portraits.actions import change_portraits
from folkmoot.accounts.relations import following
from folkmoot.accounts.rules import fold
from folkmoot.clips.actions import delete_own_file
from folkmoot.gate import Acting, Action, Gate, Standing
from folkmoot.leaving import kept
from folkmoot.leaving.spaces import pass_on_one
from folkmoot.moderation.reports.kept import forget
from folkmoot.posts.actions import delete_post
from folkmoot.posts.marks.actions import unmark
from folkmoot.posts.marks.model import Mark
from folkmoot.storage.database import digest
from folkmoot.storage.discarding import discard
from folkmoot.storage.forgetting import forget_words
from folkmoot.storage.jobs import Job
from folkmoot.storage.tables.base import metadata
from folkmoot.storage.tables.credentials import passkeys, recovery_codes, tokens, totp_secrets
from folkmoot.storage.tables.joining import email_blocks
from folkmoot.storage.tables.moderation import reports
from folkmoot.storage.tables.notifications import push_subscriptions
from folkmoot.storage.tables.people import accounts, credentials, deletions, follows, retired_usernames
from folkmoot.storage.tables.posts import favourites, media, posts, scheduled_posts
from folkmoot.storage.tables.spaces import clips

BATCH = 50
_NOT_BLANK = frozenset({"id", "username", "username_folded", "host", "created_at_ms"})
Step = Callable[[Acting], Awaitable[bool]]


class Leaving:
    """The handler of `DELETE_ACCOUNT` jobs."""

    def __init__(self, gate: Gate, batch: int = BATCH) -> None:
        self._gate = gate
        self._batch = batch

    async def run(self, job: Job) -> None:
        """Delete an account whose time has come; nothing happens where that was taken back. Raises Refused while it
        is locked: who asked may have been a thief."""
        account_id = int(job.payload["account"])
        if not await self._begin(account_id):
            return
        steps: list[Step] = [
            _reports,
            self._posts,
            self._tombstones,
            self._favourites,
            self._follows,
            self._files,
            self._spaces,
        ]
        for step in steps:
            while await self._act(account_id, step):
                pass
        for column in kept.erased():
            await self._act(account_id, partial(_erase, column=column))
        await self._act(account_id, _finish)

    async def _act(self, account_id: int, work: Step) -> bool:
        async with self._gate.database.read() as read:
            viewer = await self._gate.as_account(read, account_id)
        return await self._gate.act(self._gate.permit(viewer, Action.LEAVE), work)

    async def _begin(self, account_id: int) -> bool:
        async with self._gate.database.read() as read:
            known = await deletion.of_account(read, account_id)
        if known is None or known.done_at_ms is not None or known.due_at_ms > self._gate.database.clock_ms():
            return False
        return await self._act(account_id, _begin)

    async def _posts(self, acting: Acting) -> bool:
        """With their marks, counts, files, polls, boosts by others."""
        mine = select(posts.c.id).where(posts.c.account_id == acting.actor_id, posts.c.deleted_at_ms.is_(None))
        found = await self._some(acting, mine)
        for post_id in found:
            await delete_post(acting, post_id)
        return bool(found)

    async def _tombstones(self, acting: Acting) -> bool:
        """Those that nobody answered go; the others hold a thread together, and say nothing."""
        answers = posts.alias()
        nobody_answered = ~select(answers.c.id).where(answers.c.in_reply_to_id == posts.c.id).exists()
        no_space = posts.c.space_id.is_(None)
        mine = select(posts.c.id).where(posts.c.account_id == acting.actor_id, nobody_answered, no_space)
        found = await self._some(acting, mine)
        if found:
            await acting.tx.connection.execute(delete(posts).where(posts.c.id.in_(found)))
            return True
        await acting.tx.connection.execute(
            update(posts)
            .where(posts.c.account_id == acting.actor_id)
            .values(mentions=[], language=None, application_id=None)
        )
        return False

    async def _favourites(self, acting: Acting) -> bool:
        found = await self._some(
            acting, select(favourites.c.post_id).where(favourites.c.account_id == acting.actor_id)
        )
        for post_id in found:
            await unmark(acting, Mark.FAVOURITE, post_id)
        return bool(found)

    async def _follows(self, acting: Acting) -> bool:
        """Both ways, with the counts of the others."""
        ended = 0
        for own, other in (
            (follows.c.follower_id, follows.c.followee_id),
            (follows.c.followee_id, follows.c.follower_id),
        ):
            found = await self._some(acting, select(other).where(own == acting.actor_id))
            ended += await following.end(acting, (own == acting.actor_id) & other.in_(found)) if found else 0
        return bool(ended)

    async def _files(self, acting: Acting) -> bool:
        """Their bytes, too, wherever those are."""
        mine = media.c.account_id == acting.actor_id
        await acting.tx.connection.execute(
            delete(scheduled_posts).where(scheduled_posts.c.account_id == acting.actor_id)
        )
        await acting.tx.connection.execute(update(media).where(mine).values(post_id=None, scheduled_id=None))
        await change_portraits(acting, {"avatar": None, "header": None})
        found = await self._some(acting, select(media.c.id).where(mine))
        for media_id in found:
            await delete_own_file(acting, media_id)
        await acting.tx.connection.execute(delete(clips).where(clips.c.account_id == acting.actor_id))
        return bool(found)

    async def _spaces(self, acting: Acting) -> bool:
        return await pass_on_one(acting, acting.actor_id)

    async def _some(self, acting: Acting, which: Select[Any]) -> list[int]:
        return list((await acting.tx.connection.execute(which.limit(self._batch))).scalars())


async def _begin(acting: Acting) -> bool:
    """From now on nobody signs in or takes it back. Who leaves while suspended comes back by the same mailbox only
    once a moderator allows it."""
    if acting.viewer.standing is Standing.SUSPENDED:
        await _block_mailbox(acting)
    await acting.tx.connection.execute(
        update(deletions)
        .where(deletions.c.account_id == acting.actor_id, deletions.c.begun_at_ms.is_(None))
        .values(begun_at_ms=acting.now_ms)
    )
    for table in (push_subscriptions, tokens, totp_secrets, passkeys, recovery_codes, credentials):
        await acting.tx.connection.execute(delete(table).where(table.c.account_id == acting.actor_id))
    return True


async def _reports(acting: Acting) -> bool:
    """Those about whoever leaves, and what was kept for them: else files would outlast the account."""
    return await forget(acting, reports.c.target_id == acting.actor_id) > 0


async def _block_mailbox(acting: Acting) -> None:
    mine = select(credentials.c.email_mark).where(credentials.c.account_id == acting.actor_id)
    mark = (await acting.tx.connection.execute(mine)).scalar()
    known = select(email_blocks.c.id).where(email_blocks.c.mark == mark)
    if mark is not None and (await acting.tx.connection.execute(known)).first() is None:
        await acting.tx.connection.execute(
            insert(email_blocks).values(id=acting.tx.new_id(), mark=mark, decided_at_ms=acting.now_ms)
        )


async def _erase(acting: Acting, column: Column[int]) -> bool:
    table, mine = metadata.tables[column.table.name], column == acting.actor_id
    forgetting = update(table).values({column.name: None}) if kept.sets_null(column) else delete(table)
    await acting.tx.connection.execute(forgetting.where(mine))
    return False


async def _finish(acting: Acting) -> bool:
    """The account's own row: a number, and a name that nobody else is given."""
    row = (await acting.tx.connection.execute(select(accounts).where(accounts.c.id == acting.actor_id))).one()
    await discard(acting.tx, [*_keys(row.avatar), *_keys(row.header)])
    await acting.tx.connection.execute(
        insert(retired_usernames).values(name_hash=digest(fold(row.username)), retired_at_ms=acting.now_ms)
    )
    name = f"~{acting.actor_id}"  # no username can be that (accounts/rules.py)
    blank = {column.name: _blank(column) for column in accounts.columns if column.name not in _NOT_BLANK}
    await acting.tx.connection.execute(
        update(accounts)
        .where(accounts.c.id == acting.actor_id)
        .values(**blank, username=name, username_folded=name)
    )
    await acting.tx.connection.execute(
        update(deletions).where(deletions.c.account_id == acting.actor_id).values(done_at_ms=acting.now_ms)
    )
    await forget_words(acting.tx, within_ms=0)
    return False


def _keys(portrait: Any) -> Iterator[str]:
    """Of every object that a portrait (accounts/portraits/) names."""
    for name, value in portrait.items() if isinstance(portrait, dict) else ():
        if name == "key":
            yield value
        yield from _keys(value)


def _blank(column: Column[Any]) -> Any:
    """What a column of the account's row says of somebody new, whatever columns come later."""
    if column.nullable:
        return null()
    default: Any = column.server_default
    return literal_column(default.arg.text) if isinstance(default.arg, TextClause) else default.arg
