"""Fixtures that every room's tests share. `database` runs a test on SQLite; in `make test` on PostgreSQL too."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from tests.support.clock import FakeClock
from tests.support.postgres import Cluster, running_cluster

from folkmoot.storage.database import Database
from folkmoot.storage.tables import metadata


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
    yield database
    await database.close()
