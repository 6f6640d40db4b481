"""What somebody holds open while they are suspended, and the moment at which it ends."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from tests.serve.moot import Moot
from tests.support.server import Server
from tests.support.waiting import PATIENCE_S

from folkmoot.accounts import queries as accounts
from folkmoot.gate import Acting, Action, Gate
from folkmoot.moderation import actions as moderation
from folkmoot.storage.database import Database
from folkmoot.storage.doorbell import Doorbell

SLOT = 60


class HeldStream:
    """A response without an end, read by a thread of its own until the server ends it."""

    def __init__(self, base_url: str, path: str, token: str) -> None:
        self._url = f"{base_url}{path}"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._opened = threading.Event()
        self._closed = threading.Event()
        self._closed_s = 0.0
        threading.Thread(target=self._read, daemon=True).start()

    def wait_until_open(self) -> None:
        assert self._opened.wait(PATIENCE_S), f"{self._url} did not open"

    def closed_after_ms(self, since_s: float) -> float:
        """How long after `since_s` (monotonic) it was over."""
        assert self._closed.wait(PATIENCE_S), f"{self._url} is still open"
        return (self._closed_s - since_s) * 1000

    def _read(self) -> None:
        try:
            with httpx.stream("GET", self._url, headers=self._headers, timeout=PATIENCE_S) as answer:
                for _ in answer.iter_raw():
                    self._opened.set()
        except httpx.TransportError:
            pass  # A reset: the end that a listener gets.
        self._closed_s = time.monotonic()
        self._closed.set()


def suspend_all(data_directory: Path, usernames: list[str]) -> float:
    """Suspend them one after another, as a moderator's program would; when (monotonic) the last was committed."""
    # In a thread: the browsers' driver has a loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, _suspend_all(data_directory, usernames)).result()


def sign_in_guests(server: Server, count: int) -> dict[str, str]:
    """Tokens by username: guest0 and so on, whom nobody needs to see sign up."""

    async def make() -> list[str]:
        moot = Moot(server)
        try:
            return await moot.crowd("guest", count)
        finally:
            await moot.close()

    with ThreadPoolExecutor(1) as pool:
        tokens = pool.submit(asyncio.run, make()).result()
    return {f"guest{number}": token for number, token in enumerate(tokens)}


async def _suspend_all(data_directory: Path, usernames: list[str]) -> float:
    doorbell = Doorbell(data_directory / "run" / "doorbells")
    database = Database(f"sqlite+aiosqlite:///{data_directory}/folkmoot.db", slot=SLOT, ring=doorbell.ring)
    gate = Gate(database)
    try:
        async with database.read() as read:
            found = [await accounts.by_username(read, username) for username in usernames]
        for account in found:
            assert account is not None
            await _suspend(gate, account.id)
        return time.monotonic()
    finally:
        await database.close()


async def _suspend(gate: Gate, account_id: int) -> None:
    async def work(acting: Acting) -> None:
        await moderation.suspend(acting, account_id, reason="a link to an address")

    await gate.act(gate.permit_system(Action.MODERATE, "the story"), work)
