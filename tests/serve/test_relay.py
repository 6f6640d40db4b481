"""Speakers who reach the stage through a TURN server only (coturn), with credentials that Folkmoot made."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import aioice
import aioice.turn
import pytest
import pytest_asyncio
from aioice.stun import TransactionFailed
from aiortc import RTCConfiguration, RTCIceServer
from aiortc.rtcconfiguration import RTCIceTransportPolicy
from tests.serve.moot import SPACES, Moot, Person
from tests.stage.peers import Client, until
from tests.support.server import Server, running_server
from tests.support.turn import SECRET, TurnServer, running_turn

from folkmoot.stage.admission import IncomingGate
from folkmoot.stage.ice import IceSettings, StageConnection
from folkmoot.stage.ice_servers import IceServers

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TurnServer]:
    with running_turn(tmp_path_factory.mktemp("turn")) as running:
        yield running


@pytest.fixture(scope="module")
def server(turn: TurnServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("relay") / "data"
    with running_server(data, ice_servers=turn.url, turn_secret=SECRET, turn_valid_s="60") as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def moot(server: Server) -> AsyncIterator[Moot]:
    made = Moot(server)
    yield made
    await made.close()


async def relay_only(person: Person, space_id: str) -> RTCConfiguration:
    """What a browser with `iceTransportPolicy: 'relay'` is given."""
    joined = (await person.http.post(f"{SPACES}/{space_id}/join")).json()
    servers = [RTCIceServer(**one) for one in joined["ice_servers"]]
    return RTCConfiguration(servers, iceTransportPolicy=RTCIceTransportPolicy.RELAY)


def pair_of(voice: Client) -> aioice.ice.CandidatePair:
    connection: aioice.Connection = voice.connection.getSenders()[0].transport.transport._connection
    return connection._nominated[1]


async def test_who_reaches_only_the_relay_speaks_and_hears(moot: Moot, server: Server) -> None:
    host, guest = await moot.person("hana"), await moot.person("rosa")
    space = await host.open_space("Far away")
    direct = await host.speak(space, 440)
    await guest.tell(space, "ask", recording_consent=True)
    await host.tell(space, "let_up", account=guest.id)
    far = await guest.speak(space, 880, await relay_only(guest, space["id"]))
    await until(lambda: direct.hears(880) and far.hears(440))
    assert pair_of(far).local_candidate.type == "relay"
    assert pair_of(direct).local_candidate.type == "host"
    assert SECRET not in server.log.read_text()


async def test_a_listener_without_an_account_gets_no_relay(moot: Moot) -> None:
    host = await moot.person("vera")
    space = await host.open_space("In public")
    joined = (await moot.nobody("127.0.9.1").http.post(f"{SPACES}/{space['id']}/join")).json()
    assert joined["ice_servers"] == []


async def allocate(turn: TurnServer, servers: IceServers, now_s: float, stay_s: float = 0) -> None:
    """Takes an address at the relay; after `stay_s`, before it is given back, asks to keep it for longer."""
    mine = servers.for_use("account:1", now_s)[0]
    transport, protocol = await aioice.turn.create_turn_endpoint(
        lambda: aioice.ice.StunProtocol(aioice.Connection(ice_controlling=True)),
        server_addr=turn.address,
        username=mine.username,
        password=mine.credential,
    )
    assert transport.get_extra_info("sockname")
    await asyncio.sleep(stay_s)
    await vars(transport)["_TurnTransport__inner_protocol"].request_with_retry(refresh(600))
    await protocol.close()


def refresh(lifetime_s: int) -> aioice.stun.Message:
    request = aioice.stun.Message(aioice.stun.Method.REFRESH, aioice.stun.Class.REQUEST)
    request.attributes["LIFETIME"] = lifetime_s
    return request


async def test_wrong_and_expired_credentials_are_refused(turn: TurnServer) -> None:
    now_s = time.time()
    await allocate(turn, IceServers((turn.url,), SECRET, 60), now_s)
    for secret, at_s in (("another secret", now_s), (SECRET, now_s - 61)):
        with pytest.raises(TransactionFailed, match="401"):
            await allocate(turn, IceServers((turn.url,), secret, 60), at_s)


async def test_a_connection_outlives_the_credentials_that_it_began_with(turn: TurnServer) -> None:
    """A talk may be longer than credentials are good for: whoever is connected stays."""
    await allocate(turn, IceServers((turn.url,), SECRET, 5), time.time(), stay_s=5.5)


async def stage_without_a_way_in(servers: IceServers) -> StageConnection:
    """A stage that no packet reaches but through a relay: it has no address of its own."""
    connection = StageConnection(
        IceSettings(servers=servers, loopback=False), IncomingGate(111), lambda: 0.0, controlling=False
    )
    candidates = await connection.get_component_candidates(1, [])
    connection._local_candidates += candidates
    connection._local_candidates_end = True
    return connection


async def test_a_stage_that_is_behind_a_router_itself_is_reached_through_the_relay(turn: TurnServer) -> None:
    stage = await stage_without_a_way_in(IceServers((turn.url,), SECRET))
    assert [one.type for one in stage.advertised()] == ["relay"]
    peer = aioice.Connection(ice_controlling=True)
    await peer.gather_candidates()
    for one, other in ((stage, peer), (peer, stage)):
        other.remote_username, other.remote_password = one.local_username, one.local_password
        for candidate in one.local_candidates:
            await other.add_remote_candidate(candidate)
        await other.add_remote_candidate(None)
    heard: list[bytes] = []

    def take_sound(data: bytes) -> bool:
        heard.append(data)
        return True

    stage.take_sound = take_sound
    await asyncio.gather(stage.connect(), peer.connect())
    await peer.send(bytes([0x80, 111]) + bytes(100))
    await until(lambda: len(heard) == 1)
    await peer.close()
    await stage.close()


async def test_a_stage_with_wrong_credentials_says_so_and_goes_on_without(turn: TurnServer) -> None:
    settings = IceServers((turn.url,), "another secret")
    stage = await stage_without_a_way_in(settings)
    assert stage.advertised() == []
    assert stage._settings.away.is_away("turn", time.monotonic())
    await stage.close()
