"""A square for `bench api`: accounts, who follows whom, and as many posts as one wants, written past the actions.

A post here is what a square is full of: one in ten is a reply, one in ten a boost, and some have polls, tags, files
and quotes. Everything is made from one seed, so that two runs measure the same.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Table, create_engine, func, insert, make_url, select, text
from sqlalchemy.pool import NullPool

from folkmoot.posts.text import HERE
from folkmoot.storage import sqlite, words
from folkmoot.storage.database import digest
from folkmoot.storage.ids import id_at
from folkmoot.storage.migrations import migrate
from folkmoot.storage.tables.credentials import tokens
from folkmoot.storage.tables.people import account_counts, accounts, follows
from folkmoot.storage.tables.posts import media, polls, post_counts, posts
from folkmoot.storage.tables.reading import post_tags
from folkmoot.storage.tables.search import post_words

READERS = 64
"""Whose home is read: of the accounts the first."""
FOLLOWED = 100
"""Whom everybody follows, at random; and the herald, who is account 0."""
_SEED = 7
_BATCH = 5_000
_VOCABULARY = 5_000
_TAGS = 200
_SCOPES = "read write follow"
Item = TypeVar("Item")


class NotEmpty(Exception):
    """The database has accounts already. The message is a sentence."""


class Square(msgspec.Struct):
    """What has been written so far. Ids of accounts are `account_id(0)` and so on."""

    accounts: int
    began_ms: int
    posts: list[int] = []  # ids of posts, not of boosts
    authors: list[int] = []
    boosted: set[tuple[int, int]] = set()  # post, by whom: once each
    written: int = 0


def account_id(number: int) -> int:
    return 1_000_000 + number


def token_of(number: int) -> str:
    """An account's token: a bench's server is open to nobody else."""
    return f"bench-{number}"


def begin(url: str, count: int, now_ms: int) -> Square:
    """Make the tables and the people. Raises NotEmpty for a database that somebody uses."""
    migrate(url)
    square = Square(count, began_ms=now_ms)
    with _connected(url) as connection:
        if connection.execute(select(func.count()).select_from(accounts)).scalar_one():
            raise NotEmpty("The database has accounts. The bench wants one of its own, which it fills.")
        for rows in _people(square):
            for table, some in rows.items():
                connection.execute(insert(table), some)
    return square


def write_posts(url: str, square: Square, count: int) -> None:
    """Write until there are `count` posts, boosts too; the newest last."""
    chance = random.Random(_SEED + square.written)  # noqa: S311 (no secret)
    with _connected(url) as connection:
        for numbers in _parts(range(square.written, count), _BATCH):
            rows: dict[Table, list[dict[str, Any]]] = {
                table: [] for table in (posts, post_words, post_counts, post_tags, polls, media)
            }
            for number in numbers:
                _post(square, number, chance, rows)
            for table, some in rows.items():
                _insert(connection, table, some)
        square.written = count


def settle(url: str) -> None:
    """What happens by itself in a database that grows as slowly as people write."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT") if not _is_sqlite(url) else None
    if engine is not None:
        with engine.connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))
        engine.dispose()
        return
    path = make_url(url).database
    assert path
    file = sqlite.open_file(path)
    file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file.close()


def _people(square: Square) -> Iterator[dict[Table, list[dict[str, Any]]]]:
    chance = random.Random(_SEED)  # noqa: S311 (no secret)
    whom = {number: _whom(number, square.accounts, chance) for number in range(square.accounts)}
    followers = [0] * square.accounts
    for followed in whom.values():
        for one in followed:
            followers[one] += 1
    for numbers in _parts(range(square.accounts), 1_000):
        ids = [{"account_id": account_id(number)} for number in numbers]
        yield {
            accounts: [
                {
                    "id": account_id(number),
                    "username": f"person{number}",
                    "username_folded": f"person{number}",
                    "display_name": f"Person {number}",
                    "note": "Writes for a bench.",
                    "created_at_ms": square.began_ms,
                    "indexable": True,
                }
                for number in numbers
            ],
            account_counts: [
                {**one, "followers": followers[number], "following": len(whom[number])}
                for number, one in zip(numbers, ids, strict=True)
            ],
            tokens: [
                {
                    "id": account_id(number),
                    "token_hash": digest(token_of(number)),
                    "account_id": account_id(number),
                    "scopes": _SCOPES,
                    "account_counter": 0,
                    "created_at_ms": square.began_ms,
                }
                for number in numbers
            ],
        }
    pairs = ((number, one) for number, followed in whom.items() for one in followed)
    for some in _parts(pairs, 10_000):
        yield {
            follows: [
                {
                    "follower_id": account_id(number),
                    "followee_id": account_id(one),
                    "created_at_ms": square.began_ms,
                }
                for number, one in some
            ]
        }


def _whom(number: int, count: int, chance: random.Random) -> list[int]:
    others = set(chance.sample(range(count), min(FOLLOWED, count))) | {0}
    return sorted(others - {number})


def _post(square: Square, number: int, chance: random.Random, rows: dict[Table, list[dict[str, Any]]]) -> None:
    """One more post, as rows."""
    # Ten seconds apart, the last of a million just now, and no two with one id.
    id_ = id_at(square.began_ms - 10_000_000_000 + number * 10_000)
    author = account_id(chance.randrange(square.accounts))
    kind = chance.random()
    earlier = chance.randrange(max(0, len(square.posts) - 5_000), len(square.posts)) if square.posts else None
    row: dict[str, Any] = {
        "id": id_,
        "account_id": author,
        "conversation_id": id_,
        "visibility": "public" if chance.random() < 0.9 else "unlisted",
        "source": "",
        "html": "",
        "mentions": [],
        "tags": [],
        "language": "en",
        "created_at_ms": id_ >> 16,
    } | dict.fromkeys(("in_reply_to_id", "in_reply_to_account_id", "reblog_of_id", "quoted_id", "quote_state"))
    rows[posts].append(row)
    if kind < 0.1 and earlier is not None and (square.posts[earlier], author) not in square.boosted:
        row["reblog_of_id"] = square.posts[earlier]
        square.boosted.add((square.posts[earlier], author))
        return
    said = _said(chance)
    labels = ["post", f"from:{author}", "language:en"]
    if kind < 0.2 and earlier is not None:
        row |= {"in_reply_to_id": square.posts[earlier], "in_reply_to_account_id": square.authors[earlier]}
        row["mentions"] = [square.authors[earlier]]
        labels.append("is:reply")
    elif kind < 0.23 and earlier is not None:
        row |= {"quoted_id": square.posts[earlier], "quote_state": "accepted"}
    elif kind < 0.28:
        tag = f"tag{chance.randrange(_TAGS)}"
        row["tags"] = [tag]
        said += f" #{tag}"
        rows[post_tags].append({"name": tag, "post_id": id_, "account_id": author, "listed": True})
    _hang_on(id_, author, chance, rows, labels)
    row["source"] = said
    row["html"] = f'<p>{said} <a href="{HERE}/tags/x">#<span>x</span></a></p>'
    rows[post_words].append({"post_id": id_, "tokens": words.tokens(said), "labels": labels})
    square.posts.append(id_)
    square.authors.append(author)


def _hang_on(
    id_: int, author: int, chance: random.Random, rows: dict[Table, list[dict[str, Any]]], labels: list[str]
) -> None:
    """A poll, a file, and what others thought of it, now and then."""
    if chance.random() < 0.03:
        later_ms = (id_ >> 16) + 86_400_000
        options = {"options": ["tea", "coffee"], "tallies": [3, 2], "voters": 5}
        rows[polls].append(
            {"id": id_ + 1, "post_id": id_, "multiple": False, "hide_totals": False, "expires_at_ms": later_ms}
            | options
        )
        labels.append("has:poll")
    if chance.random() < 0.03:
        rows[media].append(
            {
                "id": id_ + 2,
                "account_id": author,
                "post_id": id_,
                "kind": "audio",
                "content_type": "audio/mp4",
                "object_key": f"bench-{id_}.m4a",
                "size_bytes": 1_000,
                "details": {"duration_ms": 3_000},
                "created_at_ms": id_ >> 16,
            }
        )
        labels += ["has:media", "has:audio"]
    if chance.random() < 0.3:
        rows[post_counts].append({"post_id": id_, "replies": 1, "favourites": chance.randrange(20)})


def _said(chance: random.Random) -> str:
    """Some words, the frequent ones more often."""
    return " ".join(f"word{int(_VOCABULARY * chance.random() ** 3)}" for _ in range(chance.randrange(5, 30)))


def _insert(connection: Connection, table: Table, some: Sequence[dict[str, Any]]) -> None:
    if not some:
        return
    if table is not post_words:
        connection.execute(insert(table), some)
        return
    is_sqlite = connection.dialect.name == "sqlite"
    made = words.fts5_row if is_sqlite else words.tsvector_row
    value = ":words" if is_sqlite else "CAST(:words AS tsvector)"
    statement = text(f"INSERT INTO post_words (post_id, words) VALUES (:post_id, {value})")  # noqa: S608 (no input)
    rows = [{"post_id": one["post_id"], "words": made(one["tokens"], one["labels"])} for one in some]
    connection.execute(statement, rows)


def _parts(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    """One transaction."""
    if _is_sqlite(url):
        path = make_url(url).database
        assert path
        engine = create_engine("sqlite://", creator=lambda: sqlite.open_file(path), poolclass=NullPool)
    else:
        engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection
        connection.commit()
    engine.dispose()


def _is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"
