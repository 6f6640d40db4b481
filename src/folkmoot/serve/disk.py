"""Watches the room on the disk of the tapes, so that the operator hears of it before talks go unrecorded."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)
LOOK_EVERY_S = 30.0
LOOKS_UNTIL_SAID_AGAIN = 120
ROOM_BYTES_MIN = 2 * 1024**3
HOURS_MIN = 6
# Both codecs with boxes, notes and index: see `folkmoot bench tape`.
SPACE_BYTES_PER_HOUR = 55_000_000


def low_room_sentence(free_bytes: int, live_spaces: int) -> str | None:
    """What the operator should know of the room that is left; None while there is enough."""
    hours = free_bytes / (SPACE_BYTES_PER_HOUR * live_spaces) if live_spaces else float("inf")
    if free_bytes >= ROOM_BYTES_MIN and hours >= HOURS_MIN:
        return None
    left = f"{free_bytes / 1024**3:.1f} GiB"
    until = f", enough for {hours:.1f} hours of the {live_spaces} Spaces that are live" if live_spaces else ""
    return (
        f"Only {left} are free where recordings are kept{until}. When that is used up talks go on unrecorded, and "
        "listeners hear nothing: make room, or move the setting data to a larger disk."
    )


class DiskWatch:
    """Says it in the log when room gets scarce, again every hour, and when there is enough once more."""

    def __init__(self, directory: Path, live_spaces: Callable[[], Awaitable[int]]) -> None:
        self._directory = directory
        self._live_spaces = live_spaces
        self._looks_while_low = 0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                free_bytes = (await asyncio.to_thread(shutil.disk_usage, self._directory)).free
                self.look(free_bytes, await self._live_spaces())
            except Exception:
                # A database that is away is no reason to stop watching the disk.
                log.exception("disk.look_failed")
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self, free_bytes: int, live_spaces: int) -> None:
        sentence = low_room_sentence(free_bytes, live_spaces)
        if sentence is None:
            if self._looks_while_low:
                log.info("disk.room_again", free_bytes=free_bytes)
            self._looks_while_low = 0
            return
        if self._looks_while_low % LOOKS_UNTIL_SAID_AGAIN == 0:
            log.warning("disk.low", sentence=sentence, free_bytes=free_bytes, live_spaces=live_spaces)
        self._looks_while_low += 1
