"""A browser that reaches the stage only through a TURN server, with what the page asked Folkmoot for."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser
from tests.serve.moot import Moot
from tests.stage.peers import until
from tests.support.server import Server, running_server
from tests.support.turn import SECRET, TurnServer, running_turn
from tests.web.browser import DESKTOP_LIGHT, SAID_HZ, page_of

pytestmark = pytest.mark.slow

# As a firewall that lets nothing else out would have it; the page's own connection is kept, to be asked.
RELAY_ONLY = """
const Plain = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Plain {
  constructor(configuration) {
    super({ ...configuration, iceTransportPolicy: 'relay' });
    window.madeLast = this;
  }
};
"""
LOCAL_KINDS = """
async () => {
  const found = [...(await window.madeLast.getStats()).values()];
  const used = found.filter((one) => one.type === 'candidate-pair' && one.nominated && one.bytesSent > 0);
  return used.map((pair) => found.find((one) => one.id === pair.localCandidateId).candidateType);
}
"""


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TurnServer]:
    with running_turn(tmp_path_factory.mktemp("turn")) as running:
        yield running


@pytest.fixture(scope="module")
def server(turn: TurnServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("relay") / "data"
    with running_server(data, ice_servers=turn.url, turn_secret=SECRET) as running:
        yield running


async def test_a_browser_speaks_through_the_relay_alone(moot: Moot, server: Server, speaking: Browser) -> None:
    host, guest = await moot.person("hana"), await moot.person("rosa")
    space = await host.open_space("Behind a firewall")
    context, page = await page_of(speaking, server, host, **DESKTOP_LIGHT)
    await context.add_init_script(RELAY_ONLY)
    await page.goto(f"/spaces/{space['id']}")
    await page.get_by_role("button", name="Take your seat").click()
    await page.get_by_role("button", name="I agree, open my microphone").click()
    await guest.tell(space, "ask", recording_consent=True)
    await host.tell(space, "let_up", account=guest.id)
    ear = await guest.speak(space, 440)
    await until(lambda: ear.hears(SAID_HZ))
    assert await page.evaluate(LOCAL_KINDS) == ["relay"]
