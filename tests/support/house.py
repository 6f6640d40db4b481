"""A house behind a router with a public address, and people outside: in network namespaces of their own.

Run by test_addresses.py as `unshare --map-root-user --net python -m tests.support.house 4|6 DATA`: that namespace
is the world, where the public address forwards UDP, port for port, into another one, where the server is.
"""

import asyncio
import contextlib
import ipaddress
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aioice.ice
import httpx
import msgspec
from tests.serve.moot import Moot, Talk
from tests.stage.peers import until
from tests.support.server import Server
from tests.support.waiting import PATIENCE_S

PORTS = range(24_000, 24_080)
WEB_PORT = 8_000


class Plan(msgspec.Struct):
    """The router's public address and that of the people outside; the router's own inside and the server's."""

    public: str
    outside: str
    router: str
    server: str


# Addresses for documentation (RFC 5737, RFC 3849) stand for the world's.
PLANS = {
    "4": Plan("203.0.113.5", "198.51.100.1", "10.9.0.1", "10.9.0.2"),
    "6": Plan("2001:db8::5", "2001:db8:1::1", "fd09::1", "fd09::2"),
}


def run(*command: str) -> None:
    subprocess.run(command, check=True)


@contextlib.contextmanager
def house(plan: Plan) -> Iterator[list[str]]:
    """The namespace of the house and the cable to it; gives the command that runs something inside."""
    holder = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "echo there; exec sleep 600"], stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        inside = ["nsenter", f"--target={holder.pid}", "--net"]
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "cable", "type", "veth", "peer", "name", "wall")
        run("ip", "link", "set", "wall", "netns", str(holder.pid))
        run("ip", "link", "set", "cable", "up")
        for device in ("lo", "wall"):
            run(*inside, "ip", "link", "set", device, "up")
        for address, where, device in (
            (f"{plan.public}/{_bits(plan.public)}", [], "lo"),
            (f"{plan.outside}/{_bits(plan.outside)}", [], "lo"),
            (f"{plan.router}/{_bits(plan.router) - 8}", [], "cable"),
            (f"{plan.server}/{_bits(plan.server) - 8}", inside, "wall"),
        ):
            at_once = ["nodad"] if ":" in address else []
            run(*where, "ip", "address", "add", address, "dev", device, *at_once)
        yield inside
    finally:
        holder.kill()
        holder.wait()


def _bits(address: str) -> int:
    return ipaddress.ip_address(address).max_prefixlen


class _Inwards(asyncio.DatagramProtocol):
    """One public port: what comes is sent on to the server, from a socket for each sender."""

    def __init__(self, plan: Plan, port: int) -> None:
        self._plan = plan
        self._port = port
        self._senders: dict[Any, asyncio.Task[asyncio.DatagramTransport]] = {}
        self._forwarding: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._public: Any = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        if address not in self._senders:
            self._senders[address] = asyncio.create_task(self._open(address))
        forwarding = asyncio.create_task(self._forward(data, address))
        self._forwarding.add(forwarding)
        forwarding.add_done_callback(self._forwarding.discard)

    async def _open(self, address: Any) -> asyncio.DatagramTransport:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Outwards(self._public, address),
            local_addr=(self._plan.router, 0),
            remote_addr=(self._plan.server, self._port),
        )
        return transport

    async def _forward(self, data: bytes, address: Any) -> None:
        (await asyncio.shield(self._senders[address])).sendto(data)


class _Outwards(asyncio.DatagramProtocol):
    """What the server answers goes back to whom the socket stands for."""

    def __init__(self, public: Any, address: Any) -> None:
        self._public = public
        self._address = address

    def datagram_received(self, data: bytes, _: Any) -> None:
        self._public.sendto(data, self._address)


@contextlib.asynccontextmanager
async def router(plan: Plan) -> AsyncIterator[None]:
    opened = []
    for port in PORTS:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda port=port: _Inwards(plan, port),  # type: ignore[misc]
            local_addr=(plan.public, port),
        )
        opened.append(transport)
    yield
    for transport in opened:
        transport.close()


async def talk_from_outside(plan: Plan, data: Path, process: "subprocess.Popen[str]") -> None:
    """Two people outside go on stage and hear each other; prints whom each of them talks to."""
    server = Server(data, process, data.parent / "log")
    host = f"[{plan.server}]" if ":" in plan.server else plan.server
    server.base_url = f"http://{host}:{WEB_PORT}"
    async with router(plan), asyncio.timeout(2 * PATIENCE_S):
        while not await _answers(server.base_url):
            await asyncio.sleep(0.1)
        moot = Moot(server)
        anywhere = "::" if ":" in plan.server else "0.0.0.0"
        people = [await moot.person(name, anywhere) for name in ("hana", "rosa")]
        talk = await Talk.begin(people[0], people[1])
        await until(talk.both_hear)
        for person in people:
            assert person.voice is not None
            connection: aioice.Connection = person.voice.connection.getSenders()[0].transport.transport._connection
            print(f"{person.name} talks to {connection._nominated[1].remote_addr[0]}", flush=True)
        await moot.close()


async def _answers(base_url: str) -> bool:
    async with httpx.AsyncClient(base_url=base_url, timeout=PATIENCE_S) as http:
        try:
            return (await http.get("/api/v2/instance")).status_code == 200
        except httpx.TransportError:
            return False


def main(version: str, data: Path) -> None:
    plan = PLANS[version]
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [plan.outside]
    settings = data.parent / "folkmoot.toml"
    settings.write_text(
        f'public_address = "{plan.public}"\nudp_ports = "{PORTS[0]}-{PORTS[-1]}"\nhost = "{plan.server}"\n'
    )
    with house(plan) as inside:
        command = [sys.executable, "-m", "folkmoot", "serve", "--data", str(data), "--port", str(WEB_PORT)]
        process = subprocess.Popen([*inside, *command, "--config", str(settings)], text=True)
        try:
            asyncio.run(talk_from_outside(plan, data, process))
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
