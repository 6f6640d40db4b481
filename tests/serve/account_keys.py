"""All that opens a door for one account at a running server, and what each is tried on."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import httpx
import numpy as np
from tests.serve.moot import SDP, SPACES, Moot, Person
from tests.support.server import Server
from tests.support.waiting import PATIENCE_S

from folkmoot.accounts.oauth import actions as oauth
from folkmoot.accounts.oauth.model import Application, AuthorizationRequest, NewApplication
from folkmoot.gate import Acting, Action
from folkmoot.recordings.actions import close_recording
from folkmoot.spaces import actions as spaces
from folkmoot.spaces import commands as c
from folkmoot.spaces.model import Draft
from folkmoot.tape.encode import StepEncoder
from folkmoot.tape.model import Note
from folkmoot.tape.writer import TapeWriter

CALLBACK = "https://client.example/back"
SCOPES = "read write follow"
VERIFY = "/api/v1/accounts/verify_credentials"
SESSION = "/api/folkmoot/v1/session"
APPLICATIONS = 3
# What a dead key is answered with, where that is no 401 (RFC 6749, 5.2; a revoked stamp).
REFUSED = {"code": 400, "listen ticket": 403, "media link": 403}
CODES = 30  # one is spent by each try
# Longer than what the kernel and the server buffer for somebody who doesn't read.
RECORDED_MS = 110_000

Attempt = Callable[[], Awaitable[httpx.Response]]


class Keys:
    """Of one person: tokens of programs, a web session, a ticket, a signed link, codes, tokens of a seat."""

    def __init__(self, moot: Moot, server: Server, person: Person, password: str) -> None:
        self.password = password
        self.attempts: dict[str, Attempt] = {}
        self.listen = ""
        self.media = ""
        self.post_id = ""
        self._moot = moot
        self._server = server
        self._person = person
        self._nobody = moot.nobody("127.0.7.2")

    async def take(self, space: dict[str, Any], post_id: str) -> None:
        """A listen ticket, and the signed link to a clip in a post."""
        self.post_id = post_id
        joined = (await self._person.http.post(f"{SPACES}/{space['id']}/join")).json()
        self.listen = f"{SPACES}/{space['id']}/listen?codec=aac&ticket={joined['ticket']}"
        post = (await self._person.http.get(f"/api/v1/statuses/{post_id}")).json()
        self.media = post["media_attachments"][0]["url"].removeprefix(self._server.base_url)
        assert "ticket=" in self.media
        self.attempts["listen ticket"] = partial(self._status_of, self.listen)
        self.attempts["media link"] = partial(self._status_of, self.media)

    async def take_tokens(self, space: dict[str, Any]) -> list[str]:
        """Of three programs, each of which listens, follows and posts with it; return them."""
        tokens = []
        for number in range(APPLICATIONS):
            application, _ = await self._application(f"Program {number}")
            token = await self._grant(application)
            tokens.append(token)
            self._try_token(f"program {number}", {"Authorization": f"Bearer {token}"}, space)
        return tokens

    async def take_session(self, space: dict[str, Any]) -> None:
        cookie = await self._sign_in()
        origin = {"Origin": self._server.base_url}
        self._try_token("session", {"Cookie": f"folkmoot_session={cookie}", **origin}, space, is_session=True)

    async def take_codes(self) -> None:
        """Authorization codes that nobody has exchanged yet."""
        application, secret = await self._application("Undecided")
        codes = iter([await self._code(application) for _ in range(CODES)])
        body = {
            "grant_type": "authorization_code",
            "client_id": application.client_id,
            "client_secret": secret,
            "redirect_uri": CALLBACK,
        }
        self.attempts["code"] = lambda: self._nobody.http.post("/oauth/token", json={**body, "code": next(codes)})

    async def take_seat_keys(self, space: dict[str, Any]) -> None:
        """A publishing token; the resume token is that of the connection."""
        whip = f"{SPACES}/{space['id']}/whip"
        made = await self._person.http.post(f"{whip}/tokens")
        assert made.status_code == 201, made.text
        headers = {"Authorization": f"Bearer {made.json()['token']}", **SDP}
        self.attempts["publishing token"] = lambda: self._nobody.http.post(whip, content="v=0\r\n", headers=headers)

    async def sign_in_anew(self) -> Person:
        """The person again, with a credential of now."""
        cookie = await self._sign_in()
        address = "127.0.7.3"
        again = self._moot.enter(self._person.name, int(self._person.id), cookie, address)
        assert (await again.http.get(VERIFY)).status_code == 200
        return again

    async def require_alive(self) -> None:
        for name, attempt in self.attempts.items():
            if name != "code":
                answer = await attempt()
                assert answer.status_code != REFUSED.get(name, 401), (name, answer.status_code, answer.text[:200])

    def _try_token(
        self, name: str, headers: dict[str, str], space: dict[str, Any], *, is_session: bool = False
    ) -> None:
        http, path = self._nobody.http, f"{SPACES}/{space['id']}"
        offer = {**headers, **SDP}
        self.attempts |= {
            f"{name}: account": lambda: http.get(VERIFY, headers=headers),
            f"{name}: post": lambda: http.post("/api/v1/statuses", json={"status": "here"}, headers=headers),
            f"{name}: join": lambda: http.post(f"{path}/commands", json={"do": "unask"}, headers=headers),
            f"{name}: WHIP": lambda: http.post(f"{path}/whip", content="v=0\r\n", headers=offer),
        }
        if not is_session:  # a browser whose session has ended may hear what anybody may
            self.attempts |= {
                f"{name}: WHEP": lambda: http.post(f"{path}/whep", content="v=0\r\n", headers=offer),
                f"{name}: stream": partial(self._status_of, f"{path}/listen?codec=opus", headers),
                f"{name}: live.ogg": partial(self._status_of, f"{path}/live.ogg", headers),
                f"{name}: playlist": lambda: http.get(f"{path}/hls/aac/live.m3u8", headers=headers),
            }
        self.attempts[f"{name}: events"] = partial(self._status_of, f"{path}/events", headers)

    async def _status_of(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        """The head alone: what is open has no end."""
        async with self._nobody.http.stream("GET", path, headers=headers) as answer:
            if answer.is_error:
                await answer.aread()
            return answer

    async def _sign_in(self) -> str:
        asked = {"username": self._person.name, "password": self.password}
        async with httpx.AsyncClient(base_url=self._server.base_url, timeout=PATIENCE_S) as browser:
            answer = await browser.post(SESSION, json=asked, headers={"Origin": self._server.base_url})
            assert answer.status_code == 200, answer.text
            return str(browser.cookies["folkmoot_session"])

    async def _application(self, name: str) -> tuple[Application, str]:
        new = NewApplication(name, None, (CALLBACK,), SCOPES)
        return await self._moot.people.system(lambda acting: oauth.register(acting, new))

    async def _code(self, application: Application) -> str:
        request = AuthorizationRequest(application, CALLBACK, SCOPES, None, None)
        return await self._moot.people.act(
            int(self._person.id), Action.AUTHORIZE, lambda acting: oauth.make_code(acting, request)
        )

    async def _grant(self, application: Application) -> str:
        code = await self._code(application)

        async def exchange(acting: Acting) -> str:
            grant = await oauth.exchange_code(acting, application, code=code, redirect_uri=CALLBACK, verifier=None)
            assert grant is not None
            return grant.access_token

        return await self._moot.people.system(exchange)


async def make_keys(
    moot: Moot, server: Server, name: str, live: dict[str, Any], recorded: str
) -> tuple[Person, Keys]:
    """Somebody with a password, with a key of each kind (but for those of a seat)."""
    password = f"{name}-has-a-long-password"
    server.admin("create", name, "--password", password)
    found = (await moot.nobody("127.0.7.4").http.get(f"/api/v1/accounts/lookup?acct={name}")).json()
    person = moot.enter(name, int(found["id"]), await moot.people.token(int(found["id"])), "127.0.7.5")
    keys = Keys(moot, server, person, password)
    await keys.take_tokens(live)
    await keys.take_session(live)
    await keys.take_codes()
    await keys.take(live, await _post_with_a_clip(person, recorded))
    await keys.require_alive()
    return person, keys


async def _post_with_a_clip(person: Person, recorded: str) -> str:
    """Its file has a signed link, for only followers may hear it."""
    asked = {"space": recorded, "start_ms": 0, "end_ms": RECORDED_MS - 1_000}
    clip = await person.http.post("/api/folkmoot/v1/clips", json=asked)
    assert clip.status_code == 201, clip.text
    body = {"status": "Listen", "visibility": "private", "media_ids": [clip.json()["media_id"]]}
    return str((await person.http.post("/api/v1/statuses", json=body)).json()["id"])


async def recorded_space(moot: Moot, server: Server, host: Person) -> str:
    """The id of a Space that is over, with two minutes of noise."""

    async def work(acting: Acting) -> int:
        space = await spaces.create(acting, Draft(title="Yesterday"), page_url=server.base_url)
        for order in (c.Start(), c.End()):
            await spaces.command(acting, space.id, order)
        _record(server, str(space.id))
        await close_recording(acting, space.id, RECORDED_MS)
        return space.id

    return str(await moot.people.act(int(host.id), Action.OPEN_SPACE, work))


def _record(server: Server, space_id: str) -> None:
    writer = TapeWriter.open(server.data / "tapes" / space_id, lambda: 0)
    encoder, noise = StepEncoder(writer.next_samples), np.random.default_rng(1)
    for _ in range(RECORDED_MS // 20):
        if parts := encoder.encode(noise.integers(-8_000, 8_000, 960).astype(np.int16)):
            writer.append(parts, Note())
    writer.append(encoder.finish(), Note())
    writer.close()
