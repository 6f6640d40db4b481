"""Reads of posts: rows for the gate. Each is one statement, whatever the size of a page, and another one where a
conversation of a closed Space is among them.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import FromClause, Select, and_, func, literal, select

from folkmoot.posts import circles
from folkmoot.posts.model import Application, Circle, Poll, Post, Quoted, QuotePolicy, QuoteState, Visibility
from folkmoot.storage.among import among_given
from folkmoot.storage.database import Read
from folkmoot.storage.prepared import Prepared
from folkmoot.storage.tables.credentials import applications
from folkmoot.storage.tables.people import accounts
from folkmoot.storage.tables.posts import idempotency_keys, polls, post_counts, posts

ANCESTORS_MAX = 100
DESCENDANTS_MAX = 400
DESCENDANTS_DEPTH_MAX = 40

_reblogged = posts.alias("reblogged")
_quoted = posts.alias("quoted")
# A row says them by their values; to ask the class for each takes as long as all else that is made of a row.
_VISIBILITIES = {one.value: one for one in Visibility}
_QUOTE_POLICIES = {one.value: one for one in QuotePolicy}
_OF_POLLS = ("options", "multiple", "hide_totals", "expires_at_ms", "tallies", "voters")


def rows(on_page: FromClause | None = None) -> Select[Any]:
    """What `found` reads: posts that were not deleted, with what was counted of them, application and circle.

    `on_page`: only those whose `id` is there. It stands first, for PostgreSQL joins so many tables in the order in
    which they are named (`join_collapse_limit`), and would do that for every post there is.
    """
    wanted = posts if on_page is None else on_page.join(posts, posts.c.id == on_page.c.id)
    return (
        select(
            posts,
            func.coalesce(post_counts.c.replies, 0).label("replies_count"),
            func.coalesce(post_counts.c.reblogs, 0).label("reblogs_count"),
            func.coalesce(post_counts.c.favourites, 0).label("favourites_count"),
            func.coalesce(post_counts.c.quotes, 0).label("quotes_count"),
            _reblogged.c.account_id.label("reblogged_account_id"),
            _reblogged.c.quoted_id.label("quoted_by_boosted_id"),
            _reblogged.c.mentions.label("named_by_boosted"),
            _quoted.c.account_id.label("quoted_account_id"),
            _quoted.c.visibility.label("quoted_visibility"),
            polls.c.id.label("poll_id"),
            *(polls.c[name] for name in _OF_POLLS),
            applications.c.name.label("application_name"),
            applications.c.website.label("application_website"),
            *circles.COLUMNS,
        )
        .select_from(
            circles.with_circle(wanted)
            .outerjoin(applications, applications.c.id == posts.c.application_id)
            .outerjoin(post_counts, post_counts.c.post_id == posts.c.id)
            .outerjoin(_reblogged, _reblogged.c.id == posts.c.reblog_of_id)
            .outerjoin(_quoted, and_(_quoted.c.id == posts.c.quoted_id, _quoted.c.deleted_at_ms.is_(None)))
            .outerjoin(polls, polls.c.post_id == posts.c.id)
        )
        .where(posts.c.deleted_at_ms.is_(None))
    )


async def found(read: Read, selected: Collection[Any]) -> list[Post]:
    """The posts of what a statement made of `rows` selected, in its order."""
    known = await circles.circles(read, selected)
    return [_from_row(row, known) for row in selected]


def _from_row(row: Any, known: Mapping[int, Circle]) -> Post:
    return Post(
        id=row.id,
        account_id=row.account_id,
        visibility=_VISIBILITIES[row.visibility],
        source=row.source,
        html=row.html,
        conversation_id=row.conversation_id,
        created_at_ms=row.created_at_ms,
        in_reply_to_id=row.in_reply_to_id,
        in_reply_to_account_id=row.in_reply_to_account_id,
        spoiler_text=row.spoiler_text,
        sensitive=row.sensitive,
        language=row.language,
        mentions=tuple(row.mentions),
        tags=tuple(row.tags),
        application=Application(row.application_name, row.application_website) if row.application_name else None,
        space_id=row.space_id,
        reblog_of_id=row.reblog_of_id,
        reblogged_account_id=row.reblogged_account_id,
        replies_count=row.replies_count,
        reblogs_count=row.reblogs_count,
        favourites_count=row.favourites_count,
        quotes_count=row.quotes_count,
        edited_at_ms=row.edited_at_ms,
        poll=_poll(row) if row.poll_id is not None else None,
        quoted=_quoted_by(row) if row.quoted_id is not None else None,
        quoted_by_boosted_id=row.quoted_by_boosted_id,
        named_by_boosted=tuple(row.named_by_boosted or ()),
        quote_policy=_QUOTE_POLICIES[row.quote_policy],
        circle=known.get(row.circle_id),
    )


def _poll(row: Any) -> Poll:
    return Poll(
        id=row.poll_id,
        options=tuple(row.options),
        multiple=row.multiple,
        hide_totals=row.hide_totals,
        expires_at_ms=row.expires_at_ms,
        tallies=tuple(row.tallies),
        voters=row.voters,
    )


def _quoted_by(row: Any) -> Quoted:
    if row.quoted_account_id is None:
        return Quoted(row.quoted_id, QuoteState.DELETED)
    visibility = Visibility(row.quoted_visibility)
    return Quoted(row.quoted_id, QuoteState(row.quote_state), row.quoted_account_id, visibility)


async def by_ids(read: Read, post_ids: Collection[int]) -> list[Post]:
    """In the order asked for; ids of posts that don't exist or were deleted are left out."""
    if not post_ids:
        return []
    by_id_ = {post.id: post for post in await found(read, await _BY_IDS.rows(read, ids=post_ids))}
    return [by_id_[post_id] for post_id in post_ids if post_id in by_id_]


_BY_IDS = Prepared(rows().where(among_given(posts.c.id, "ids")))


async def by_id(read: Read, post_id: int) -> Post | None:
    posts_found = await by_ids(read, [post_id])
    return posts_found[0] if posts_found else None


async def of_author(read: Read, account_id: int, *, max_id: int | None, limit: int) -> list[Post]:
    """Everything that somebody wrote, for themselves: the newest first, of any visibility."""
    statement = rows().where(posts.c.account_id == account_id).order_by(posts.c.id.desc()).limit(limit)
    bounded = statement if max_id is None else statement.where(posts.c.id < max_id)
    return await found(read, (await read.connection.execute(bounded)).all())


async def ancestor_ids(read: Read, post: Post) -> list[int]:
    """What the post answers, the oldest first; at most the nearest `ANCESTORS_MAX`."""
    if post.in_reply_to_id is None:
        return []
    step = (
        select(posts.c.id, posts.c.in_reply_to_id, literal(1).label("depth"))
        .where(posts.c.id == post.in_reply_to_id)
        .cte("ancestors", recursive=True)
    )
    further = step.union_all(
        select(posts.c.id, posts.c.in_reply_to_id, step.c.depth + 1)
        .join(step, posts.c.id == step.c.in_reply_to_id)
        .where(step.c.depth < ANCESTORS_MAX)
    )
    walked = await read.connection.execute(select(further.c.id).order_by(further.c.depth))
    # Answers that go in a circle are walked until the bound; each stands once, and never the post itself.
    nearest_first = [id_ for id_ in dict.fromkeys(walked.scalars()) if id_ != post.id]
    return nearest_first[::-1]


async def descendant_ids(read: Read, post: Post) -> list[tuple[int, int]]:
    """(id, id of what it answers) of the replies below a post, the nearest first, bounded in depth and number."""
    step = (
        select(posts.c.id, posts.c.in_reply_to_id, literal(1).label("depth"))
        .where(posts.c.in_reply_to_id == post.id)
        .cte("descendants", recursive=True)
    )
    further = step.union_all(
        select(posts.c.id, posts.c.in_reply_to_id, step.c.depth + 1)
        .join(step, posts.c.in_reply_to_id == step.c.id)
        .where(step.c.depth < DESCENDANTS_DEPTH_MAX)
    )
    # No ORDER BY: the walk goes level by level, and the limit then ends it early on both databases.
    walked = await read.connection.execute(select(further.c.id, further.c.in_reply_to_id).limit(DESCENDANTS_MAX))
    return [(row.id, row.in_reply_to_id) for row in walked]


async def usernames(read: Read, folded: Collection[str]) -> dict[str, tuple[int, str]]:
    """The accounts of folded names: id and own spelling. Names that nobody has are left out."""
    if not folded:
        return {}
    known = await read.connection.execute(
        select(accounts.c.id, accounts.c.username, accounts.c.username_folded).where(
            accounts.c.username_folded.in_(folded)
        )
    )
    return {row.username_folded: (row.id, row.username) for row in known}


async def id_of_key(read: Read, account_id: int, key: str, since_ms: int) -> int | None:
    """The post that was made with an idempotency key since a time."""
    statement = select(idempotency_keys.c.post_id).where(
        idempotency_keys.c.account_id == account_id,
        idempotency_keys.c.key == key,
        idempotency_keys.c.created_at_ms >= since_ms,
    )
    return (await read.connection.execute(statement)).scalar_one_or_none()
