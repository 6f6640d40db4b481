"""A network is stopped while people there speak, listen and follow: within half a second everything is over.

Their neighbours hear on, and after the lift they are let in anew. Also when the event was lost.
"""

import time
from typing import Any

import httpx
import pytest
from sqlalchemy import delete
from tests.serve import held_things as held
from tests.serve.held_things import Held
from tests.serve.moot import SPACES, Moot, Person
from tests.stage.peers import until
from tests.support.waiting import PATIENCE_S, Starved

from folkmoot.gate import Acting, Action
from folkmoot.moderation.networks import actions, queries
from folkmoot.moderation.networks.model import Severity
from folkmoot.moderation.networks.rules import parse_network
from folkmoot.storage.tables.bus import events

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
OVER_WITHIN_MS = 500


async def stop(moot: Moot, network: str, *, tell: bool) -> float:
    """When (monotonic) it was committed. Without `tell` no event says so, as if it had been lost."""

    async def work(acting: Acting) -> None:
        await actions.stop(acting, parse_network(network), Severity.NO_ACCESS, reason="A flood")
        if not tell:
            await acting.tx.connection.execute(delete(events).where(events.c.at_ms == acting.now_ms))

    await moot.people.gate.act(moot.people.gate.permit_system(Action.MODERATE, "test"), work)
    return time.monotonic()


async def lift(moot: Moot, network: str) -> None:
    async def work(acting: Acting) -> None:
        found = await queries.of_network(acting.tx, parse_network(network))
        assert found is not None
        await actions.lift(acting, found.id)

    await moot.people.system(work)


async def hold_everything(moot: Moot, host: Person, space: dict[str, Any], name: str, address: str) -> list[Held]:
    """Somebody on stage at this address, and somebody without an account who listens there."""
    person, nobody = await moot.person(name, address), moot.nobody(address)
    await person.tell(space, "ask", recording_consent=True)
    await host.tell(space, "let_up", account=person.id)
    voice, live = await person.speak(space, 880), f"{SPACES}/{space['id']}"
    await until(lambda: voice.hears(440))
    base_url = moot.server.base_url
    return [
        held.connection("speaking", voice),
        held.connection("WHEP", await held.listening(nobody, space)),
        await held.stream("stream", nobody.http, f"{live}/listen?codec=opus"),
        await held.stream("stream signed in", person.http, f"{live}/live.ogg"),
        await held.stream("events", person.http, f"{live}/events"),
        await held.waiting_playlist("playlist", nobody.http, space),
        held.upload("post", base_url, "/api/v1/statuses", person.token, b'{"status": "half of it"}'),
    ]


@pytest.mark.parametrize("told", [True, False], ids=["the event", "the event is lost"])
async def test_what_is_open_from_there_is_over_at_once(moot: Moot, *, told: bool) -> None:
    third = 8 if told else 9
    host = await moot.person(f"hana{third}")
    space = await host.open_space("The Moot")
    await host.speak(space, 440)
    everything = await hold_everything(moot, host, space, f"nils{third}", f"127.0.{third}.7")
    # The upload comes from the machine's own address.
    upload = everything.pop()
    neighbours = await hold_everything(moot, host, space, f"nora{third}", f"127.0.{third + 10}.7")
    neighbours.append(upload)
    assert [one.name for one in (*everything, *neighbours) if one.over_s() is not None] == []

    starved = Starved()
    committed_s = await stop(moot, f"127.0.{third}.0/24", tell=told)
    await held.all_over(everything)
    gone_s = committed_s + starved.s()
    after_ms = {one.name: round(((one.over_s() or 0.0) - gone_s) * 1000) for one in everything}
    print(after_ms)
    assert max(after_ms.values()) <= OVER_WITHIN_MS, after_ms
    assert [one.name for one in neighbours if one.over_s() is not None] == []

    stopped = moot.nobody(f"127.0.{third}.200")
    for path in ("/", f"{SPACES}/{space['id']}", f"{SPACES}/{space['id']}/listen?codec=opus", "/api/v2/instance"):
        refused = await stopped.http.get(path)
        assert (refused.status_code, refused.json()["code"]) == (403, "network_stopped"), path

    await lift(moot, f"127.0.{third}.0/24")
    await until_let_in(stopped.http)
    again = await held.stream("again", stopped.http, f"{SPACES}/{space['id']}/listen?codec=opus")
    for one in (again, *everything, *neighbours):
        await one.close()


async def until_let_in(http: httpx.AsyncClient) -> None:
    give_up_s = time.monotonic() + PATIENCE_S
    while (await http.get("/api/v2/instance")).status_code == 403:
        assert time.monotonic() < give_up_s, "the lift had no effect"
