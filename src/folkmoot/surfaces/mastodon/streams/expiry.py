"""A token that ends by the clock ends what it opened: nothing is told of it, so that somebody has to look."""

import asyncio
from collections.abc import Callable

from folkmoot.gate import Viewer
from folkmoot.surfaces.services import Services

_LONGEST_S = 86_400.0
"""Loops don't like to wait for months."""


def when_over(services: Services, viewer: Viewer, end: Callable[[], None]) -> Callable[[], None]:
    """Call `end` when the viewer's credential is over. Returns what calls that off."""
    if viewer.expires_at_ms is None:
        return lambda: None
    loop = asyncio.get_running_loop()
    expires_at_ms = viewer.expires_at_ms
    waiting: list[asyncio.TimerHandle] = []

    def look() -> None:
        left_s = (expires_at_ms - services.clock_ms()) / 1000
        waiting.clear()
        if left_s <= 0:
            end()
        else:
            waiting.append(loop.call_later(min(left_s, _LONGEST_S), look))

    def call_off() -> None:
        for one in waiting:
            one.cancel()

    look()
    return call_off
