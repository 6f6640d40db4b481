"""How this machine is told to peers: ports within a range, an advertised address, the loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

import aioice
import pytest
from tests.support.waiting import PATIENCE_S

from folkmoot.stage.admission import IncomingGate
from folkmoot.stage.ice import AwayServers, IceSettings, StageConnection
from folkmoot.stage.ice_servers import IceServers

LOOPBACK = ["127.0.0.1", "::1"]


@pytest.fixture
async def gathered() -> AsyncIterator[Callable[[IceSettings], StageConnection]]:
    made: list[StageConnection] = []

    def make(settings: IceSettings) -> StageConnection:
        made.append(StageConnection(settings, IncomingGate(111), lambda: 0.0, controlling=False))
        return made[-1]

    yield make
    for one in made:
        await one.close()


Make = Callable[[IceSettings], StageConnection]


async def test_ports_are_from_the_range_and_run_out(gathered: Make) -> None:
    probe = gathered(IceSettings())
    await probe.gather_candidates()
    free = probe.local_candidates[0].port
    await probe.close()
    settings = IceSettings(ports=range(free, free + 1))
    first, second = gathered(settings), gathered(settings)
    await first.gather_candidates()
    await second.gather_candidates()
    assert [(one.host, one.port) for one in first.local_candidates] == [(host, free) for host in LOOPBACK]
    assert second.local_candidates == []


async def test_the_loopback_is_offered_last_or_not_at_all(gathered: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with_loopback = gathered(IceSettings())
    await with_loopback.gather_candidates()
    assert [one.host for one in with_loopback.advertised()] == LOOPBACK
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda use_ipv4, use_ipv6: [])
    without = gathered(IceSettings(loopback=False))
    await without.gather_candidates()
    assert without.advertised() == []


async def test_the_advertised_address_stands_for_our_own(gathered: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.2"])
    connection = gathered(IceSettings(advertised_address="203.0.113.5"))
    await connection.gather_candidates()
    # 127.0.0.2 is loopback too, so it stays; a stand-in for a private address:
    monkeypatch.setattr(connection.local_candidates[0], "host", "10.0.0.5")
    told = connection.advertised()
    assert [one.host for one in told] == ["203.0.113.5", *LOOPBACK]
    assert told[0].port == connection.local_candidates[0].port


async def test_a_stun_server_that_is_away_costs_only_the_wait(gathered: Make) -> None:
    connection = gathered(IceSettings(servers=IceServers(("stun:127.0.0.1:9",))))
    candidates = await connection.get_component_candidates(1, ["127.0.0.2"], timeout=0)
    assert {one.host for one in candidates} == {*LOOPBACK, "127.0.0.2"}


async def test_a_server_that_is_away_is_waited_for_once(gathered: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(aioice.ice, "server_reflexive_candidate", partial(never, asked))
    monkeypatch.setattr(aioice.ice, "relayed_candidate", partial(never, asked))
    settings = IceSettings(servers=IceServers(("stun:127.0.0.1:9", "turn:127.0.0.1:9"), "secret"))
    candidates = await gathered(settings).get_component_candidates(1, ["198.51.100.7"], timeout=0.01)
    assert {one.host for one in candidates} == set(LOOPBACK), "and an address that isn't ours costs nothing"
    assert asked == ["relayed"]
    await gathered(settings).get_component_candidates(1, [], timeout=0.01)
    assert asked == ["relayed"]


async def never(asked: list[object], *_: object, **named: object) -> None:
    """A server that doesn't answer."""
    asked.append("relayed" if named else "reflexive")
    await asyncio.Event().wait()


def test_a_server_that_was_away_is_asked_again_after_a_while() -> None:
    away = AwayServers()
    assert not away.is_away("turn", 0)
    away.failed("turn", 10)
    assert away.is_away("turn", 39)
    assert not away.is_away("stun", 39)
    assert not away.is_away("turn", 40)


async def test_a_farewell_that_is_not_answered_holds_up_nobody(
    gathered: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("folkmoot.stage.ice._CLOSE_WITHIN_S", 0.01)
    monkeypatch.setattr(aioice.Connection, "close", partial(never, []))
    connection = gathered(IceSettings())
    async with asyncio.timeout(PATIENCE_S):
        await connection.close()


def pair_with(connection: StageConnection, port: int) -> aioice.ice.CandidatePair:
    """A pair of a socket of ours and one of the peer's addresses."""
    remote = aioice.Candidate("1", 1, "udp", 1, "192.0.2.1", port, "host")
    return aioice.ice.CandidatePair(connection._protocols[0], remote)


async def test_sound_is_taken_from_every_address_of_the_peer(gathered: Make) -> None:
    """Both ends may think another pair nominated, when two were answered at once."""
    connection = gathered(IceSettings())
    await connection.gather_candidates()
    nominated, other = pair_with(connection, 1_000), pair_with(connection, 2_000)
    connection._check_list += [nominated, other]
    connection._nominated[1] = nominated
    handshake = b"\x16" + bytes(40)
    assert connection.admit(handshake, ("192.0.2.1", 1_000))
    assert connection.admit(handshake, ("192.0.2.1", 2_000, 0, 0))
    assert not connection.admit(handshake, ("192.0.2.1", 3_000))
    assert not connection.admit(handshake, ("192.0.2.9", 1_000))
