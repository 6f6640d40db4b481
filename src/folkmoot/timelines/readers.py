"""In whose timelines a new post belongs, of those who look: for streams. The same conditions as the timelines'."""

from collections.abc import Callable, Collection, Iterator
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, exists, literal, or_, select, true, union_all

from folkmoot.posts.model import Post, Visibility
from folkmoot.storage.among import among
from folkmoot.storage.database import Read
from folkmoot.storage.tables.people import accounts, blocks, follows
from folkmoot.storage.tables.reading import followed_tags, list_members, lists
from folkmoot.storage.tables.relations import domain_blocks, mutes

_Who = Callable[[ColumnElement[int]], ColumnElement[bool]]


async def of_home(read: Read, post: Post, people: Collection[int]) -> set[int]:
    """Those among some people in whose home timeline the post belongs: its author, who follows them, and who
    follows a tag of it. Two statements."""
    if post.visibility is Visibility.DIRECT:
        return set()
    following = select(follows.c.follower_id).where(
        follows.c.followee_id == post.account_id,
        among(read, follows.c.follower_id, people),
        *_wanted(post, follows),
        ~_is_elsewhere(post.account_id, follows.c.follower_id),
        _answers_no_stranger(follows.c.follower_id, post),
        follows.c.follower_id.not_in(_hidden(post, read.now_ms, named=post.speaks_of)),
    )
    found = {post.account_id} & set(people) | await _ids(read, following)
    if post.visibility is Visibility.PUBLIC and post.tags and post.reblog_of_id is None:
        tagged = select(followed_tags.c.account_id).where(
            among(read, followed_tags.c.account_id, people),
            followed_tags.c.name.in_(post.tags),
            ~_is_elsewhere(post.account_id, followed_tags.c.account_id),
            followed_tags.c.account_id.not_in(_hidden(post, read.now_ms, named=post.speaks_of)),
        )
        found |= await _ids(read, tagged)
    return found


async def of_lists(read: Read, post: Post, list_ids: Collection[int]) -> set[int]:
    """The lists among these in whose timelines the post belongs."""
    if post.visibility is Visibility.DIRECT or not list_ids:
        return set()
    answered = post.in_reply_to_account_id
    on_it = list_members.alias("answered")
    to_itself = answered in (None, post.account_id)
    shows_answer = or_(
        literal(to_itself),
        lists.c.account_id == answered,
        and_(
            lists.c.replies_policy == "list",
            exists().where(on_it.c.list_id == lists.c.id, on_it.c.account_id == answered),
        ),
        and_(
            lists.c.replies_policy == "followed",
            exists().where(follows.c.follower_id == lists.c.account_id, follows.c.followee_id == answered),
        ),
    )
    chosen = follows.alias("chosen")
    follow = and_(
        chosen.c.follower_id == list_members.c.follower_id, chosen.c.followee_id == list_members.c.account_id
    )
    found = (
        select(lists.c.id)
        .join(list_members, list_members.c.list_id == lists.c.id)
        .outerjoin(chosen, follow)
        .where(
            lists.c.id.in_(list_ids),
            list_members.c.account_id == post.account_id,
            shows_answer,
            or_(chosen.c.follower_id.is_(None), and_(true(), *_wanted(post, chosen))),
            or_(
                lists.c.account_id == post.account_id,
                lists.c.account_id.not_in(_hidden(post, read.now_ms, named=post.speaks_of)),
            ),
        )
    )
    return await _ids(read, found)


async def unhidden(read: Read, post: Post, people: Collection[int]) -> set[int]:
    """Those who neither muted nor blocked whose post it is, nor are blocked by them."""
    return set(people) - await _ids(read, _hidden(post, read.now_ms, lambda reader: among(read, reader, people)))


async def hiding(read: Read, account_id: int, people: Collection[int]) -> set[int]:
    """Who of some people muted or blocked an account, or is blocked by it."""
    return await _ids(read, _hidden_of({account_id}, read.now_ms, lambda reader: among(read, reader, people)))


async def followers(read: Read, account_ids: Collection[int], people: Collection[int]) -> Iterator[tuple[int, int]]:
    """(account, follower): which of some people follow some accounts, and those accounts that are among them."""
    following = select(follows.c.followee_id, follows.c.follower_id).where(
        among(read, follows.c.followee_id, account_ids), among(read, follows.c.follower_id, people)
    )
    themselves = [(one, one) for one in set(account_ids) & set(people)]
    return chain(themselves, await _pairs(read, following))


async def lists_with(
    read: Read, account_ids: Collection[int], list_ids: Collection[int]
) -> Iterator[tuple[int, int]]:
    """(account, list): which of some lists some accounts are on."""
    on = select(list_members.c.account_id, list_members.c.list_id).where(
        among(read, list_members.c.account_id, account_ids), among(read, list_members.c.list_id, list_ids)
    )
    return await _pairs(read, on)


async def following_tags(read: Read, people: Collection[int]) -> set[int]:
    """Who of some people follows any tag."""
    return await _ids(
        read, select(followed_tags.c.account_id).where(among(read, followed_tags.c.account_id, people))
    )


async def own_lists(read: Read, account_id: int, list_id: int) -> bool:
    """Whether a list is somebody's own."""
    return bool(await _ids(read, select(lists.c.id).where(lists.c.id == list_id, lists.c.account_id == account_id)))


def _wanted(post: Post, follow: FromClause) -> list[ColumnElement[bool]]:
    """What its reader chose when they followed."""
    if post.reblog_of_id is not None:
        return [follow.c.reblogs]
    if post.language is None:
        return []
    return [or_(follow.c.languages.is_(None), follow.c.languages.contains(f",{post.language},", autoescape=True))]


def _is_elsewhere(author_id: int, reader_id: ColumnElement[int]) -> ColumnElement[bool]:
    """On a list of the reader's whose people are not shown in home."""
    return exists().where(
        list_members.c.account_id == author_id,
        list_members.c.list_id == lists.c.id,
        lists.c.account_id == reader_id,
        lists.c.exclusive,
    )


def _answers_no_stranger(reader_id: ColumnElement[int], post: Post) -> ColumnElement[bool]:
    answered = post.in_reply_to_account_id
    if answered in (None, post.account_id):
        return literal(True)
    other = follows.alias("other")
    return or_(
        reader_id == answered, exists().where(other.c.follower_id == reader_id, other.c.followee_id == answered)
    )


def _anybody(_reader: ColumnElement[int]) -> ColumnElement[bool]:
    return true()


def _hidden(post: Post, now_ms: int, who: _Who = _anybody, named: Collection[int] = ()) -> Any:
    """From whom the post is hidden, as `accounts.queries.hides` says it, asked the other way round: of few
    authors, once for all readers, or for those `who` look; and from who muted or blocked any of those it has
    `named`."""
    return _hidden_of({post.account_id, post.reblogged_account_id} - {None}, now_ms, who, named)


def _hidden_of(authors: set[int | None], now_ms: int, who: _Who, named: Collection[int] = ()) -> Any:
    turned_away = authors.union(named)
    its_host = select(accounts.c.host).where(accounts.c.id.in_(authors), accounts.c.host.is_not(None))
    holds = or_(mutes.c.until_ms.is_(None), mutes.c.until_ms > now_ms)
    return union_all(
        select(mutes.c.account_id).where(mutes.c.muted_id.in_(turned_away), holds, who(mutes.c.account_id)),
        select(blocks.c.account_id).where(blocks.c.blocked_id.in_(turned_away), who(blocks.c.account_id)),
        select(blocks.c.blocked_id).where(blocks.c.account_id.in_(authors), who(blocks.c.blocked_id)),
        select(domain_blocks.c.account_id).where(
            domain_blocks.c.host.in_(its_host), who(domain_blocks.c.account_id)
        ),
    )


async def _pairs(read: Read, statement: Any) -> Iterator[tuple[int, int]]:
    return ((one, other) for one, other in await read.connection.execute(statement))


async def _ids(read: Read, statement: Any) -> set[int]:
    return set((await read.connection.execute(statement)).scalars())
