"""Home and lists, merged when they are read.

A page of n posts has at most n authors, and they are those whose newest post is newest: so one index probe for each
author finds these, and n posts of each are looked at. What it costs follows the number of accounts one follows, not
how much they or anybody else wrote. The tags that one follows come in the same way: n posts of each.
"""

from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
    union,
    union_all,
)

from folkmoot.accounts.model import Page
from folkmoot.accounts.queries import hides
from folkmoot.posts.model import Post, Visibility
from folkmoot.posts.queries import found
from folkmoot.storage.database import Read
from folkmoot.storage.prepared import Prepared
from folkmoot.storage.tables.people import follows
from folkmoot.storage.tables.posts import posts
from folkmoot.storage.tables.reading import followed_tags, list_members, lists, post_tags
from folkmoot.timelines.lists.model import List, RepliesPolicy
from folkmoot.timelines.paging import Shape, ascends, order, rows_of_page, shape, values, within

ID_MAX = 2**63 - 1
_VIEWER, _LIST, _NOW_MS = (bindparam(name, type_=BigInteger) for name in ("viewer", "list", "now_ms"))


async def home(read: Read, account_id: int, page: Page) -> list[Post]:
    """One's own posts, those of whom one follows, and public ones with tags that one follows; the newest first.

    Left out, as in Mastodon: others' replies to people one doesn't follow, who is muted or in an exclusive list,
    boosts and languages that one doesn't want of somebody; and direct posts, which are conversations. So is what
    mentions somebody whom one muted or blocked, when it is shown.
    """
    asked = {"viewer": account_id, "now_ms": read.now_ms, **values(page)}
    return await found(read, await _home(shape(page)).rows(read, **asked))


async def of_list(read: Read, list_: List, page: Page) -> list[Post]:
    """The posts of those in a list, as they would be in home, with the replies that the list is for."""
    asked = {"viewer": list_.account_id, "list": list_.id, "now_ms": read.now_ms, **values(page)}
    return await found(read, await _of_list(list_.replies_policy, shape(page)).rows(read, **asked))


@cache
def _home(shape: Shape) -> Prepared:
    page = shape.page()
    followed = select(follows.c.followee_id.label("id"), follows.c.reblogs, follows.c.languages).where(
        follows.c.follower_id == _VIEWER,
        not_(hides(_VIEWER, follows.c.followee_id, _NOW_MS)),
        not_(_kept_to_a_list(follows.c.followee_id)),
    )
    oneself = select(_VIEWER, true(), cast(null(), Text))
    merged = _Merged(union_all(followed, oneself).cte("authors"), page)
    both = union(merged.ids(), _with_followed_tags(page)).subquery("ids")
    return Prepared(rows_of_page(select(both.c.id), page))


@cache
def _of_list(replies_policy: RepliesPolicy, shape: Shape) -> Prepared:
    page = shape.page()
    members = (
        select(
            list_members.c.account_id.label("id"),
            func.coalesce(follows.c.reblogs, true()).label("reblogs"),
            follows.c.languages,
        )
        .select_from(
            list_members.outerjoin(
                follows,
                and_(
                    follows.c.follower_id == list_members.c.follower_id,
                    follows.c.followee_id == list_members.c.account_id,
                ),
            )
        )
        .where(
            list_members.c.list_id == _LIST,
            not_(hides(_VIEWER, list_members.c.account_id, _NOW_MS)),
        )
    )
    return Prepared(rows_of_page(_Merged(members.cte("authors"), page, replies_policy).ids(), page))


class _Merged:
    """Posts of `authors`: their ids, whether their boosts are wanted, which languages (",de,en,"; NULL: all)."""

    def __init__(self, authors: CTE, page: Page, replies_policy: RepliesPolicy | None = None) -> None:
        self._authors = authors
        self._page = page
        self._replies_policy = replies_policy

    def ids(self) -> Select[Any]:
        """At most `limit` for each of the authors who can be on the page."""
        bounds = self._bounds()
        inside = posts.c.id <= bounds.c.bound if ascends(self._page) else posts.c.id >= bounds.c.bound
        return select(posts.c.id).join(bounds, self._by(posts, bounds) & inside)

    def _by(self, table: FromClause, author: FromClause) -> ColumnElement[bool]:
        """Which of an author's posts are wanted."""
        shown = posts.alias()
        boosted_hidden = (
            exists().where(shown.c.id == table.c.reblog_of_id).where(hides(_VIEWER, shown.c.account_id, _NOW_MS))
        )
        language = literal(",") + table.c.language + ","
        return and_(
            table.c.account_id == author.c.id,
            table.c.deleted_at_ms.is_(None),
            table.c.visibility != Visibility.DIRECT.value,
            self._answers_nobody_else(table),
            or_(
                table.c.reblog_of_id.is_(None),
                table.c.account_id == _VIEWER,
                and_(author.c.reblogs, not_(boosted_hidden)),
            ),
            or_(author.c.languages.is_(None), table.c.language.is_(None), author.c.languages.contains(language)),
            *within(table.c.id, self._page),
        )

    def _answers_nobody_else(self, table: FromClause) -> ColumnElement[bool]:
        answered = table.c.in_reply_to_account_id
        followed: ColumnElement[bool] = exists().where(
            follows.c.follower_id == _VIEWER, follows.c.followee_id == answered
        )
        if self._replies_policy is RepliesPolicy.NONE:
            followed = literal(False)
        elif self._replies_policy is RepliesPolicy.LIST:
            member = list_members.alias()
            followed &= exists().where(member.c.list_id == _LIST, member.c.account_id == answered)
        elif self._replies_policy is None:
            followed |= table.c.account_id == _VIEWER
        return or_(answered.is_(None), answered == table.c.account_id, answered == _VIEWER, followed)

    def _bounds(self) -> FromClause:
        """Of the at most `limit` authors whose posts can be on the page, each with the last of theirs that can be:
        it is no further than the first post of any of them, where they are `limit`, and than their own `limit`th.

        Materialised: otherwise SQLite asks for the bound again at every post.
        """
        page, authors = self._page, self._authors
        probe = posts.alias("probe")
        first = select(probe.c.id).where(self._by(probe, authors)).order_by(order(probe.c.id, page)).limit(1)
        heads = _materialised(select(*authors.c, first.scalar_subquery().label("head")), "heads")
        chosen = _materialised(
            select(*heads.c).where(heads.c.head.is_not(None)).order_by(order(heads.c.head, page)).limit(page.limit),
            "chosen",
        )
        edge = self._edge(chosen)
        further = posts.alias("further")
        last = (
            select(further.c.id)
            .where(self._by(further, chosen), further.c.id <= edge if ascends(page) else further.c.id >= edge)
            .order_by(order(further.c.id, page))
            .limit(1)
            .offset(page.limit - 1)
        )
        bound = func.coalesce(last.scalar_subquery(), edge).label("bound")
        return _materialised(select(chosen.c.id, chosen.c.reblogs, chosen.c.languages, bound), "bounds")

    def _edge(self, chosen: CTE) -> ColumnElement[int]:
        """With `limit` authors there are `limit` posts up to the last of their first ones."""
        heads = chosen.alias("first_ones")
        outermost = func.max(heads.c.head) if ascends(self._page) else func.min(heads.c.head)
        nowhere = ID_MAX if ascends(self._page) else 0
        found = select(case((func.count() >= self._page.limit, outermost), else_=nowhere).label("id"))
        edge = _materialised(found.select_from(heads), "edge")
        return select(edge.c.id).scalar_subquery()


def _with_followed_tags(page: Page) -> Select[Any]:
    """At most `limit` ids for each tag that somebody follows."""

    def wanted(table: FromClause, name: ColumnElement[str]) -> ColumnElement[bool]:
        return and_(
            table.c.name == name,
            table.c.listed,
            not_(hides(_VIEWER, table.c.account_id, _NOW_MS)),
            not_(_kept_to_a_list(table.c.account_id)),
            *within(table.c.post_id, page),
        )

    further = post_tags.alias("further_tagged")
    last = (
        select(further.c.post_id)
        .where(wanted(further, followed_tags.c.name))
        .order_by(order(further.c.post_id, page))
        .limit(1)
        .offset(page.limit - 1)
    )
    followed = select(followed_tags.c.name, _bound(last, page)).where(followed_tags.c.account_id == _VIEWER)
    bounds = _materialised(followed, "tag_bounds")
    inside = post_tags.c.post_id <= bounds.c.bound if ascends(page) else post_tags.c.post_id >= bounds.c.bound
    return select(post_tags.c.post_id).join(bounds, wanted(post_tags, bounds.c.name) & inside)


def _kept_to_a_list(author_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether somebody is in one of the viewer's exclusive lists: shown there, and not in home."""
    return (
        exists()
        .where(list_members.c.account_id == author_id, list_members.c.follower_id == _VIEWER)
        .where(lists.c.id == list_members.c.list_id, lists.c.exclusive)
    )


def _bound(last: Select[Any], page: Page) -> ColumnElement[Any]:
    return func.coalesce(last.scalar_subquery(), ID_MAX if ascends(page) else 0).label("bound")


def _materialised(statement: Select[Any], name: str) -> CTE:
    return statement.cte(name).prefix_with("MATERIALIZED")
