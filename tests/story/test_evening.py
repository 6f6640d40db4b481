"""The evening of the story, with real browsers and recorded voices: parts 1, 2, 6, 7 and 8 so far."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Playwright, expect, sync_playwright
from tests.story import sound
from tests.story.held import HeldStream, sign_in_guests, suspend_all
from tests.story.people import ALIKE, Person, browser
from tests.support.server import Server, eventually, running_server
from tests.support.waiting import PATIENCE_S, Starved

pytestmark = [pytest.mark.slow, pytest.mark.alone]

SPACES = "/api/folkmoot/v1/spaces"


class Evening:
    """The room and who is in it."""

    def __init__(self, server: Server, playwright: Playwright, directory: Path, stack: ExitStack) -> None:
        self.server = server
        self.directory = directory
        self._playwright = playwright
        self._stack = stack
        self.voices = {
            "hana": sound.recorded_voice(
                directory / "hana.wav", ("Front_Center", "Rear_Left", "Side_Right", "Front_Left"), 0.25
            ),
            "rosa": sound.recorded_voice(directory / "rosa.wav", ("Side_Left", "Rear_Center"), 0.3),
            "owen": sound.recorded_voice(directory / "owen.wav", ("Front_Right", "Rear_Right"), 0.3),
        }
        self.host = self._with_voice("hana")
        self.reporter = self._with_voice("rosa")
        self.owner = self._with_voice("owen")
        without = stack.enter_context(browser(playwright))
        self.listener = Person(without, server.base_url, directory)
        self.engineer = Person(without, server.base_url, directory)
        self.path = ""

    def _with_voice(self, name: str) -> Person:
        launched = self._stack.enter_context(browser(self._playwright, self.voices[name]))
        return Person(launched, self.server.base_url, self.directory)

    def said(self, name: str) -> sound.Sound:
        return sound.read(self.voices[name])

    def everybody(self) -> list[Person]:
        return [self.host, self.reporter, self.owner, self.listener, self.engineer]

    def host_is_connected(self) -> bool:
        return any(person["connected"] for person in self.space()["stage"])

    def space(self) -> dict[str, Any]:
        space_id = self.path.rpartition("/")[2]
        answer = httpx.get(f"{self.server.base_url}{SPACES}/{space_id}", timeout=PATIENCE_S)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@pytest.fixture
def evening(tmp_path: Path) -> Iterator[Evening]:
    with ExitStack() as stack:
        server = stack.enter_context(running_server(tmp_path / "data", from_nothing=True))
        playwright = stack.enter_context(sync_playwright())
        yield Evening(server, playwright, tmp_path, stack)


def test_the_evening(evening: Evening) -> None:
    the_room(evening)
    the_owner_comes_in(evening)
    the_clip(evening)
    suspended_means_suspended(evening)
    the_rest_of_the_square_goes_on(evening)
    afterwards(evening)
    assert [complaint for person in evening.everybody() for complaint in person.complaints] == []


def the_room(evening: Evening) -> None:
    """1. A host opens a Space; a reporter joins the stage; somebody without an account listens."""
    assert evening.server.setup_url is not None
    evening.owner.sign_up("owen", evening.server.setup_url)
    evening.host.sign_up("hana")
    evening.reporter.sign_up("rosa")
    evening.engineer.sign_up("emil")
    evening.path = evening.host.open_space("What is going on here?")

    evening.listener.page.goto(evening.path)
    expect(evening.listener.page.get_by_text("Recorded", exact=False).first).to_be_visible()
    evening.listener.click("Listen")
    evening.listener.sees_speaking(1)
    expect(evening.listener.page.get_by_test_id("listener-count")).to_have_attribute("data-count", "1")
    evening.listener.hears_it_as_said(evening.said("hana"))

    evening.reporter.page.goto(evening.path)
    evening.reporter.ask_to_speak()
    evening.host.click("Let up rosa")
    expect(evening.listener.seat(2)).to_be_visible()
    evening.host.click("Mute")
    evening.listener.sees_speaking(2)
    evening.listener.hears_it_as_said(evening.said("rosa"))
    evening.host.hears_it_as_said(evening.said("rosa"))
    evening.host.sees_speaking(2)


def the_owner_comes_in(evening: Evening) -> None:
    """2. As anybody: asks, is let up, speaks, leaves. The room sees it, and loses no sound."""
    evening.owner.page.goto(evening.path)
    evening.owner.ask_to_speak()
    evening.host.click("Let up owen")
    expect(evening.listener.seat(3)).to_be_visible()
    evening.listener.sees_speaking(3)
    evening.owner.click("Leave the stage")
    expect(evening.listener.seat(3)).to_be_hidden()
    heard = evening.listener.hears_it_as_said(evening.said("rosa"))
    assert sound.silences_s(heard, longer_than_s=0.6) == []


def the_clip(evening: Evening) -> None:
    """7. The engineer marks what they just heard and posts it; the post plays."""
    evening.engineer.page.goto(evening.path)
    evening.engineer.click("Listen")
    evening.engineer.sees_speaking(2)
    evening.engineer.click("Make a clip")
    evening.engineer.click("Post the clip")
    token = evening.server.token("emil")
    with evening.server.client(token) as client:
        posts = eventually(lambda: client.get("/api/v1/timelines/home").json(), what="the clip's post")
        attachment = posts[0]["media_attachments"][0]
        file = evening.directory / "clip.m4a"
        file.write_bytes(httpx.get(attachment["url"], timeout=PATIENCE_S).content)
    clip = sound.read(file)
    assert len(clip) / sound.RATE == pytest.approx(attachment["meta"]["original"]["duration"], abs=0.1)
    alike = sound.most_alike(evening.said("rosa"), clip, seconds=4)
    assert alike >= ALIKE, f"four seconds of the clip are the reporter: {alike:.3f}"
    evening.engineer.page.goto(f"/@emil/{posts[0]['id']}")
    evening.engineer.click("Play the clip")
    evening.engineer.hears_it_as_said(clip, seconds=3)


def suspended_means_suspended(evening: Evening) -> None:
    """6. Seven at once: on stage, listening, following. Within half a second each is out, and stays out."""
    space_id = evening.path.rpartition("/")[2]
    tokens = sign_in_guests(evening.server, 6)
    held = [
        HeldStream(evening.server.base_url, f"{SPACES}/{space_id}/{what}", token)
        for token, what in zip(tokens.values(), ["listen", "events"] * 3, strict=True)
    ]
    tokens["rosa"] = evening.server.token("rosa")
    for stream in held:
        stream.wait_until_open()
    starved = Starved()
    committed_s = suspend_all(evening.server.data, list(tokens))
    out_after_ms = [stream.closed_after_ms(committed_s) for stream in held]
    assert max(out_after_ms) - 1_000 * starved.s() <= 500, f"closed after {[round(one) for one in out_after_ms]} ms"
    for token in tokens.values():
        with evening.server.client(token) as client:
            assert client.get(f"{SPACES}/{space_id}").status_code == 401
            assert client.get(f"{SPACES}/{space_id}/listen").status_code == 401

    expect(evening.listener.seat(2)).to_be_hidden()
    evening.reporter.page.goto("/")
    expect(evening.reporter.page.get_by_role("link", name="Sign in").first).to_be_visible()
    evening.host.click("Unmute")
    evening.listener.sees_speaking(1)
    heard = evening.listener.hears_it_as_said(evening.said("hana"))
    assert sound.likeness(evening.said("rosa"), heard) < ALIKE


def the_rest_of_the_square_goes_on(evening: Evening) -> None:
    """8. A lock lets nobody up; a stage that dies comes back by itself, and the sound with it."""
    evening.host.click("Lock", exact=False)
    evening.owner.page.goto(evening.path)
    expect(evening.owner.page.get_by_text("The room is locked", exact=False)).to_be_visible()
    evening.host.click("Unlock", exact=False)

    stage = evening.server.child("stage-")
    stage.kill()
    died_s = time.monotonic()
    eventually(lambda: not evening.host_is_connected(), what="the loss of the host's seat")
    eventually(evening.host_is_connected, what="the host's return")
    back_after_s = time.monotonic() - died_s
    evening.listener.hears_it_as_said(evening.said("hana"))
    assert back_after_s < 10, f"the host was back after {back_after_s:.1f} s"


def afterwards(evening: Evening) -> None:
    """12. The Space ends and is replayed from its page, by somebody without an account."""
    evening.host.click("End the Space")
    evening.host.click("End it for everybody")
    eventually(lambda: evening.space()["replay"], what="the replay")
    evening.listener.page.goto(evening.path)
    evening.listener.click("Listen")
    evening.listener.sees_speaking(1)
    file = evening.directory / "replay.m4a"
    file.write_bytes(httpx.get(evening.space()["replay"]["download_url"], timeout=PATIENCE_S).content)
    evening.listener.hears_it_as_said(sound.read(file)[: 25 * sound.RATE], seconds=4)
