"""How speakers reach a stage: by IPv6 alone, and at the public address that a router maps to this machine."""

import ipaddress
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aioice.ice
import ifaddr
import pytest
import pytest_asyncio
from aiortc import RTCPeerConnection
from tests.serve.moot import SDP, SPACES, Moot
from tests.serve.test_relay import pair_of
from tests.stage.peers import until
from tests.support.server import Server, running_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("whole-server"),
    pytest.mark.asyncio(loop_scope="module"),
]
# Documentation addresses (RFC 5737, RFC 3849): nobody has them.
PUBLIC = {4: "203.0.113.5", 6: "2001:db8::5"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("addresses") / "data") as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def moot(server: Server) -> AsyncIterator[Moot]:
    made = Moot(server)
    yield made
    await made.close()


def own_addresses(version: int) -> list[str]:
    """This machine's addresses besides the loopback."""
    found = [ip.ip if isinstance(ip.ip, str) else ip.ip[0] for one in ifaddr.get_adapters() for ip in one.ips]
    own = [ipaddress.ip_address(one) for one in found]
    return [str(one) for one in own if one.version == version and not one.is_loopback and not one.is_link_local]


@pytest.mark.parametrize("address", ["::1", *own_addresses(6)])
async def test_speaking_by_ipv6_alone(moot: Moot, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: [address])
    talkers = address.replace(":", "")
    host, guest = await moot.person(f"hana{talkers}"), await moot.person(f"rosa{talkers}")
    space = await host.open_space("By IPv6")
    one = await host.speak(space, 440)
    await guest.tell(space, "ask", recording_consent=True)
    await host.tell(space, "let_up", account=guest.id)
    other = await guest.speak(space, 880)
    await until(lambda: one.hears(880) and other.hears(440))
    for voice in (one, other):
        assert ipaddress.ip_address(pair_of(voice).remote_addr[0]).version == 6
    await host.tell(space, "end")


@pytest.mark.parametrize("version", [4, 6])
async def test_answers_carry_the_public_address_instead_of_ours(tmp_path: Path, version: int) -> None:
    with running_server(tmp_path / "data", public_address=PUBLIC[version], udp_ports="22000-22199") as server:
        moot = Moot(server)
        host = await moot.person("hana")
        space = await host.open_space("Behind a router")
        browser = RTCPeerConnection()
        browser.addTransceiver("audio")
        await browser.setLocalDescription(await browser.createOffer())
        answer = await host.http.post(
            f"{SPACES}/{space['id']}/whip", content=browser.localDescription.sdp, headers=SDP
        )
        await browser.close()
        await moot.close()
    told = re.findall(r"^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", answer.text, re.MULTILINE)
    addresses = {address for address, _ in told}
    assert not addresses & set(own_addresses(version))
    assert addresses >= set(own_addresses(10 - version)), "of the other IP version they are as they were"
    if own_addresses(version):
        assert PUBLIC[version] in addresses
    assert all(22_000 <= int(port) <= 22_199 for _, port in told), "a router forwards ports by number"
