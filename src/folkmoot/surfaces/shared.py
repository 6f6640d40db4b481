"""What is found out for nobody in particular: once for all who ask within a moment."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

import msgspec

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")
SHARED_S = 0.02


class _Asked(msgspec.Struct, Generic[Answer], frozen=True):
    answer: asyncio.Task[Answer]
    at_s: float


class Shared(Generic[Key, Answer]):
    """Those who ask the same within SHARED_S share an answer: it holds for each as if they had come with the first.
    That is no cache around the gate, which is asked as often as anything can have changed since."""

    def __init__(self) -> None:
        self._asked: dict[Key, _Asked[Answer]] = {}

    async def get(self, key: Key, find: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        """What `find` finds. Raises what it raises."""
        loop = asyncio.get_running_loop()
        asked = self._asked.get(key)
        if asked is None or loop.time() - asked.at_s >= SHARED_S:
            asked = _Asked(loop.create_task(find()), loop.time())
            self._asked[key] = asked
            loop.call_later(SHARED_S, self._forget, key, asked)
        return await asyncio.shield(asked.answer)

    def _forget(self, key: Key, asked: _Asked[Answer]) -> None:
        if self._asked.get(key) is asked:
            del self._asked[key]
