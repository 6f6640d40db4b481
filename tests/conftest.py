"""Fixtures that every room's tests share. `database` runs a test on SQLite; in `make test` on PostgreSQL too."""

import gc
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Compiled, Dialect, create_engine
from tests.support.clock import FakeClock
from tests.support.postgres import Cluster, running_cluster

from folkmoot.storage.database import Database
from folkmoot.storage.tables import metadata


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files of each folder evenly among the others, so that browsers and whole servers run beside tests that
    need no more than their process, and not all at once."""
    folders: dict[Path, list[Path]] = {}
    for item in items:
        files = folders.setdefault(item.path.parent, [])
        if item.path not in files:
            files.append(item.path)
    place = {file: at / len(files) for files in folders.values() for at, file in enumerate(files)}
    items.sort(key=lambda item: place[item.path])


def pytest_collection_finish() -> None:
    # Thousands of tests and all that they import are there to stay: not looked through again and again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 20)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """One cluster for each test process (under xdist: for each worker), started by the first test that asks."""
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def postgres_name(postgres: Cluster) -> str:
    """One database with all tables for the tests of this process, which get it in turn."""
    name = postgres.create()
    _build(postgres.url(name))
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "folkmoot.db"
    _build(f"sqlite:///{path}")
    return path


def _build(url: str) -> None:
    # Not the migrations: they are slower, and storage/test_migrations.py shows that they end at the same tables.
    engine = create_engine(url)
    metadata.create_all(engine)
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database with all tables; also for tests that open it in several processes."""
    if request.param == "sqlite":
        path = tmp_path / "folkmoot.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    name: str = request.getfixturevalue("postgres_name")
    yield cluster.url(name)
    cluster.empty(name, metadata.tables)


@pytest.fixture
async def database(database_url: str, clock: FakeClock) -> AsyncIterator[Database]:
    """A `Database` on the test's `clock`."""
    database = Database(database_url, clock_ms=clock)
    await _share_statements(database)
    yield database
    await database.close()


_DIALECTS: dict[str, Dialect] = {}
_STATEMENTS: dict[Any, Compiled] = {}


async def _share_statements(database: Database) -> None:
    """A statement is compiled once for all tests of this process: that takes longer than to run it."""
    engine = database.engine.sync_engine
    if engine.dialect.name not in _DIALECTS:
        async with database.read():  # it learns which version it talks to
            _DIALECTS[engine.dialect.name] = engine.dialect
    engine.dialect = _DIALECTS[engine.dialect.name]
    engine.update_execution_options(compiled_cache=_STATEMENTS)
