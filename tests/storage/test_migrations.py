"""Migrations: they end at what `tables/` says, on both databases, whoever starts at the same time."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine, select, text
from tests.support.postgres import Cluster

from folkmoot.posts.labelling import LABEL_NAMED
from folkmoot.storage.database import unix_ms
from folkmoot.storage.migrations import DatabaseTooNew, config, migrate
from folkmoot.storage.tables import metadata
from folkmoot.storage.tables.bus import jobs
from folkmoot.storage.tables.search import is_described
from folkmoot.storage.words import fts5_row, tsvector_row


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without a table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    yield cluster.url(cluster.create())


def test_the_migrations_end_at_the_tables(empty_url: str) -> None:
    migrate(empty_url)
    engine = create_engine(empty_url)
    with engine.connect() as connection:
        # Alembic takes SQLite's empty string for a default that differs from the empty string.
        options = {
            "compare_server_default": connection.dialect.name != "sqlite",
            "include_object": is_described,
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_what_is_migrated_stays_as_it_is(empty_url: str) -> None:
    migrate(empty_url)
    engine = create_engine(empty_url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO server_facts (name, value) VALUES ('a', '1')"))
    migrate(empty_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT name FROM server_facts")).scalar_one() == "a"
    engine.dispose()


def test_a_newer_database_is_refused_in_a_sentence(empty_url: str) -> None:
    migrate(empty_url)
    engine = create_engine(empty_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(DatabaseTooNew, match=r"at version 9999.*or a later one"):
        migrate(empty_url)


@pytest.mark.slow
def test_two_that_start_at_once_both_succeed(empty_url: str) -> None:
    program = "import sys; from folkmoot.storage.migrations import migrate; migrate(sys.argv[1])"
    both = [subprocess.Popen([sys.executable, "-c", program, empty_url]) for _ in range(2)]
    assert [process.wait(timeout=30) for process in both] == [0, 0]


def test_what_was_decided_before_there_were_other_subjects_is_kept(empty_url: str) -> None:
    engine = _at(empty_url, "0005")
    with engine.begin() as connection:
        for row in (
            "accounts (id, username, username_folded, created_at_ms) VALUES (1, 'a', 'a', 0)",
            "sanctions (id, account_id, standing, decided_at_ms) VALUES (2, 1, 'suspended', 0)",
            "appeals (id, sanction_id, account_id, text, made_at_ms) VALUES (3, 2, 1, 'why', 0)",
            "applications (id, client_id, client_secret_hash, name, redirect_uris, scopes, created_at_ms,"
            " stopped_at_ms, stopped_reason) VALUES (4, 'c', '', 'n', '[]', '', 0, 9, 'spam')",
            "tokens (id, token_hash, application_id, scopes, account_counter, created_at_ms)"
            " VALUES (5, '', 4, '', 0, 0)",
        ):
            connection.execute(text(f"INSERT INTO {row}"))
    migrate(empty_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT sanction_id, text FROM appeals")).all() == [(2, "why")]
        kept = "SELECT id, account_id, application_id, standing, reason, decided_at_ms FROM sanctions ORDER BY id"
        assert connection.execute(text(kept)).all() == [
            (2, 1, None, "suspended", "", 0),
            (4, None, 4, "stopped", "spam", 9),
        ]
        assert connection.execute(text("SELECT id FROM tokens")).scalars().all() == [5]
    engine.dispose()


def test_who_was_there_is_found_by_name_and_follows_as_before(empty_url: str) -> None:
    engine = _at(empty_url, "0008")
    people = (
        "accounts (id, username, username_folded, display_name, created_at_ms)"
        " VALUES (1, 'Ann_A', 'ann_a', 'José  ÅKE!', 0), (2, 'b', 'b', '', 0)"
    )
    with engine.begin() as connection:
        for rows in (people, "follows (follower_id, followee_id, created_at_ms) VALUES (1, 2, 0)"):
            connection.exec_driver_sql(f"INSERT INTO {rows}")
    migrate(empty_url)
    with engine.connect() as connection:
        words = "SELECT account_id, word FROM account_words ORDER BY account_id, word"
        assert connection.execute(text(words)).all() == [(1, "ake"), (1, "ann_a"), (1, "jose"), (2, "b")]
        follows = "SELECT reblogs, notify, languages FROM follows"
        assert connection.execute(text(follows)).all() == [(True, False, None)]
    engine.dispose()


def test_tags_and_conversations_of_posts_that_were_there_are_found(empty_url: str) -> None:
    engine = _at(empty_url, "0013")
    posts = (
        "posts (id, account_id, conversation_id, visibility, source, html, mentions, tags, created_at_ms) VALUES"
        " (10, 1, 10, 'public', '', '', '[2]', '[\"a\", \"b\"]', 0),"
        " (11, 1, 11, 'direct', '', '', '[2, 7]', '[\"a\"]', 0), (12, 2, 11, 'direct', '', '', '[1]', '[]', 0)"
    )
    people = "accounts (id, username, username_folded, created_at_ms) VALUES (1, 'a', 'a', 0), (2, 'b', 'b', 0)"
    with engine.begin() as connection:
        for rows in (people, posts):
            connection.exec_driver_sql(f"INSERT INTO {rows}")
    migrate(empty_url)
    with engine.connect() as connection:
        tags = "SELECT name, post_id, account_id, listed FROM post_tags ORDER BY name"
        assert connection.execute(text(tags)).all() == [("a", 10, 1, True), ("b", 10, 1, True)]
        said = "SELECT account_id, conversation_id, last_post_id FROM conversations ORDER BY account_id"
        assert connection.execute(text(said)).all() == [(1, 11, 12), (2, 11, 12)]
    engine.dispose()


def test_posts_that_were_there_are_labelled_by_a_job_not_by_the_migration(empty_url: str) -> None:
    """tests/posts/test_labelling.py shows that it does."""
    engine = _at(empty_url, "0020")
    posts = (
        "posts (id, account_id, conversation_id, visibility, source, html, mentions, tags, created_at_ms) VALUES"
        " (10, 1, 10, 'public', '', '', '[2, 3]', '[]', 0)"
    )
    people = "accounts (id, username, username_folded, created_at_ms) VALUES (1, 'a', 'a', 0)"
    row = (fts5_row if engine.dialect.name == "sqlite" else tsvector_row)(["tea"], ["post"])
    with engine.begin() as connection:
        for rows in (people, posts):
            connection.exec_driver_sql(f"INSERT INTO {rows}")
        value = ":words" if engine.dialect.name == "sqlite" else "CAST(:words AS tsvector)"
        connection.execute(text(f"INSERT INTO post_words (post_id, words) VALUES (10, {value})"), {"words": row})
        before = connection.execute(text("SELECT post_id, words FROM post_words")).all()
    started_ms = unix_ms()
    migrate(empty_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT post_id, words FROM post_words")).all() == before
        (job,) = connection.execute(select(jobs)).all()
        assert (job.queue, job.kind, job.payload, job.attempts) == (LABEL_NAMED, LABEL_NAMED, {}, 0)
        # The version before ends within a minute of a reload.
        assert job.run_at_ms > started_ms + 60_000
    engine.dispose()


def test_a_new_database_has_nothing_to_be_labelled(empty_url: str) -> None:
    migrate(empty_url)
    engine = create_engine(empty_url)
    with engine.connect() as connection:
        assert connection.execute(select(jobs)).all() == []
    engine.dispose()


def test_what_was_reported_before_is_kept_from_now_on(empty_url: str) -> None:
    engine = _at(empty_url, "0018")
    people = "accounts (id, username, username_folded, created_at_ms) VALUES (1, 'a', 'a', 0)"
    reports = (
        "reports (id, target_id, post_ids, category, comment, created_at_ms, changed_at_ms) VALUES"
        " (5, 1, '[10, 11, 10]', 'spam', '', 0, 0), (6, 1, '[]', 'spam', '', 0, 0)"
    )
    with engine.begin() as connection:
        for rows in (people, reports):
            connection.exec_driver_sql(f"INSERT INTO {rows}")
    migrate(empty_url)
    with engine.connect() as connection:
        kept = "SELECT report_id, post_id FROM reported_posts ORDER BY post_id"
        assert connection.execute(text(kept)).all() == [(5, 10), (5, 11)]
    engine.dispose()


def _at(url: str, revision: str) -> Engine:
    """A database as a version left it."""
    made = url if url.startswith("sqlite") else url.replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(made)
    with engine.begin() as connection:
        command.upgrade(config(connection), revision)
    return engine
