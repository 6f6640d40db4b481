"""What the worker does with events, when a test says so."""

from pathlib import Path

from folkmoot.gate import Gate
from folkmoot.notifications.telling import NAME, Telling
from folkmoot.storage.database import Database
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.events import Follower


def follower(database: Database, doorbells: Path) -> Follower:
    """The one that makes notifications, with a memory of its own."""
    telling = Telling(Gate(database))
    return Follower(
        database, NAME, telling.on_event, doorbell=Doorbell(doorbells), start="stored", reload=telling.missed
    )


async def tell(database: Database, doorbells: Path) -> None:
    """Tell people of everything that has happened."""
    following = follower(database, doorbells)
    while await following.step():
        pass
