"""People in front of real browsers: each sees the pages, clicks by what buttons are called, speaks and hears."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Playwright, TimeoutError, expect  # noqa: A004 - playwright's own
from tests.story import sound
from tests.support.waiting import PATIENCE_S

CHROMIUM = "/usr/bin/chromium"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # Tabs in the background must go on sounding as they would on somebody's screen.
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
)
PASSWORD = "a-long-evening-in-the-square"
ALIKE = 0.9
TRIES = 24
PATIENCE_MS = PATIENCE_S * 1000
expect.set_options(timeout=PATIENCE_MS)

# What comes out of the page's own audio element, as the browser would play it.
RECORD = """async ([index, milliseconds]) => {
  const sounding = () => [...document.querySelectorAll('audio')]
    .filter((audio) => !audio.paused && audio.readyState > 2).at(index);
  const until = async (look) => {
    for (const giveUp = Date.now() + 60000; Date.now() < giveUp; ) {
      const found = look();
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error('nothing plays on this page');
  };
  const element = await until(sounding);
  const stream = element.srcObject ?? element.captureStream();
  await until(() => stream.getAudioTracks().length > 0);
  const recorder = new MediaRecorder(new MediaStream(stream.getAudioTracks()), {
    mimeType: 'audio/webm;codecs=opus', audioBitsPerSecond: 128000 });
  const pieces = [];
  recorder.ondataavailable = (event) => pieces.push(event.data);
  const stopped = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.start();
  setTimeout(() => recorder.stop(), milliseconds);
  await stopped;
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
  let text = '';
  for (let at = 0; at < bytes.length; at += 32768)
    text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}"""


@contextmanager
def browser(playwright: Playwright, voice: Path | None = None) -> Iterator[Browser]:
    """A Chromium; with a voice, its microphone hears that file again and again."""
    arguments = [*QUIET]
    if voice is not None:
        arguments += [
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-audio-capture={voice}",
        ]
    launched = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
    try:
        yield launched
    finally:
        launched.close()


class Person:
    """Somebody with a page of their own: cookies and storage are theirs alone."""

    def __init__(self, launched: Browser, base_url: str, directory: Path) -> None:
        self._directory = directory
        self._recordings = 0
        self.complaints: list[str] = []
        # Without a graphics card every moving pixel is drawn by the processor that the sound needs too.
        context = launched.new_context(
            base_url=base_url, reduced_motion="reduce", viewport={"width": 900, "height": 700}
        )
        context.set_default_timeout(PATIENCE_MS)
        self.page: Page = context.new_page()
        self.page.on("console", self._note_complaint)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note_complaint(self, message: Any) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            self.complaints.append(message.text)

    def sign_up(self, username: str, path: str = "/sign-up") -> None:
        self.page.goto(path)
        self.page.get_by_label("Username").fill(username)
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        self.click("Create account")
        self.page.wait_for_url("**/")

    def click(self, name: str, *, exact: bool = True) -> None:
        try:
            self.page.get_by_role("button", name=name, exact=exact).first.click()
        except TimeoutError as error:
            shown = self.page.locator("body").inner_text()
            raise AssertionError(f"no button “{name}” at {self.page.url}, which shows:\n{shown}") from error

    def open_space(self, title: str) -> str:
        """From the list of Spaces to a live one with an open microphone; its path."""
        self.page.goto("/spaces")
        self.click("Open a Space")
        self.page.get_by_label("Title").fill(title)
        self.page.get_by_role("dialog").get_by_role("button", name="Go live").click()
        self.click("I agree, open my microphone")
        self.page.wait_for_url("**/spaces/*")
        expect(self.seat(1)).to_be_visible()
        return self.page.evaluate("location.pathname")  # type: ignore[no-any-return]

    def ask_to_speak(self) -> None:
        self.click("Ask to speak")
        self.click("I agree, open my microphone")

    def seat(self, number: int) -> Any:
        return self.page.locator(f'[data-testid="seat"][data-seat="{number}"]')

    def sees_speaking(self, number: int, *, speaking: bool = True) -> None:
        expect(self.seat(number)).to_have_attribute("data-speaking", str(speaking).lower())

    def hears_it_as_said(self, said: sound.Sound, seconds: float = 4) -> sound.Sound:
        """A stretch in which what was said arrives intact; fails with what was measured if none does.

        Many tries: five browsers share two processors. One that is starved loses sound of its own, and a player
        that fell seconds behind plays 5% faster until it has caught up, twenty times as long as it fell behind.
        """
        measured = []
        for _ in range(TRIES):
            heard = self.hears(seconds)
            measured.append(sound.likeness(said, heard))
            if measured[-1] >= ALIKE:
                return heard
        raise AssertionError(f"what is heard is not what was said: {[f'{one:.3f}' for one in measured]}")

    def hears(self, seconds: float) -> sound.Sound:
        """What sounds on this person's page for so long."""
        encoded = self.page.evaluate(RECORD, [-1, int(seconds * 1000)])
        self._recordings += 1
        path = self._directory / f"heard-{id(self)}-{self._recordings}.webm"
        path.write_bytes(base64.b64decode(encoded))
        return sound.read(path)
