"""Whose turn it is, and who has to go: connections that do nothing but note it."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from tests.support.waiting import eventually

from folkmoot.audience.entrance import Entrance


class Connection:
    def __init__(self, entrance: Entrance, address: str = "127.0.0.1", served: list[object] | None = None) -> None:
        self.address = address
        self.aborted = False
        self._entrance = entrance
        self._served = served if served is not None else []

    def turn(self) -> None:
        self._served.append(self)

    def abort(self) -> None:
        self.aborted = True
        self._entrance.leave(self)


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=60))
def test_the_number_of_those_who_wait_is_bounded(steps: list[tuple[int, bool]]) -> None:
    entrance = Entrance(half_open_max=8, per_address_max=3)
    waiting: list[Connection] = []
    for address, comes in steps:
        if comes or not waiting:
            waiting.append(Connection(entrance, f"192.0.2.{address}"))
            entrance.wait(waiting[-1])
        else:
            entrance.leave(waiting.pop(0))
        waiting = [connection for connection in waiting if not connection.aborted]
        assert len(entrance) == len(waiting) <= 8
        for number in range(4):
            assert sum(connection.address == f"192.0.2.{number}" for connection in waiting) <= 3
    for connection in waiting:
        entrance.leave(connection)
    assert len(entrance) == 0


async def test_who_is_nearly_through_comes_first() -> None:
    entrance, served = Entrance(), list[object]()
    first, last = Connection(entrance, served=served), Connection(entrance, served=served)
    entrance.ask_for_turn(first, is_last=False)
    entrance.ask_for_turn(last, is_last=True)
    await eventually(lambda: len(served) == 2)
    assert served == [last, first]


async def test_one_that_fails_keeps_nobody_from_their_turn() -> None:
    class Failing(Connection):
        def turn(self) -> None:
            raise ValueError("something nobody thought of")

    entrance, served = Entrance(), list[object]()
    failing, other = Failing(entrance), Connection(entrance, served=served)
    entrance.ask_for_turn(failing, is_last=False)
    entrance.ask_for_turn(other, is_last=False)
    await eventually(lambda: served == [other])
    assert failing.aborted


async def test_others_are_served_between_stretches() -> None:
    entrance, served = Entrance(stretch_s=0.0), list[object]()
    for _ in range(5):
        entrance.ask_for_turn(Connection(entrance, served=served), is_last=False)
    between = []
    while len(served) < 5:
        between.append(len(served))
        await asyncio.sleep(0)
    assert len(set(between)) > 1, "the loop ran meanwhile"
