"""Which posts a timeline holds: whole rows, one statement a page, ranges of indexes only.

What is merged from many authors is in `merged.py`.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    bindparam,
    exists,
    literal_column,
    not_,
    or_,
    select,
    text,
    union,
)

from folkmoot.accounts.model import Page
from folkmoot.accounts.queries import hides
from folkmoot.posts.model import Post
from folkmoot.posts.queries import found
from folkmoot.storage.database import Read
from folkmoot.storage.prepared import Prepared
from folkmoot.storage.tables.posts import media, pins, posts
from folkmoot.storage.tables.reading import post_tags
from folkmoot.timelines.paging import Shape, order, posts_of_page, rows_of_page, shape, values, within

_ID: ColumnElement[Any] = literal_column("id", BigInteger)
_AUTHOR: ColumnElement[int] = literal_column("posts.account_id", BigInteger)
_POST_OF_FILE: ColumnElement[int] = literal_column("media.post_id", BigInteger)
_SHAPES_KEPT = 256  # of statements for tags, of which there are as many as people combine


class Tagged(msgspec.Struct, frozen=True):
    """What a tag's timeline is asked for: folded names. At least one of `any_of`, each of `all_of`, none of
    `none_of`."""

    any_of: Sequence[str]
    all_of: Sequence[str] = ()
    none_of: Sequence[str] = ()


async def public(read: Read, page: Page, *, viewer_id: int | None = None, only_media: bool = False) -> list[Post]:
    """What was said to everybody, without replies, and without whom the viewer muted or blocked: the index
    `ix_posts_public` in its order."""
    asked = {"now_ms": read.now_ms, "viewer": viewer_id} if viewer_id is not None else {}
    statement = _public(shape(page), read.is_sqlite, viewer_id is not None, only_media)
    return await found(read, await statement.rows(read, **asked, **values(page)))


@cache
def _public(shape: Shape, is_sqlite: bool, has_viewer: bool, only_media: bool) -> Prepared:
    page = shape.page()
    ids = _public_with_files(page, is_sqlite) if only_media else _all_public(page, is_sqlite)
    if has_viewer:
        viewer, now_ms = (bindparam(name, type_=BigInteger) for name in ("viewer", "now_ms"))
        ids = ids.where(not_(hides(viewer, _AUTHOR, now_ms)))
    return Prepared(rows_of_page(ids, page))


# The conditions of `ix_posts_public` are repeated, or it could not be used.
_LISTED = "visibility = 'public' AND in_reply_to_id IS NULL AND reblog_of_id IS NULL AND deleted_at_ms IS NULL"


def _all_public(page: Page, is_sqlite: bool) -> Select[Any]:
    # SQLite has to be told: it would rather take whatever is no reply, by the index on what posts answer, and sort
    # that.
    named = "posts INDEXED BY ix_posts_public" if is_sqlite else "posts"
    return select(_ID).select_from(text(named)).where(text(_LISTED), *within(_ID, page))


def _public_with_files(page: Page, is_sqlite: bool) -> Select[Any]:
    """From the files to their posts: where few have any, all that was ever said would be looked through."""
    join = "media INDEXED BY ix_media_post_id CROSS JOIN posts" if is_sqlite else "media JOIN posts"
    return (
        select(_POST_OF_FILE.label("id"))
        .distinct()
        .select_from(text(f"{join} ON posts.id = media.post_id"))
        .where(text("media.position >= 0"), text(_LISTED), *within(_POST_OF_FILE, page))
    )


async def tagged(
    read: Read, asked: Tagged, page: Page, *, viewer_id: int | None = None, only_media: bool = False
) -> list[Post]:
    """Public posts with tags, replies too, without whom the viewer muted or blocked: a range of the index of each
    tag."""
    groups = {"any": dict.fromkeys(asked.any_of), "all": asked.all_of, "none": asked.none_of}
    if not groups["any"]:
        return []
    named = {f"{group}_{number}": name for group, names in groups.items() for number, name in enumerate(names)}
    viewer = {"now_ms": read.now_ms, "viewer": viewer_id} if viewer_id is not None else {}
    statement = _tagged(shape(page), tuple(named), viewer_id is not None, only_media)
    return await found(read, await statement.rows(read, **named, **viewer, **values(page)))


@lru_cache(maxsize=_SHAPES_KEPT)
def _tagged(shape: Shape, named: tuple[str, ...], has_viewer: bool, only_media: bool) -> Prepared:
    """`named` are the parameters for names: any_0, any_1, …, all_0, …, none_0, …"""
    page = shape.page()
    post_id = post_tags.c.post_id
    conditions = [post_tags.c.listed, *within(post_id, page)]
    conditions += [_has(bindparam(name), post_id) for name in named if name.startswith("all_")]
    conditions += [not_(_has(bindparam(name), post_id)) for name in named if name.startswith("none_")]
    if only_media:
        conditions.append(_shows_files(post_id))
    if has_viewer:
        viewer, now_ms = (bindparam(name, type_=BigInteger) for name in ("viewer", "now_ms"))
        conditions.append(not_(hides(viewer, post_tags.c.account_id, now_ms)))
    ranges = [
        select(post_id.label("id"))
        .where(post_tags.c.name == bindparam(name), *conditions)
        .order_by(order(post_id, page))
        .limit(page.limit)
        .subquery()
        for name in named
        if name.startswith("any_")
    ]
    ids = union(*(select(one.c.id) for one in ranges)).subquery("ids")
    return Prepared(rows_of_page(select(ids.c.id), page))


def _shows_files(post_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Not those that an edit took out: they are its history's alone."""
    return exists().where(media.c.post_id == post_id, media.c.position >= 0)


def _has(name: Any, post_id: ColumnElement[int]) -> ColumnElement[bool]:
    """`name`: a value or a bound parameter."""
    other = post_tags.alias()
    return exists().where(other.c.name == name, other.c.post_id == post_id)


async def of_account(
    read: Read,
    account_id: int,
    page: Page,
    *,
    only_media: bool = False,
    exclude_replies: bool = False,
    exclude_reblogs: bool = False,
    pinned: bool = False,
    with_tag: str | None = None,
) -> list[Post]:
    """An account's posts; answers to oneself are no replies to `exclude_replies`. `with_tag` is a folded name."""
    ids: Select[Any] = select(posts.c.id).where(
        posts.c.account_id == account_id, posts.c.deleted_at_ms.is_(None), *within(posts.c.id, page)
    )
    if exclude_replies:
        ids = ids.where(or_(posts.c.in_reply_to_id.is_(None), posts.c.in_reply_to_account_id == account_id))
    if exclude_reblogs:
        ids = ids.where(posts.c.reblog_of_id.is_(None))
    if only_media:
        ids = ids.where(_shows_files(posts.c.id))
    if pinned:
        ids = ids.where(posts.c.id.in_(select(pins.c.post_id).where(pins.c.account_id == account_id)))
    if with_tag is not None:
        ids = ids.where(_has(with_tag, posts.c.id))
    return await posts_of_page(read, ids, page)
