"""Fixtures that every room's tests share. `database` runs a test on SQLite; in `make test` on PostgreSQL too."""

import gc
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import URL, Compiled, Connection, Dialect, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.clock import FakeClock
from tests.support.postgres import Cluster, Kept, running_cluster

from folkmoot.storage import database as storage
from folkmoot.storage.database import Database
from folkmoot.storage.sqlite import open_file
from folkmoot.storage.tables import metadata

_MEMORY = Path("/dev/shm")
_MEMORY_BYTES_MIN = 4 << 30


def pytest_configure() -> None:
    """What tests write lies in memory, where there is room: they wait for no disk, and nothing of it is to stay."""
    if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK):
        there = os.statvfs(_MEMORY)
        runs_programs = not there.f_flag & os.ST_NOEXEC
        if runs_programs and there.f_bavail * there.f_frsize > _MEMORY_BYTES_MIN:
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))  # pytest's name for where tmp_path is


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


def pytest_sessionfinish() -> None:
    # Pytest looks five times for what failed unseen; what is left after the first time tells nothing more.
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _logs_as_they_are() -> Iterator[None]:
    """`folkmoot admin` sets them up. Run in this process, all tests that come later would have what it did."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("folkmoot.serve.admin.logs", SimpleNamespace(configure=lambda _level: None))
        yield


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
    open_file(
        str(path)
    ).close()  # turns it into one with a write-ahead log: each copy would wait for the disk for it
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


@pytest.fixture(scope="session", autouse=True)
def _learnt_once() -> Iterator[None]:
    """What one database of this process has learnt is there for all: statements are compiled once, the server is
    asked once who it is, connections to PostgreSQL are kept. Each takes longer than most tests."""
    make = storage._engine
    dialects: dict[str, Dialect] = {}
    statements: dict[Any, Compiled] = {}

    def share(connection: Connection) -> None:
        # By now it knows which version it talks to.
        known = dialects.setdefault(connection.dialect.name, connection.dialect)
        connection.dialect = connection.engine.dialect = known

    def keep(_dialect: Dialect, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
        options["async_creator_fn"] = Kept.take

    def engine(url: URL, connections_max: int | None) -> AsyncEngine:
        made = make(url, connections_max)
        made.update_execution_options(compiled_cache=statements)
        own = made.sync_engine.dialect
        event.listen(made.sync_engine, "engine_connect", share)
        if own.name == "postgresql":
            event.listen(own, "do_connect", keep)
        if own.name in dialects:
            vars(own)["initialize"] = lambda _connection: None
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "_engine", engine)
        yield
