"""Counts the answers of the web process by route and status, and how long each took to begin: an ASGI application
in front of the others, so that what they refuse is counted, too."""

import time
from bisect import bisect_left
from collections import Counter
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

BEGAN_WITHIN_MS: Final = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000)
UNKNOWN: Final = "none"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestCounts:
    """Since the process started. `answers` by (method, route, status); `began` by BEGAN_WITHIN_MS and above."""

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, str, int]] = Counter()
        self.began = [0] * (len(BEGAN_WITHIN_MS) + 1)
        self.waited_s = 0.0

    def add(self, method: str, route: str, status: int, after_s: float) -> None:
        """What a client made up is not kept: neither its methods nor its paths."""
        self.answers[method if method in _METHODS else UNKNOWN, route, status] += 1
        self.began[bisect_left(BEGAN_WITHIN_MS, after_s * 1000)] += 1
        self.waited_s += after_s


class Counted:
    """Counts into `counts` what `app` answers."""

    def __init__(self, app: ASGIApp, counts: RequestCounts) -> None:
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        began_s = time.monotonic()

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                # Litestar leaves it there when it has found the route.
                route = str(scope.get("path_template") or UNKNOWN)
                self._counts.add(str(scope["method"]), route, message["status"], time.monotonic() - began_s)
            await send(message)

        await self._app(scope, receive, counting)
