"""A suspension ends by the clock while the worker is killed again and again: its letter comes, and comes once."""

import asyncio
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from tests.support.mail import mail_server
from tests.support.server import Server, running_server
from tests.support.waiting import PATIENCE_S

from folkmoot.storage.database import Database, Write
from folkmoot.storage.tables.people import credentials

pytestmark = pytest.mark.slow
LASTS_S = 2.0


def kill_worker(server: Server) -> None:
    worker = server.children().get("worker")
    if worker is not None:
        worker.send_signal(signal.SIGKILL)


async def confirm_email(server: Server) -> None:
    async def work(tx: Write) -> None:
        await tx.connection.execute(
            update(credentials).values(email="mara@mail.example", email_confirmed_at_ms=tx.now_ms)
        )

    database = Database(f"sqlite+aiosqlite:///{server.data}/folkmoot.db", slot=62)
    await database.write(work)
    await database.close()


async def test_back_in_is_written_once_though_the_worker_dies(tmp_path: Path) -> None:
    async with mail_server() as mail:
        settings = {"smtp_host": "127.0.0.1", "smtp_port": str(mail.port), "smtp_security": "none"}
        with running_server(tmp_path / "data", mail_from="moot@moot.example", **settings) as server:
            await asyncio.to_thread(server.token, "mara")
            await confirm_email(server)
            until = (datetime.now(UTC) + timedelta(seconds=LASTS_S)).isoformat()
            await asyncio.to_thread(server.admin, "suspend", "mara", "--reason", "rule 3", "--until", until)
            subjects: list[str] = []
            give_up_s = time.monotonic() + PATIENCE_S
            while len(subjects) < 2 and time.monotonic() < give_up_s:
                await asyncio.to_thread(kill_worker, server)
                await asyncio.sleep(1.5)
                subjects = [str(letter["Subject"]) for letter in mail.letters]
            await asyncio.to_thread(kill_worker, server)
            await asyncio.sleep(1.0)
            assert [str(letter["Subject"]) for letter in mail.letters] == [
                "Your account @mara was suspended",
                "Your account @mara is no longer suspended",
            ]
