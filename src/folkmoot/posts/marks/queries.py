"""Reads of what people did with posts."""

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    String,
    bindparam,
    cast,
    literal,
    select,
    union_all,
)

from folkmoot.accounts.model import Page
from folkmoot.accounts.paging import rows_of_page
from folkmoot.posts.marks.model import Mark
from folkmoot.posts.model import FOR_ALL, Mine, Post, QuotePolicy
from folkmoot.storage.among import among, among_given
from folkmoot.storage.database import Read
from folkmoot.storage.prepared import Prepared
from folkmoot.storage.tables.people import follows
from folkmoot.storage.tables.posts import conversation_mutes, poll_votes, polls, posts

_VOTE = "vote "
_FOLLOW = "follow"


async def mine(read: Read, account_id: int, shown: Collection[Post]) -> dict[int, Mine]:
    """What somebody did with each of the posts; those with which they did nothing are left out. One statement."""
    if not shown:
        return {}
    done = {(row.id, row.what) for row in await _OF_VIEWER.rows(read, viewer=account_id, **_asked(shown))}
    return {post.id: _mine(post, done) for post in shown} if done else {}


async def of_many(read: Read, account_ids: Collection[int], shown: Collection[Post]) -> dict[int, dict[int, Mine]]:
    """The same for each of many people; those who did nothing are left out. One statement."""
    done: dict[int, set[tuple[int, str]]] = {}
    statement = _done(lambda account: among(read, account, account_ids))
    for row in await read.connection.execute(statement, _asked(shown)):
        done.setdefault(row.account_id, set()).add((row.id, row.what))
    return {account_id: {post.id: _mine(post, its) for post in shown} for account_id, its in done.items()}


def _asked(shown: Collection[Post]) -> dict[str, Any]:
    return {
        "ids": [post.id for post in shown],
        "conversations": list({post.conversation_id for post in shown}),
        "polls": [post.poll.id for post in shown if post.poll is not None],
        "authors": list({post.account_id for post in shown if _is_for_followers_to_quote(post)}),
    }


def _done(by: Callable[[ColumnElement[int]], ColumnElement[bool]]) -> CompoundSelect[Any]:
    """Who did what with which post, or conversation, or author."""
    marked = [
        select(
            what.table.c.account_id.label("account_id"),
            what.table.c.post_id.label("id"),
            literal(what.value).label("what"),
        ).where(by(what.table.c.account_id), among_given(what.table.c.post_id, "ids"))
        for what in Mark
    ]
    reblogged = select(posts.c.account_id, posts.c.reblog_of_id, literal("reblog")).where(
        by(posts.c.account_id), among_given(posts.c.reblog_of_id, "ids")
    )
    muting = conversation_mutes.c
    muted = select(muting.account_id, muting.conversation_id, literal("mute")).where(
        by(muting.account_id), among_given(muting.conversation_id, "conversations")
    )
    chosen = literal(_VOTE) + cast(poll_votes.c.option, String)
    voted = select(poll_votes.c.account_id, polls.c.post_id, chosen).where(
        polls.c.id == poll_votes.c.poll_id, by(poll_votes.c.account_id), among_given(poll_votes.c.poll_id, "polls")
    )
    followed = select(follows.c.follower_id, follows.c.followee_id, literal(_FOLLOW)).where(
        by(follows.c.follower_id), among_given(follows.c.followee_id, "authors")
    )
    return union_all(*marked, reblogged, muted, voted, followed)


_OF_VIEWER = Prepared(_done(lambda account: account == bindparam("viewer", type_=BigInteger)))


def _is_for_followers_to_quote(post: Post) -> bool:
    return post.quotable_by is QuotePolicy.FOLLOWERS


def _mine(post: Post, done: Collection[tuple[int, str]]) -> Mine:
    return Mine(
        favourited=(post.id, Mark.FAVOURITE.value) in done,
        reblogged=(post.id, "reblog") in done,
        bookmarked=(post.id, Mark.BOOKMARK.value) in done,
        pinned=(post.id, Mark.PIN.value) in done,
        muted=(post.conversation_id, "mute") in done,
        votes=_votes(post, done) if post.poll is not None else (),
        follows_author=(post.account_id, _FOLLOW) in done,
    )


def _votes(post: Post, done: Collection[tuple[int, str]]) -> tuple[int, ...]:
    options = range(len(post.poll.options)) if post.poll is not None else ()
    return tuple(option for option in options if (post.id, f"{_VOTE}{option}") in done)


async def marked_by(read: Read, account_id: int, what: Mark, page: Page) -> list[tuple[int, int]]:
    """(id of the mark, id of the post) of what somebody marked, the last mark first. Pages are of marks."""
    table = what.table
    statement = select(table.c.id, table.c.post_id).where(table.c.account_id == account_id)
    return [(row.id, row.post_id) for row in await rows_of_page(read, statement, table.c.id, page)]


async def who_marked(read: Read, post_id: int, what: Mark, page: Page) -> list[tuple[int, int]]:
    """(id of the mark, id of the account) of those who marked a post, the last first."""
    table = what.table
    statement = select(table.c.id, table.c.account_id).where(table.c.post_id == post_id)
    return [(row.id, row.account_id) for row in await rows_of_page(read, statement, table.c.id, page)]


async def who_boosted(read: Read, post_id: int, page: Page) -> list[tuple[int, int]]:
    """(id of the boost, id of the account) of those who boosted a post for all to see, the last first."""
    for_all = posts.c.visibility.in_([visibility.value for visibility in FOR_ALL])
    statement = select(posts.c.id, posts.c.account_id).where(posts.c.reblog_of_id == post_id, for_all)
    return [(row.id, row.account_id) for row in await rows_of_page(read, statement, posts.c.id, page)]
