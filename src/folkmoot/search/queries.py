"""Which posts and tags a search finds: rows for the gate. What a search costs is bounded, whatever it asks for.

Everybody finds what they wrote, what names them and what they marked; and what was said to everybody by people who
agreed to be found (`accounts.indexable`), as in Mastodon. The gate decides afterwards, as about any post.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Table,
    and_,
    cast,
    column,
    exists,
    func,
    not_,
    or_,
    select,
    table,
    true,
    union,
)
from sqlalchemy.dialects.postgresql import JSONB, TSQUERY

from folkmoot.accounts.model import Page
from folkmoot.accounts.queries import hides
from folkmoot.accounts.rules import fold
from folkmoot.posts.model import Post, Visibility
from folkmoot.posts.queries import found, rows
from folkmoot.posts.text import folded_tag
from folkmoot.search.model import Query, Span, Tagged
from folkmoot.storage import words
from folkmoot.storage.database import Read
from folkmoot.storage.ids import id_at
from folkmoot.storage.tables.people import accounts
from folkmoot.storage.tables.posts import bookmarks, favourites, posts
from folkmoot.storage.tables.reading import post_tags
from folkmoot.storage.tables.search import post_words
from folkmoot.storage.words import Match

CANDIDATES_MAX = 5_000
"""The newest of the posts that have the words, of which those are looked for that somebody may find; as many of
one's own, and of those that name one. Behind `offset` as many more."""
FINDABLE_FEW = 200
"""Where no more people agreed to be found, theirs are asked for by name: they may be few among many."""
MARKED_MAX = 500
"""The last of one's favourites, and of one's bookmarks, that are looked through whatever else has the words: each
is looked up in the index by itself."""
TAGGED_MAX = 5_000
PEOPLE_OF_A_TAG_MAX = 25
PEOPLE_OF_TAGS_MAX = 2_000
ID_MAX = 2**63 - 1
_LAST = chr(0x10FFFF)
# SQLite's index: a virtual table, which `storage/tables/` can't say. Its hidden column has its own name.
_index = table("post_words_index", column("rowid", BigInteger), column("post_words_index"))


async def statuses(
    read: Read, viewer_id: int, query: Query, page: Page, *, offset: int = 0, account_id: int | None = None
) -> list[Post]:
    """The newest first. `account_id`: only of that account. Three statements at most."""
    wanted = await _match(read, viewer_id, query, account_id)
    if wanted is None:
        return []
    findable = None if query.only_library else await _of_the_findable(read, wanted)
    ascending = page.min_id is not None
    look = partial(_newest, read, bounds=_bounds(query, page), ascending=ascending, limit=CANDIDATES_MAX + offset)
    candidates = _candidates(look, viewer_id, wanted, findable)
    library = _library(read, viewer_id)
    said_to_all = and_(posts.c.visibility == Visibility.PUBLIC.value, accounts.c.indexable)
    ids = (
        select(posts.c.id)
        .join(candidates, candidates.c.id == posts.c.id)
        .join(accounts, accounts.c.id == posts.c.account_id)
        .where(
            posts.c.deleted_at_ms.is_(None),
            library if query.only_library else or_(library, said_to_all),
            ~hides(viewer_id, posts.c.account_id, read.now_ms),
        )
        .order_by(posts.c.id.asc() if ascending else posts.c.id.desc())
        .limit(page.limit)
        .offset(offset)
        .subquery("page")
    )
    selected = await read.connection.execute(rows(ids).order_by(posts.c.id.desc()))
    return await found(read, selected.all())


async def tags(read: Read, text: str) -> list[Tagged]:
    """Who used tags that begin so: of each tag the newest few of its people, the most used of late first. A tag is
    somebody's words: it is shown where the gate lists one of them. One statement."""
    asked = folded_tag(text.strip().removeprefix("#"))
    if not asked:
        return []
    begins = and_(post_tags.c.name >= asked, post_tags.c.name < asked + _LAST, post_tags.c.listed)
    tagged = select(post_tags).where(begins).limit(TAGGED_MAX).subquery("tagged")
    name, last = tagged.c.name, func.max(tagged.c.post_id)
    people = (
        select(
            name,
            tagged.c.account_id,
            func.row_number().over(partition_by=name, order_by=last.desc()).label("nth"),
            func.sum(func.count()).over(partition_by=name).label("uses"),
        )
        .group_by(name, tagged.c.account_id)
        .subquery("people")
    )
    exactly = (people.c.name == asked).desc()
    statement = (
        select(people.c.name, people.c.account_id)
        .where(people.c.nth <= PEOPLE_OF_A_TAG_MAX)
        .order_by(exactly, people.c.uses.desc(), people.c.name)
        .limit(PEOPLE_OF_TAGS_MAX)
    )
    return [Tagged(*row) for row in await read.connection.execute(statement)]


async def _match(read: Read, viewer_id: int, query: Query, account_id: int | None) -> Match | None:
    """What the index is asked. None where nothing can be found."""
    if not query.asks_something:
        return None
    named = {fold(name.partition("@")[0]) for name in (*query.authors, *query.other_authors)} - {"me"}
    known = {"me": viewer_id}
    if named:
        its = select(accounts.c.username_folded, accounts.c.id).where(
            accounts.c.username_folded.in_(named), accounts.c.host.is_(None)
        )
        known |= {row.username_folded: row.id for row in await read.connection.execute(its)}
    authors = {known.get(fold(name.partition("@")[0])) for name in query.authors}
    if account_id is not None:
        authors.add(account_id)
    if None in authors or len(authors) > 1:
        return None
    others = {known.get(fold(name.partition("@")[0])) for name in query.other_authors}
    wanted = (*query.wanted, *(words.label(f"from:{author}") for author in authors))
    return Match(
        all_of=wanted or (words.label("post"),),
        none_of=(
            *query.unwanted,
            *(words.label(f"from:{other}") for other in sorted(one for one in others if one is not None)),
        ),
    )


async def _of_the_findable(read: Read, wanted: Match) -> Match | None:
    """What is of those who agreed to be found; None where they are nobody, or not few among all."""
    some = select(accounts.c.id).where(accounts.c.indexable).limit(FINDABLE_FEW + 1)
    ids = (await read.connection.execute(some)).scalars().all()
    if not ids or len(ids) > FINDABLE_FEW:
        return None
    return msgspec.structs.replace(wanted, one_of=tuple(words.label(f"from:{id_}") for id_ in ids))


def _candidates(look: Callable[..., Any], viewer_id: int, wanted: Match, findable: Match | None) -> Any:
    """(id): the newest posts with the words (the oldest after `min_id`): a bounded number of everybody's, with what
    the viewer marked long ago; of the viewer's own, of those that name them, of those that they marked last, and of
    those of few who agreed to be found. None of these is lost among everybody's."""
    about = [words.label(f"{how}:{viewer_id}") for how in ("from", "to")]
    sets = [
        *(look(msgspec.structs.replace(wanted, all_of=(*wanted.all_of, one))) for one in about),
        *(look(wanted, marked_in=marks, viewer_id=viewer_id) for marks in (favourites, bookmarks)),
        look(wanted),
        *([look(findable)] if findable is not None else []),
    ]
    return union(*(select(one.c.id) for one in sets)).subquery("candidates")


def _newest(
    read: Read,
    wanted: Match,
    bounds: Sequence[tuple[int, int, bool]],
    *,
    ascending: bool,
    limit: int,
    marked_in: Table | None = None,
    viewer_id: int | None = None,
) -> Any:
    id_: ColumnElement[int]
    if read.is_sqlite:
        id_ = _index.c.rowid
        statement: Select[Any] = select(id_.label("id")).where(
            _index.c.post_words_index.op("MATCH")(words.fts5_query(wanted))
        )
    else:
        id_ = post_words.c.post_id
        asked = cast(words.tsquery(wanted), TSQUERY)
        statement = select(id_.label("id")).where(post_words.c.words.op("@@")(asked))
    for first, end, inside in bounds:
        within = and_(id_ >= first, id_ < end)
        statement = statement.where(within if inside else not_(within))
    if marked_in is not None:
        marked = select(marked_in.c.post_id).where(marked_in.c.account_id == viewer_id)
        lately = marked.order_by(marked_in.c.id.desc()).limit(MARKED_MAX).subquery()
        statement = statement.where(id_.in_(select(lately.c.post_id)))
    return statement.order_by(id_.asc() if ascending else id_.desc()).limit(limit).subquery()


def _bounds(query: Query, page: Page) -> list[tuple[int, int, bool]]:
    """(first id, end, whether inside): the times and the cursors."""
    after = max((one for one in (page.since_id, page.min_id) if one is not None), default=None)
    cursors = (0 if after is None else after + 1, ID_MAX if page.max_id is None else page.max_id, True)
    spans = [*((one, True) for one in query.within), *((one, False) for one in query.outside)]
    return [cursors, *((*_ids(span), inside) for span, inside in spans)]


def _ids(span: Span) -> tuple[int, int]:
    first = 0 if span.from_ms is None else id_at(span.from_ms)
    end = ID_MAX if span.to_ms is None else id_at(span.to_ms)
    return max(0, min(first, ID_MAX)), max(0, min(end, ID_MAX))


def _library(read: Read, viewer_id: int) -> ColumnElement[bool]:
    """One's own posts, those that one marked, and those that name one."""
    return or_(
        posts.c.account_id == viewer_id,
        exists().where(favourites.c.post_id == posts.c.id, favourites.c.account_id == viewer_id),
        exists().where(bookmarks.c.post_id == posts.c.id, bookmarks.c.account_id == viewer_id),
        _names(read, viewer_id),
    )


def _names(read: Read, viewer_id: int) -> ColumnElement[bool]:
    if not read.is_sqlite:
        return posts.c.mentions.op("@>")(cast([viewer_id], JSONB))
    mentioned = func.json_each(posts.c.mentions).table_valued("value", name="mentioned")
    return exists(select(true()).select_from(mentioned).where(mentioned.c.value == viewer_id))
