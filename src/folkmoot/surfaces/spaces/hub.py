"""Wakes the open event streams of a Space. It says only *that* something changed: a stream then asks the gate."""

import asyncio
from collections import defaultdict

WAITING_MAX = 32


class Hub:
    """In the web process: from the events of the bus to the streams that are open here."""

    def __init__(self) -> None:
        self._inboxes: dict[int, set[asyncio.Queue[str]]] = defaultdict(set)

    def subscribe(self, space_id: int) -> "asyncio.Queue[str]":
        inbox: asyncio.Queue[str] = asyncio.Queue(WAITING_MAX)
        self._inboxes[space_id].add(inbox)
        return inbox

    def unsubscribe(self, space_id: int, inbox: "asyncio.Queue[str]") -> None:
        self._inboxes[space_id].discard(inbox)
        if not self._inboxes[space_id]:
            del self._inboxes[space_id]

    def followed(self) -> set[int]:
        """The Spaces with an open stream."""
        return set(self._inboxes)

    def tell(self, space_id: int, word: str) -> None:
        """Put a word ("changed", "tape_full") into every inbox; a reader that is behind hears of it once anyway."""
        for inbox in self._inboxes.get(space_id, ()):
            if not inbox.full():
                inbox.put_nowait(word)
