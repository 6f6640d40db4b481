"""Reads of posts and media: rows for the gate. Each is one statement, whatever the size of a page, and another one
where a conversation of a closed Space is among them.

Spaces are above posts: of theirs only the two tables are read, for whom a closed one is (`model.Circle`).
"""

from collections.abc import Collection, Mapping
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import FromClause, Row, Select, and_, func, literal, select

from folkmoot.gate import Reach
from folkmoot.posts.model import Application, Circle, Media, MediaDetails, Post, Visibility
from folkmoot.storage.database import Read
from folkmoot.storage.tables.credentials import applications
from folkmoot.storage.tables.people import accounts
from folkmoot.storage.tables.posts import idempotency_keys, media, post_counts, posts
from folkmoot.storage.tables.spaces import space_members, spaces

ANCESTORS_MAX = 100
DESCENDANTS_MAX = 400
DESCENDANTS_DEPTH_MAX = 40

_REACH_OF_AUDIENCE = {"followed": Reach.FOLLOWED, "invited": Reach.NAMED}

# The post that began the conversation, deleted or not, and the closed Space that it announces.
_root = posts.alias("root")
_circle = (spaces.c.id.label("circle_id"), spaces.c.host_id.label("circle_host_id"), spaces.c.audience)
_reblogged = posts.alias("reblogged")


def rows() -> Select[Any]:
    """What `found` reads: posts that were not deleted, with what was counted of them, application and circle."""
    return (
        select(
            posts,
            func.coalesce(post_counts.c.replies, 0).label("replies_count"),
            func.coalesce(post_counts.c.reblogs, 0).label("reblogs_count"),
            func.coalesce(post_counts.c.favourites, 0).label("favourites_count"),
            _reblogged.c.account_id.label("reblogged_account_id"),
            applications.c.name.label("application_name"),
            applications.c.website.label("application_website"),
            *_circle,
        )
        .select_from(
            _with_circle(posts)
            .outerjoin(applications, applications.c.id == posts.c.application_id)
            .outerjoin(post_counts, post_counts.c.post_id == posts.c.id)
            .outerjoin(_reblogged, _reblogged.c.id == posts.c.reblog_of_id)
        )
        .where(posts.c.deleted_at_ms.is_(None))
    )


async def found(read: Read, statement: Select[Any]) -> list[Post]:
    """The posts that a statement made of `rows` selects, in its order."""
    selected = (await read.connection.execute(statement)).all()
    circles = await _circles(read, selected)
    return [_from_row(row, circles) for row in selected]


def _from_row(row: Row[Any], circles: Mapping[int, Circle]) -> Post:
    return Post(
        id=row.id,
        account_id=row.account_id,
        visibility=Visibility(row.visibility),
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
        circle=circles.get(row.circle_id),
    )


async def by_ids(read: Read, post_ids: Collection[int]) -> list[Post]:
    """In the order asked for; ids of posts that don't exist or were deleted are left out."""
    if not post_ids:
        return []
    by_id_ = {post.id: post for post in await found(read, rows().where(posts.c.id.in_(post_ids)))}
    return [by_id_[post_id] for post_id in post_ids if post_id in by_id_]


async def by_id(read: Read, post_id: int) -> Post | None:
    posts_found = await by_ids(read, [post_id])
    return posts_found[0] if posts_found else None


async def of_author(read: Read, account_id: int, *, max_id: int | None, limit: int) -> list[Post]:
    """Everything that somebody wrote, for themselves: the newest first, of any visibility."""
    statement = rows().where(posts.c.account_id == account_id).order_by(posts.c.id.desc()).limit(limit)
    return await found(read, statement if max_id is None else statement.where(posts.c.id < max_id))


def _with_circle(joined: FromClause) -> FromClause:
    """Posts, or what they are part of, with what `_circle` names: NULL outside of closed Spaces' conversations."""
    return joined.outerjoin(_root, _root.c.id == posts.c.conversation_id).outerjoin(
        spaces, and_(spaces.c.id == _root.c.space_id, spaces.c.audience.in_(_REACH_OF_AUDIENCE))
    )


async def _circles(read: Read, selected: Collection[Row[Any]]) -> dict[int, Circle]:
    """By Space: its people are who is on its stage or was invited, and nobody who was removed."""
    closed = {row.circle_id: row for row in selected if row.circle_id is not None}
    if not closed:
        return {}
    guest_as = space_members.c.document["guest_as"].as_string().label("guest_as")
    members = await read.connection.execute(
        select(
            space_members.c.space_id,
            space_members.c.account_id,
            space_members.c.role,
            space_members.c.removed,
            guest_as,
        ).where(space_members.c.space_id.in_(list(closed)))
    )
    named: dict[int, set[int]] = {space_id: set() for space_id in closed}
    barred: dict[int, set[int]] = {space_id: set() for space_id in closed}
    for member in members:
        if member.removed:
            barred[member.space_id].add(member.account_id)
        elif member.guest_as is not None or member.role != "listener":
            named[member.space_id].add(member.account_id)
    return {
        space_id: Circle(
            row.circle_host_id,
            _REACH_OF_AUDIENCE[row.audience],
            frozenset(named[space_id]),
            frozenset(barred[space_id]),
        )
        for space_id, row in closed.items()
    }


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
    ids = await read.connection.execute(select(further.c.id).order_by(further.c.depth.desc()))
    return list(ids.scalars())


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


# --- media ---


def _media_rows() -> Select[Any]:
    attached = media.outerjoin(posts, and_(posts.c.id == media.c.post_id, posts.c.deleted_at_ms.is_(None)))
    return select(media, posts.c.visibility, posts.c.mentions, *_circle).select_from(_with_circle(attached))


async def _media_found(read: Read, statement: Select[Any]) -> list[Media]:
    selected = (await read.connection.execute(statement)).all()
    circles = await _circles(read, selected)
    return [_media(row, circles) for row in selected]


def _media(row: Row[Any], circles: Mapping[int, Circle]) -> Media:
    return Media(
        id=row.id,
        account_id=row.account_id,
        kind=row.kind,
        content_type=row.content_type,
        object_key=row.object_key,
        size_bytes=row.size_bytes,
        description=row.description,
        details=msgspec.convert(row.details, MediaDetails),
        created_at_ms=row.created_at_ms,
        post_id=row.post_id,
        clip_id=row.clip_id,
        post_visibility=Visibility(row.visibility) if row.visibility else None,
        post_mentions=tuple(row.mentions or ()),
        post_circle=circles.get(row.circle_id),
    )


async def media_by_id(read: Read, media_id: int) -> Media | None:
    files = await _media_found(read, _media_rows().where(media.c.id == media_id))
    return files[0] if files else None


async def media_of_clips(read: Read, clip_ids: Collection[int]) -> list[Media]:
    """The files that clips are, attached or not. One statement."""
    return await _media_found(read, _media_rows().where(media.c.clip_id.in_(clip_ids))) if clip_ids else []


async def media_of_posts(read: Read, post_ids: Collection[int]) -> dict[int, list[Media]]:
    """The attachments of each post, in their order."""
    if not post_ids:
        return {}
    files = await _media_found(
        read, _media_rows().where(media.c.post_id.in_(post_ids)).order_by(media.c.post_id, media.c.position)
    )
    return {
        post_id: list(attached)
        for post_id, attached in groupby(files, lambda one: one.post_id)
        if post_id is not None
    }
