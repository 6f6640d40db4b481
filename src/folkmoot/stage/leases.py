"""What a stage needs to know of leases: something that is held while a seat is connected, and ends it."""

from collections.abc import Callable, Sequence
from typing import Protocol

from folkmoot.stage.protocol import Stamp


class LeaseOver(Exception):
    """A stamp is out of date already: the right has ended. The message is a sentence for the person it concerns."""


class Handle(Protocol):
    """A lease that is held."""

    def release(self) -> None:
        """The seat is gone by itself; nothing needs to end any more. Idempotent."""


class LeaseHolder(Protocol):
    """The leases of this process; injected by the wiring, because a stage knows no accounts and no database."""

    def hold(self, stamps: Sequence[Stamp], on_end: Callable[[str], None]) -> Handle:
        """Holds a lease under these (subject, counter) stamps. Called on the stage's event loop.

        `on_end(subject)` is called at most once, when the right ends; any thread may call it. Raises LeaseOver.
        """

    async def follow(self) -> None:
        """Hears which rights end, on the stage's event loop, until it is cancelled."""
