"""Waiting for a condition instead of sleeping and hoping."""

import asyncio
import time
from collections.abc import Callable

# For what comes by itself: it costs nothing where it comes soon, and a starved machine needs it. What is promised
# to people is measured and compared by the test that says so.
PATIENCE_S = 60.0


def wait_until(condition: Callable[[], bool], *, timeout_s: float = PATIENCE_S) -> None:
    """Block until the condition holds; raises TimeoutError."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("The condition did not come true in time.")
        time.sleep(0.005)


async def eventually(condition: Callable[[], bool], *, timeout_s: float = PATIENCE_S) -> None:
    """Let the event loop run until the condition holds; raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.002)
