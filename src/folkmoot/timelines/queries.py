"""Which posts a timeline holds: whole rows, one statement a page, ranges of indexes only.

Home is merged when it is read. A page of n posts has at most n authors, and they are those whose newest post is
newest: so one index probe for each followed account finds these authors, and n posts of each are looked at. What
it costs follows the number of accounts one follows, not how much they or anybody else wrote.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    and_,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    union_all,
)

from folkmoot.accounts.model import Page
from folkmoot.posts.model import Post, Visibility
from folkmoot.posts.queries import found, rows
from folkmoot.storage.database import Read
from folkmoot.storage.tables.people import follows
from folkmoot.storage.tables.posts import media, pins, posts

ID_MAX = 2**63 - 1
_ID: ColumnElement[Any] = literal_column("id", BigInteger)
_Conditions = Callable[[FromClause, ColumnElement[Any]], ColumnElement[bool]]


async def home(read: Read, account_id: int, page: Page) -> list[Post]:
    """One's own posts and those of whom one follows, the newest first.

    Replies to people one doesn't follow are left out, as in Mastodon; so are direct posts: they are conversations.
    """

    def by(table: FromClause, author_id: ColumnElement[Any]) -> ColumnElement[bool]:
        return and_(
            table.c.account_id == author_id,
            table.c.deleted_at_ms.is_(None),
            table.c.visibility != Visibility.DIRECT.value,
            _answers_no_stranger(table, account_id),
            *_within(table.c.id, page),
        )

    bounds = _authors_of_page(account_id, by, page)
    inside = posts.c.id <= bounds.c.bound if _ascends(page) else posts.c.id >= bounds.c.bound
    return await _page(read, select(posts.c.id).join(bounds, by(posts, bounds.c.id) & inside), page)


async def public(read: Read, page: Page, *, only_media: bool = False) -> list[Post]:
    """What was said to everybody, without replies: the index `ix_posts_public` in its order."""
    # Its conditions are repeated, or it could not be used. SQLite has to be told: it would rather take whatever is
    # no reply, by the index on what posts answer, and sort that.
    named = "posts INDEXED BY ix_posts_public" if read.is_sqlite else "posts"
    listed = "visibility = 'public' AND in_reply_to_id IS NULL AND reblog_of_id IS NULL AND deleted_at_ms IS NULL"
    ids = select(_ID).select_from(text(named)).where(text(listed), *_within(_ID, page))
    if only_media:
        ids = ids.where(exists().where(media.c.post_id == _ID))
    return await _page(read, ids, page)


async def of_account(
    read: Read,
    account_id: int,
    page: Page,
    *,
    only_media: bool = False,
    exclude_replies: bool = False,
    exclude_reblogs: bool = False,
    pinned: bool = False,
) -> list[Post]:
    """An account's posts; answers to oneself are no replies to `exclude_replies`."""
    ids = select(posts.c.id).where(
        posts.c.account_id == account_id, posts.c.deleted_at_ms.is_(None), *_within(posts.c.id, page)
    )
    if exclude_replies:
        ids = ids.where(or_(posts.c.in_reply_to_id.is_(None), posts.c.in_reply_to_account_id == account_id))
    if exclude_reblogs:
        ids = ids.where(posts.c.reblog_of_id.is_(None))
    if only_media:
        ids = ids.where(exists().where(media.c.post_id == posts.c.id))
    if pinned:
        ids = ids.where(posts.c.id.in_(select(pins.c.post_id).where(pins.c.account_id == account_id)))
    return await _page(read, ids, page)


def _authors_of_page(account_id: int, by: _Conditions, page: Page) -> FromClause:
    """(id, bound): the at most `limit` authors whose posts can be on the page, each with its `limit`th post there.

    Materialised: otherwise SQLite asks for the bound again at every post.
    """
    authors = union_all(
        select(follows.c.followee_id.label("id")).where(follows.c.follower_id == account_id),
        select(literal(account_id).label("id")),
    ).cte("authors")
    probe = posts.alias("probe")
    first = select(probe.c.id).where(by(probe, authors.c.id)).order_by(_order(probe.c.id, page)).limit(1)
    heads = _materialised(select(authors.c.id, first.scalar_subquery().label("head")), "heads")
    chosen = (
        select(heads.c.id)
        .where(heads.c.head.is_not(None))
        .order_by(_order(heads.c.head, page))
        .limit(page.limit)
        .cte("chosen")
    )
    further = posts.alias("further")
    last = (
        select(further.c.id)
        .where(by(further, chosen.c.id))
        .order_by(_order(further.c.id, page))
        .limit(1)
        .offset(page.limit - 1)
    )
    bound = func.coalesce(last.scalar_subquery(), ID_MAX if _ascends(page) else 0)
    return _materialised(select(chosen.c.id, bound.label("bound")), "bounds")


def _materialised(statement: Select[Any], name: str) -> CTE:
    return statement.cte(name).prefix_with("MATERIALIZED")


def _answers_no_stranger(table: FromClause, account_id: int) -> ColumnElement[bool]:
    answered = table.c.in_reply_to_account_id
    followed = exists().where(follows.c.follower_id == account_id, follows.c.followee_id == answered)
    return or_(answered.is_(None), answered == table.c.account_id, answered == account_id, followed)


def _ascends(page: Page) -> bool:
    """The page right after `min_id` is read from its oldest post on."""
    return page.min_id is not None


def _order(column: ColumnElement[Any], page: Page) -> ColumnElement[Any]:
    return column.asc() if _ascends(page) else column.desc()


def _within(id_: ColumnElement[Any], page: Page) -> list[ColumnElement[bool]]:
    after = max((bound for bound in (page.since_id, page.min_id) if bound is not None), default=None)
    conditions: list[ColumnElement[bool]] = []
    if page.max_id is not None:
        conditions.append(id_ < page.max_id)
    if after is not None:
        conditions.append(id_ > after)
    return conditions


async def _page(read: Read, ids: Select[Any], page: Page) -> list[Post]:
    """The posts of a page, the newest first. `ids` selects one column; the rows are read for the page alone."""
    (id_,) = ids.selected_columns
    on_page = ids.order_by(_order(id_, page)).limit(page.limit).subquery("page")
    statement = rows().join(on_page, on_page.c.id == posts.c.id).order_by(posts.c.id.desc())
    return await found(read, statement)
