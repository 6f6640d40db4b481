"""Notifications and pushes of a whole server whose worker is killed again and again: each thing is told once."""

import asyncio
import signal
import time
from pathlib import Path

import httpx
import pytest
from tests.support.push_service import Browser, push_service
from tests.support.server import Server, running_server
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.slow
SAID, KILLED = 30, 2


def kill_worker(server: Server) -> None:
    worker = server.children().get("worker")
    if worker is not None:
        worker.send_signal(signal.SIGKILL)


async def test_everything_is_told_once_though_the_worker_dies(tmp_path: Path) -> None:
    browser = Browser()
    with running_server(tmp_path / "data", push_to_private_networks="true") as server:
        alice, bob = server.token("alice"), server.token("bob")
        of = {"alice": {"Authorization": f"Bearer {alice}"}, "bob": {"Authorization": f"Bearer {bob}"}}
        async with (
            push_service() as service,
            httpx.AsyncClient(base_url=server.base_url, timeout=PATIENCE_S) as http,
        ):
            where = {"endpoint": service.url, "keys": browser.keys, "standard": True}
            asked = {"subscription": where, "data": {"alerts": {"mention": True}}}
            made = await http.post("/api/v1/push/subscription", json=asked, headers=of["alice"])
            assert made.status_code == 200, made.text
            for number in range(SAID):
                said = await http.post("/api/v1/statuses", json={"status": f"@alice {number}"}, headers=of["bob"])
                assert said.status_code == 200, said.text
                if number % (SAID // KILLED) == 5:
                    await asyncio.to_thread(kill_worker, server)
            told: list[str] = []
            until_s = time.monotonic() + PATIENCE_S
            while len(told) < SAID and time.monotonic() < until_s:
                await asyncio.sleep(0.2)
                found = await http.get("/api/v1/notifications", params={"limit": 80}, headers=of["alice"])
                told = [one["status"]["id"] for one in found.json()]
            assert (len(told), len(set(told))) == (SAID, SAID)
            while len(service.came) < SAID - KILLED and time.monotonic() < until_s:
                await asyncio.sleep(0.1)
            pushed = {browser.open(body)["notification_id"] for _, body in service.came}
            # Some may have come twice, and a push that died with its worker comes when its lease is over.
            assert SAID - KILLED <= len(pushed) <= SAID
