"""How speakers reach a stage: by IPv6 alone, and at the public address that a router maps to this machine."""

import ipaddress
import subprocess
import sys
from pathlib import Path

import aioice.ice
import ifaddr
import pytest
from tests.serve.moot import Moot
from tests.serve.test_relay import pair_of
from tests.stage.peers import until
from tests.support.house import PLANS
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.slow


def own_addresses(version: int) -> list[str]:
    """This machine's addresses besides the loopback."""
    found = [ip.ip if isinstance(ip.ip, str) else ip.ip[0] for one in ifaddr.get_adapters() for ip in one.ips]
    own = [ipaddress.ip_address(one) for one in found]
    return [str(one) for one in own if one.version == version and not one.is_loopback and not one.is_link_local]


@pytest.mark.asyncio(loop_scope="module")
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


@pytest.mark.parametrize("version", ["4", "6"])
def test_a_server_behind_a_router_is_reached_at_its_public_address(tmp_path: Path, version: str) -> None:
    """With a router and people outside, in network namespaces: answers carry nothing else that could be reached."""
    command = [sys.executable, "-m", "tests.support.house", version, str(tmp_path / "data")]
    done = subprocess.run(
        ["unshare", "--map-root-user", "--net", *command],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, (
        f"it needs root, or a kernel that gives everybody namespaces: {done.stderr[-3000:]}"
    )
    for name in ("hana", "rosa"):
        assert f"{name} talks to {PLANS[version].public}" in done.stdout
