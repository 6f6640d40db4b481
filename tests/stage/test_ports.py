"""A range of UDP ports with real peers: those who never finish joining take none from the others."""

import socket
from collections.abc import Callable

import pytest
from tests.stage.peers import Client, has_tone, until
from tests.stage.test_embedded import KeptMix

from folkmoot.stage.embedded import EmbeddedEngine
from folkmoot.stage.ice import IceSettings

pytestmark = pytest.mark.slow
# Below what Linux hands out by itself (32768 and up), so that nobody else is in it by chance.
PORTS = range(23_000, 23_080)
ON_STAGE = 13


def in_use() -> int:
    """How many ports of the range are taken on 127.0.0.1."""
    taken = 0
    for port in PORTS:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                taken += 1
    return taken


async def test_joins_that_never_finish_leave_ports_for_the_others(clients: Callable[..., Client]) -> None:
    mix = KeptMix()
    engine = EmbeddedEngine(IceSettings(ports=PORTS), mix, lambda _: None, lambda: 0)
    hostile = clients(440).connection
    hostile.addTransceiver("audio")
    await hostile.setLocalDescription(await hostile.createOffer())
    for number in range(50):
        await engine.join(1 + number % (ON_STAGE - 1), hostile.localDescription.sdp)
    await until(lambda: in_use() <= ON_STAGE - 1)

    one = clients(880)

    async def answer(sdp: str) -> str:
        return (await engine.join(ON_STAGE, sdp)).sdp

    await one.join(answer)
    await until(lambda: has_tone(mix.last(15), 880))
    assert in_use() == ON_STAGE
    for _ in range(50):
        await engine.join(ON_STAGE, hostile.localDescription.sdp)
    await until(lambda: in_use() <= ON_STAGE + 1)
    assert one.connection.connectionState == "connected"
    assert has_tone(mix.last(15), 880)
    await engine.close()
    assert in_use() == 0
