"""People in front of a whole server: accounts straight from the database, real speakers, and an ear for gaps."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from aiortc import RTCConfiguration
from tests.stage.peers import RATE, Client, has_tone, until
from tests.support.people import People
from tests.support.server import Server
from tests.support.waiting import PATIENCE_S

from folkmoot.accounts import actions as accounts
from folkmoot.gate import Acting, Gate, Role
from folkmoot.storage.database import Database
from folkmoot.storage.doorbell import Doorbell

SPACES = "/api/folkmoot/v1/spaces"
SDP = {"Content-Type": "application/sdp"}
# Far from the slots of the server's own processes and of its command line.
SLOT = 50
_WINDOW_S = 0.2


class Person:
    """An account with a token, at an address of its own, so that one's requests don't use up another's."""

    def __init__(self, base_url: str, name: str, account_id: int, token: str, address: str) -> None:
        self.name = name
        self.id = str(account_id)
        self.token = token
        self.http = httpx.AsyncClient(
            base_url=base_url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            transport=httpx.AsyncHTTPTransport(local_address=address, retries=2),
            timeout=PATIENCE_S,
        )
        self.voice: Client | None = None

    async def open_space(self, title: str, **fields: Any) -> dict[str, Any]:
        answer = await self.http.post(SPACES, json={"title": title, "start": True, **fields})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def order(self, space: dict[str, Any], do: str, **fields: Any) -> httpx.Response:
        return await self.http.post(f"{SPACES}/{space['id']}/commands", json={"do": do, **fields})

    async def tell(self, space: dict[str, Any], do: str, **fields: Any) -> dict[str, Any]:
        answer = await self.order(space, do, **fields)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def look(self, space: dict[str, Any]) -> dict[str, Any]:
        return dict((await self.http.get(f"{SPACES}/{space['id']}")).json())

    async def speak(
        self, space: dict[str, Any], frequency: float, configuration: RTCConfiguration | None = None
    ) -> Client:
        """On stage, connected; the seat must have been given."""
        self.voice = Client(frequency, configuration=configuration)

        await self.voice.join(lambda offer: answered(self.http, space, offer))
        return self.voice

    async def close(self) -> None:
        if self.voice is not None:
            await self.voice.close()
        await self.http.aclose()


async def answered(http: httpx.AsyncClient, space: dict[str, Any], offer: str) -> str:
    """The stage's answer to an offer; while it is just starting (503), what every client does: ask again."""
    async with asyncio.timeout(PATIENCE_S):
        while (
            answer := await http.post(f"{SPACES}/{space['id']}/whip", content=offer, headers=SDP)
        ).status_code == 503:
            await asyncio.sleep(0.2)
    assert answer.status_code == 201, answer.text
    return answer.text


class Moot:
    """A server's people, made by its own actions in its own database."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.database = Database(
            f"sqlite+aiosqlite:///{server.data}/folkmoot.db",
            slot=SLOT,
            ring=Doorbell(server.data / "run" / "doorbells").ring,
        )
        self.people = People(Gate(self.database))
        self._made: list[Person] = []

    async def person(self, name: str, address: str = "") -> Person:
        account_id = await self.people.create(name)
        token = await self.people.token(account_id)
        return self.enter(name, account_id, token, address or f"127.0.1.{len(self._made) + 1}")

    async def crowd(self, name: str, count: int) -> list[str]:
        """Tokens of that many new accounts, made in one transaction."""

        async def work(acting: Acting) -> list[str]:
            new = [accounts.NewAccount(f"{name}{number}", password_hash="none") for number in range(count)]
            ids = [await accounts.create_account(acting, one, Role.MEMBER) for one in new]
            return [await accounts.issue_token(acting, id_, accounts.SESSION_SCOPES) for id_ in ids]

        return await self.people.system(work)

    def enter_again(self, person: Person) -> Person:
        """Somebody whose account and token were made earlier, at this server's address."""
        return self.enter(person.name, int(person.id), person.token, "127.0.1.1")

    def nobody(self, address: str) -> Person:
        """Somebody without an account."""
        return self.enter("", 0, "", address)

    def enter(self, name: str, account_id: int, token: str, address: str) -> Person:
        """Somebody whose account exists, with a token of theirs."""
        person = Person(self.server.base_url, name, account_id, token, address)
        self._made.append(person)
        return person

    async def close(self) -> None:
        for person in self._made:
            await person.close()
        await self.database.close()


class Talk:
    """Two people on one stage, each sending a tone and hearing the other's."""

    def __init__(self, host: Person, guest: Person, space: dict[str, Any]) -> None:
        self.host = host
        self.guest = guest
        self.space = space

    @classmethod
    async def begin(cls, host: Person, guest: Person, title: str = "A talk", **fields: Any) -> "Talk":
        space = await host.open_space(title, **fields)
        talk = cls(host, guest, space)
        await host.speak(space, 440)
        await guest.tell(space, "ask", recording_consent=True)
        await host.tell(space, "let_up", account=guest.id)
        await guest.speak(space, 880)
        await until(talk.both_hear)
        return talk

    def both_hear(self) -> bool:
        return _voice_of(self.host).hears(880) and _voice_of(self.guest).hears(440)

    def both_connected(self) -> bool:
        voices = (self.host.voice, self.guest.voice)
        return all(voice is not None and voice.connection.connectionState == "connected" for voice in voices)

    @asynccontextmanager
    async def undisturbed(self) -> AsyncIterator[None]:
        """Whatever happens inside, neither misses the other for longer than a moment: never three windows in a row.

        A few windows of many may lack the tone: speakers, crowd and server share what processors there are. So may
        those in which it could not be sent, or the stage got no processor: that is nobody's doing in here.
        """
        voices = (_voice_of(self.host), _voice_of(self.guest))
        for voice in voices:
            voice.forget()
        began_s, stalled_s = time.monotonic(), _stalled_s(*voices)
        yield
        lasted_s = time.monotonic() - began_s
        for voice, frequency in zip(voices, (880, 440), strict=True):
            # All that was sent until now has to come, and at least half a second.
            await until(lambda voice=voice: len(voice.heard) * 0.02 >= max(0.5, lasted_s - 0.3))  # type: ignore[misc]
            gaps = missing_s(voice, frequency)
            excused = max(0, round((_stalled_s(*voices) - stalled_s) / _WINDOW_S))
            said = f"{frequency} Hz was not heard at {gaps} of {lasted_s:.1f} s, {excused} windows are excused"
            assert longest_run(gaps) < 3 + excused, said
            assert len(gaps) <= 1 + excused + 0.05 * len(voice.heard) * 0.02 / _WINDOW_S, said


def _voice_of(person: Person) -> Client:
    assert person.voice is not None
    return person.voice


def _stalled_s(*voices: Client) -> float:
    """For how long the speakers could not send, and their stages waited for a processor (Linux's schedstat)."""
    waited_ns = 0
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess, OSError):  # it has ended since it was listed
            if child.name().startswith("fm-stage"):
                threads = Path(f"/proc/{child.pid}/task").glob("*/schedstat")
                waited_ns += sum(int(thread.read_text().split()[1]) for thread in threads)
    return waited_ns / 1e9 + sum(voice.tone.stalled_s for voice in voices)


def longest_run(gaps_s: list[float]) -> int:
    """How many windows in a row are among these."""
    longest = run = 0
    for before, at in zip([-1.0, *gaps_s], gaps_s, strict=False):
        run = run + 1 if at - before < 1.5 * _WINDOW_S else 1
        longest = max(longest, run)
    return longest


def missing_s(voice: Client, frequency: float) -> list[float]:
    """Where, in what a speaker has heard since `forget`, a tone is missing for a fifth of a second."""
    samples = np.concatenate(voice.heard)
    window = int(_WINDOW_S * RATE)
    starts = range(0, len(samples) - window + 1, window)
    return [round(at / RATE, 1) for at in starts if not has_tone(samples[at : at + window], frequency)]


def sentence_of(answer: httpx.Response, *statuses: int) -> str:
    """The code of an error in the API's own form: JSON with a sentence and a stable code."""
    assert answer.status_code in statuses, (answer.status_code, answer.text[:300])
    assert answer.headers["content-type"].startswith("application/json")
    error = answer.json()
    assert len(error["error"].split()) >= 2, error
    return str(error.get("code", ""))
