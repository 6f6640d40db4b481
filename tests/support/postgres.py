"""A private PostgreSQL cluster for one test process, made from Debian's binaries and gone with the process."""

import asyncio
import os
import re
import select
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from tests.support.waiting import wait_until

_HOW_TO_INSTALL = (
    "PostgreSQL is not installed, and every storage test runs on it too: run scripts/install-system-packages"
)
# What is lost when the machine loses power does not matter to a test.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "200",
    "autovacuum": "off",
}


class Kept(psycopg.AsyncConnection[Any]):
    """A connection that who closes it leaves to the next who opens one: a new one has yet to learn what a hundred
    tables are and how they are asked, which takes longer than most tests."""

    _idle: ClassVar[dict[str, list["Kept"]]] = {}
    _idle_max = 8
    _whereto = ""

    @classmethod
    async def take(cls, conninfo: str = "", **options: Any) -> "Kept":
        """One that is still there, or a new one."""
        whereto = repr((conninfo, sorted((name, value) for name, value in options.items() if name != "context")))
        idle = cls._idle.setdefault(whereto, [])
        while idle:
            kept = idle.pop()
            if not select.select([kept.fileno()], [], [], 0)[0]:  # else the server has said that it is over
                kept.lock = asyncio.Lock()  # the event loop may be another
                return kept
            await psycopg.AsyncConnection.close(kept)
        made = await cls.connect(conninfo, **options)
        made._whereto = whereto
        return made

    async def close(self) -> None:
        idle = self._idle.setdefault(self._whereto, [])
        if self.closed or self.info.transaction_status is TransactionStatus.ACTIVE or len(idle) >= self._idle_max:
            await super().close()
            return
        try:
            await self.rollback()
            await self.set_isolation_level(None)
            await self.set_read_only(None)
            await self.set_autocommit(False)
        except psycopg.Error:
            await super().close()
        else:
            idle.append(self)

    @classmethod
    def pids(cls) -> list[int]:
        """Of the server's processes behind those that nobody has taken."""
        return [kept.info.backend_pid for idle in cls._idle.values() for kept in idle]

    @classmethod
    def end(cls) -> None:
        for idle in cls._idle.values():
            for kept in idle:
                kept.pgconn.finish()
        cls._idle.clear()


class Cluster:
    """Makes databases, and empties one for the next test: 2 ms instead of the 20 to 200 of making one."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._admin = psycopg.connect(self._conninfo("postgres"), autocommit=True)
        self._made = 0
        # Kept open: a connection that has yet to learn what a hundred tables are is slower than to empty them.
        self._emptying: dict[str, psycopg.Connection[Any]] = {}

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@/{name}?host={self._directory}"

    def create(self) -> str:
        """Make a database without a table; it goes with the cluster."""
        self._made += 1
        name = f"test_{self._made}"
        self._admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name

    def empty(self, name: str, tables: Iterable[str]) -> None:
        """Delete every row, begin all numbers anew, and end what a test left open there."""
        try:
            self._empty(self._connected(name), tables)
        except psycopg.OperationalError:  # a test ended every connection, also this one
            del self._emptying[name]
            self._empty(self._connected(name), tables)

    def _connected(self, name: str) -> "psycopg.Connection[Any]":
        if name not in self._emptying:
            self._emptying[name] = psycopg.connect(self._conninfo(name), autocommit=True)
            # Without triggers, so that the order of the tables does not matter.
            self._emptying[name].execute("SET session_replication_role = replica")
        return self._emptying[name]

    def _empty(self, connection: "psycopg.Connection[Any]", tables: Iterable[str]) -> None:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid <> ALL(%s)",
            [Kept.pids()],
        )
        connection.execute(
            sql.SQL("; ").join(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for table in tables)
        )
        connection.execute("SELECT setval(seqrelid, 1, false) FROM pg_sequence")

    def close(self) -> None:
        Kept.end()
        for connection in self._emptying.values():
            connection.close()
        self._admin.close()

    def _conninfo(self, name: str) -> str:
        return f"host={self._directory} user=postgres dbname={name}"


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Start a cluster on a unix socket in a directory of its own; stop and remove it at the end."""
    binaries = _binaries()
    directory = Path(tempfile.mkdtemp(prefix="folkmoot-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(directory, "postgres", "postgres")
        _initialise(binaries, directory)
        with _server(binaries, directory):
            cluster = Cluster(directory)
            try:
                yield cluster
            finally:
                cluster.close()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _binaries() -> Path:
    found = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "postgres").exists()]
    if not found:
        raise RuntimeError(_HOW_TO_INSTALL)
    return max(found, key=lambda path: int(re.sub(r"\D", "", path.parent.name) or 0))


def _as_postgres() -> list[str]:
    """PostgreSQL refuses to run as root; and the server must not outlive a test process that was killed."""
    who = ["--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    return ["setpriv", *who, "--pdeathsig=INT", "--"]


def _initialise(binaries: Path, directory: Path) -> None:
    subprocess.run(
        [
            *_as_postgres(),
            str(binaries / "initdb"),
            "--pgdata",
            str(directory / "data"),
            "--username",
            "postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        ],
        check=True,
        cwd="/",
        stdout=subprocess.DEVNULL,
    )


@contextmanager
def _server(binaries: Path, directory: Path) -> Iterator[None]:
    options = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
    with (directory / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *_as_postgres(),
                str(binaries / "postgres"),
                "-D",
                str(directory / "data"),
                "-k",
                str(directory),
                *options,
            ],
            cwd="/",
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: process.poll() is not None or _answers(directory))
        if process.poll() is not None:
            raise RuntimeError((directory / "server.log").read_text())
        yield
    finally:
        # "Fast shutdown": closes connections that a failed test left open.
        process.send_signal(2)
        process.wait(timeout=30)


def _answers(directory: Path) -> bool:
    try:
        psycopg.connect(f"host={directory} user=postgres dbname=postgres").close()
    except psycopg.OperationalError:
        return False
    return True
