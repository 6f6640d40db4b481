"""Who is in the middle of a TLS handshake, and whose turn it is: bounded in number, in time and in what the event
loop spends on it at a stretch. A handshake costs a third of a millisecond; thousands may begin at once.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections import deque
from typing import Protocol

from folkmoot.audience.limiter import network_of

HALF_OPEN_MAX = 10_000  # 25 KB each, once they have said something
HALF_OPEN_PER_ADDRESS_MAX = 400
TURNS_WAITING_MAX = 20_000
STRETCH_S = 0.002
ACCEPTS = 8

logger = logging.getLogger(__name__)


class Handshaking(Protocol):
    """A connection whose handshake isn't over."""

    address: str

    def turn(self) -> None:
        """Goes on with what has arrived."""

    def abort(self) -> None:
        """Ends the connection without a word."""


class Entrance:
    """What handshakes share. Whoever waits for the client can be made to leave; whoever waits for us is served.

    Of too many half-open ones the one goes that has waited for its client longest: someone who really comes in
    answers within a round trip, so it is those who never meant to.
    """

    def __init__(
        self,
        *,
        half_open_max: int = HALF_OPEN_MAX,
        per_address_max: int = HALF_OPEN_PER_ADDRESS_MAX,
        stretch_s: float = STRETCH_S,
    ) -> None:
        self._half_open_max = half_open_max
        self._per_address_max = per_address_max
        self._stretch_s = stretch_s
        self._waiting: dict[Handshaking, None] = {}  # for their clients, longest first
        self._by_address: dict[str, dict[Handshaking, None]] = {}
        self._first_turns: deque[Handshaking] = deque()
        self._last_turns: deque[Handshaking] = deque()
        self._runs = False

    def __len__(self) -> int:
        return len(self._waiting)

    def wait(self, connection: Handshaking) -> None:
        """It has had its turn, and waits for its client."""
        self._waiting[connection] = None
        alike = self._by_address.setdefault(network_of(connection.address), {})
        alike[connection] = None
        if len(alike) > self._per_address_max:
            next(iter(alike)).abort()
        elif len(self._waiting) > self._half_open_max:
            next(iter(self._waiting)).abort()

    def leave(self, connection: Handshaking) -> None:
        """It waits no more."""
        if connection not in self._waiting:
            return
        del self._waiting[connection]
        network = network_of(connection.address)
        del self._by_address[network][connection]
        if not self._by_address[network]:
            del self._by_address[network]

    def ask_for_turn(self, connection: Handshaking, *, is_last: bool) -> None:
        """Something has arrived. Who is about to be through comes before who only begins."""
        if len(self._first_turns) >= TURNS_WAITING_MAX and not is_last:
            connection.abort()
            return
        (self._last_turns if is_last else self._first_turns).append(connection)
        if not self._runs:
            self._runs = True
            asyncio.get_running_loop().call_soon(self._serve)

    def _serve(self) -> None:
        until_s = time.perf_counter() + self._stretch_s
        while self._last_turns or self._first_turns:
            connection = (self._last_turns or self._first_turns).popleft()
            try:
                connection.turn()
            except Exception:
                # Whatever it was: the others' turns come all the same.
                logger.exception("a handshake failed")
                connection.abort()
            if time.perf_counter() > until_s:
                asyncio.get_running_loop().call_soon(self._serve)  # others' requests come in between
                return
        self._runs = False


def wider(listening: socket.socket) -> list[socket.socket]:
    """The same listening socket several times, for `uvicorn.Server.serve`.

    libuv accepts one connection in each turn of the loop: while turns are long because many come in, some hundreds
    a second at most, and the kernel resets the others once its queue has been full for a few seconds.
    """
    return [listening, *(listening.dup() for _ in range(ACCEPTS - 1))]
