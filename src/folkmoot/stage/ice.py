"""ICE for one seat, on aioice, with what it lacks: a range of UDP ports, an advertised address, loopback
candidates, and an allowance for each peer that is applied before a datagram costs anything."""

import asyncio
import errno
import ipaddress
import logging
import random
import socket
import time
from collections.abc import Callable
from typing import Any

import aioice
import aioice.ice
import msgspec
from aioice.candidate import candidate_foundation, candidate_priority
from aiortc.rtcconfiguration import RTCIceServer
from aiortc.rtcicetransport import RTCIceCandidate, candidate_to_aioice, connection_kwargs

from folkmoot.stage.admission import IncomingGate, TokenBucket
from folkmoot.stage.ice_servers import IceServers

_PORT_TRIES_MAX = 200
_SOCKET_BUFFER_BYTES = 256 * 1024
_LOOKUP_WITHIN_S = 1.0
_AWAY_S = 30.0
_CLOSE_WITHIN_S = 1.0
_LOOPBACK = ("127.0.0.1", "::1")
_FIRST_BYTE_AFTER_STUN = 4

logger = logging.getLogger(__name__)
_Lookup = asyncio.Task[tuple[aioice.Candidate, aioice.ice.StunProtocol | None]]
# A task that nothing refers to may be collected before it is done.
_farewells: set[asyncio.Task[None]] = set()


class AwayServers:
    """What was asked of STUN and TURN servers in vain lately: nobody's join waits for that again for a while.

    A question names the kind of server and the address of ours that it is asked from: not all have a way out.
    """

    def __init__(self) -> None:
        self._until_s: dict[str, float] = {}

    def is_away(self, question: str, now_s: float) -> bool:
        return self._until_s.get(question, now_s) > now_s

    def failed(self, question: str, now_s: float) -> None:
        self._until_s[question] = now_s + _AWAY_S


class IceSettings(msgspec.Struct, frozen=True):
    """How this machine is reached; one for a stage process.

    `servers`: the first `stun:` and the first `turn:` of them are asked for an address of ours, too.
    `advertised_address`: the public IP address that a 1:1 NAT maps to this machine; takes the place of its own
    addresses of that IP version in answers. `ports`: UDP ports to use, None for any. `loopback`: offer 127.0.0.1
    and ::1 too, for browsers on the same machine. `unix_s`: Unix time.
    """

    servers: IceServers = IceServers()
    advertised_address: str | None = None
    ports: range | None = None
    loopback: bool = True
    unix_s: Callable[[], float] = time.time
    away: AwayServers = msgspec.field(default_factory=AwayServers)


class IceTransport:
    """What RTCDtlsTransport needs of an ICE transport: send, receive, a role."""

    def __init__(self, connection: "StageConnection") -> None:
        self.role = "controlled"
        self._send = connection.send
        self._recv = connection.recv


class _GatedProtocol(aioice.ice.StunProtocol):
    """A socket that asks the peer's allowance before it looks into a datagram."""

    def __init__(self, connection: "StageConnection") -> None:
        super().__init__(connection)
        self._connection = connection

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        """Drops what the allowance doesn't cover; passes sound on without trying to read it as STUN (RFC 7983)."""
        assert isinstance(data, bytes)
        if not self._connection.admit(data, addr):
            return
        if data[0] < _FIRST_BYTE_AFTER_STUN:
            super().datagram_received(data, addr)
        elif not self._connection.take_sound(data):
            self._connection.data_received(data, self.local_candidate.component)


class StageConnection(aioice.Connection):
    """An ICE agent for one seat. Candidates are gathered once; the answer carries them all."""

    def __init__(
        self, settings: IceSettings, gate: IncomingGate, clock_ms: Callable[[], float], *, controlling: bool
    ) -> None:
        asked = settings.servers.for_use("stage", settings.unix_s())
        servers = [RTCIceServer(one.url, one.username, one.credential) for one in asked]
        super().__init__(ice_controlling=controlling, **connection_kwargs(servers))
        self.heard_ms = clock_ms()
        self.take_sound: Callable[[bytes], bool] = _takes_nothing
        """Is offered each datagram that isn't STUN; what it doesn't take is queued for DTLS."""
        self._settings = settings
        self._gate = gate
        self._strangers = TokenBucket(per_second=50, burst=100)
        self._clock_ms = clock_ms

    def admit(self, data: bytes, address: tuple[Any, ...]) -> bool:
        """Whether a datagram is handled. From anybody but the peer only a little STUN is.

        The peer has several addresses: the one that it nominated first need not be the one that we know as
        nominated, when both were answered at once (RFC 8445, 12.2: data is taken from every pair).
        """
        now_ms = self._clock_ms()
        pair = self._nominated.get(1)
        if pair is None:
            return self._gate.admit(data, now_ms)
        sender = (address[0], address[1])
        if sender != pair.remote_addr and all(sender != one.remote_addr for one in self._check_list):
            return bool(data) and data[0] < 4 and self._strangers.take(now_ms)
        self.heard_ms = now_ms
        return self._gate.admit(data, now_ms)

    def send_now(self, data: bytes) -> None:
        """Sends a datagram to the peer, without a coroutine for each layer; nothing before one is known."""
        pair = self._nominated.get(1)
        if pair is not None:
            pair.protocol.transport.sendto(data, pair.remote_addr)

    async def add_candidates(self, candidates: list[RTCIceCandidate]) -> None:
        """The peer's candidates. The end of candidates is never signalled: a peer whose own are hidden behind mDNS
        names, or that sent none, still reaches us, and aioice learns its address from that."""
        for candidate in candidates:
            await self.add_remote_candidate(candidate_to_aioice(candidate))

    async def get_component_candidates(
        self, component: int, addresses: list[str], timeout: float = _LOOKUP_WITHIN_S
    ) -> list[aioice.Candidate]:
        """Sockets on this machine's addresses within the port range, then what STUN and TURN servers tell."""
        wanted = [*addresses, *_LOOPBACK] if self._settings.loopback else addresses
        hosts = [await self._open(component, address) for address in dict.fromkeys(wanted)]
        protocols = [one for one in hosts if one is not None]
        self._protocols += protocols
        found = [one.local_candidate for one in protocols]
        return found + await self._finished(self._lookups(component, protocols), timeout)

    def _lookups(self, component: int, protocols: list[_GatedProtocol]) -> dict[_Lookup, str]:
        """What is asked now, and its name: all but what was asked in vain lately."""
        now_s = time.monotonic()
        lookups: dict[_Lookup, str] = {}
        if self.stun_server is not None:
            for one in protocols:
                own = ipaddress.ip_address(one.local_candidate.host)
                question = f"stun from {own}"
                if own.version == 4 and not own.is_loopback and not self._settings.away.is_away(question, now_s):
                    asked = aioice.ice.server_reflexive_candidate(one, self.stun_server)
                    lookups[asyncio.create_task(asked)] = question
        if self.turn_server is not None and not self._settings.away.is_away("turn", now_s):
            lookups[asyncio.create_task(self._relayed(component, self.turn_server))] = "turn"
        return lookups

    async def _relayed(
        self, component: int, server: tuple[str, int]
    ) -> tuple[aioice.Candidate, aioice.ice.StunProtocol]:
        return await aioice.ice.relayed_candidate(
            component=component,
            hide_related_address=False,
            protocol_factory=lambda: _GatedProtocol(self),
            turn_server=server,
            turn_username=self.turn_username,
            turn_password=self.turn_password,
            turn_ssl=self.turn_ssl,
            turn_transport=self.turn_transport,
        )

    async def _finished(self, lookups: dict[_Lookup, str], timeout: float) -> list[aioice.Candidate]:
        """The candidates that came in time. A server that is away, or refuses us, costs the wait, not the join."""
        if not lookups:
            return []
        await asyncio.wait(lookups, timeout=timeout)
        found: list[aioice.Candidate] = []
        for lookup, question in lookups.items():
            error = lookup.exception() if lookup.done() else TimeoutError(f"no answer within {timeout:g} s")
            if error is not None:
                lookup.cancel()
                self._settings.away.failed(question, time.monotonic())
                logger.warning("%s: the server is of no help, for %g s: %s", question, _AWAY_S, error)
                continue
            candidate, protocol = lookup.result()
            found.append(candidate)
            if protocol is not None:
                self._protocols.append(protocol)
        return found

    async def close(self) -> None:
        """Closes every socket. A TURN server that doesn't answer its farewell is not waited for."""
        closing = asyncio.create_task(super().close())
        _farewells.add(closing)
        closing.add_done_callback(_farewells.discard)
        await asyncio.wait([closing], timeout=_CLOSE_WITHIN_S)

    async def _open(self, component: int, address: str) -> _GatedProtocol | None:
        """A socket on this address, None when no port is free there."""
        loop = asyncio.get_running_loop()
        for port in self._ports():
            try:
                transport, protocol = await loop.create_datagram_endpoint(
                    lambda: _GatedProtocol(self), local_addr=(address, port)
                )
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    continue
                return None  # such as IPv6 where there is none
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SOCKET_BUFFER_BYTES)
            bound = transport.get_extra_info("sockname")
            protocol.local_candidate = aioice.Candidate(
                foundation=candidate_foundation("host", "udp", bound[0]),
                component=component,
                transport="udp",
                # The loopback comes last: only a browser on this machine can use it.
                priority=candidate_priority(component, "host", 0 if bound[0] in _LOOPBACK else 65535),
                host=bound[0],
                port=bound[1],
                type="host",
            )
            return protocol
        return None

    def _ports(self) -> list[int]:
        ports = self._settings.ports
        return [0] if ports is None else random.sample(ports, min(_PORT_TRIES_MAX, len(ports)))

    def advertised(self) -> list[aioice.Candidate]:
        """The candidates as the peer is told them: with the advertised address instead of our own."""
        public = self._settings.advertised_address
        if public is None:
            return self.local_candidates
        version = ipaddress.ip_address(public).version
        told: dict[tuple[str, int], aioice.Candidate] = {}
        for candidate in self.local_candidates:
            one = candidate
            own = ipaddress.ip_address(one.host)
            if one.type == "host" and own.version == version and not own.is_loopback:
                one = aioice.Candidate(
                    foundation=candidate_foundation("host", "udp", public),
                    component=one.component,
                    transport="udp",
                    priority=one.priority,
                    host=public,
                    port=one.port,
                    type="host",
                )
            told[(one.host, one.port)] = one
        return list(told.values())


def _takes_nothing(_data: bytes) -> bool:
    return False
