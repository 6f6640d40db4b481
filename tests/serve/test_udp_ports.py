"""What a firewall is told is what is used: each stage process binds within its own share of the UDP ports."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import psutil
import pytest
import pytest_asyncio
from tests.serve.moot import Moot, Talk, sentence_of
from tests.stage.peers import until
from tests.support.server import Server, running_server

from folkmoot.settings import UDP_PORTS_PER_STAGE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
]
# Below what Linux hands out by itself (32768 and up), so that nobody else is in it by chance.
PORTS = range(21_000, 21_000 + 2 * UDP_PORTS_PER_STAGE + 7)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("ports") / "data"
    with running_server(data, udp_ports=f"{PORTS[0]}-{PORTS[-1]}") as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def moot(server: Server) -> AsyncIterator[Moot]:
    made = Moot(server)
    yield made
    await made.close()


def bound(server: Server) -> list[set[int]]:
    """The UDP ports of each stage process."""
    found = []
    for stage in server.stages():
        with suppress(psutil.NoSuchProcess):  # it has ended since it was listed
            connections = stage.net_connections("udp")
            found.append({one.laddr.port for one in connections if one.type == socket.SOCK_DGRAM})
    return found


async def test_stages_share_the_range_and_one_too_many_is_refused(moot: Moot, server: Server) -> None:
    first = await Talk.begin(await moot.person("hana"), await moot.person("rosa"), "First")
    second = await Talk.begin(await moot.person("vera"), await moot.person("walt"), "Second")
    one, other = bound(server)
    assert len(one) >= 2
    assert len(other) >= 2
    assert one | other <= set(PORTS)
    assert not {(port - PORTS[0]) // UDP_PORTS_PER_STAGE for port in one} & {
        (port - PORTS[0]) // UDP_PORTS_PER_STAGE for port in other
    }

    third = await moot.person("xena")
    refused = await third.http.post("/api/folkmoot/v1/spaces", json={"title": "Third", "start": True})
    assert sentence_of(refused, 503) == "server_full"
    await first.host.tell(first.space, "end")
    await until(lambda: len(bound(server)) == 1)
    space = await third.open_space("Third")
    await third.speak(space, 660)
    await until(lambda: len(bound(server)) == 2)
    assert set().union(*bound(server)) <= set(PORTS)
    await until(second.both_hear)
