"""A suspension ends by the clock while the worker is killed again and again: its letter comes, and comes once."""

import asyncio
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from tests.support.mail import mail_server
from tests.support.server import Server, running_server
from tests.support.waiting import eventually

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

        def written() -> list[str]:
            return [str(letter["Subject"]) for letter in mail.letters]

        settings: dict[str, Any] = {"smtp_host": "127.0.0.1", "smtp_port": str(mail.port), "smtp_security": "none"}
        with running_server(tmp_path / "data", mail_from="moot@moot.example", **settings) as server:
            await asyncio.to_thread(server.token, "mara")
            await confirm_email(server)
            until = (datetime.now(UTC) + timedelta(seconds=LASTS_S)).isoformat()
            await asyncio.to_thread(server.admin, "suspend", "mara", "--reason", "rule 3", "--until", until)
            await eventually(lambda: len(written()) >= 1)  # the second may have come by now
            await asyncio.to_thread(kill_worker, server)
            await eventually(lambda: len(written()) >= 2)
            await asyncio.to_thread(kill_worker, server)
            await asyncio.to_thread(server.admin, "limit", "mara", "--reason", "rule 3")
            await eventually(lambda: "Your account @mara was limited" in written())
            assert written() == [
                "Your account @mara was suspended",
                "Your account @mara is no longer suspended",
                "Your account @mara was limited",
            ]
