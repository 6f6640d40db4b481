"""Web Push: sealed for one browser, sent as a job, to no host of a private network."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import FakeClock
from tests.support.push_service import Browser, PushService, push_service, verified
from tests.support.square import Square
from tests.support.telling import tell

from folkmoot.gate import Acting, Action
from folkmoot.notifications.push import actions, queries
from folkmoot.notifications.push.model import ALERTS, From, Keys
from folkmoot.notifications.push.posting import Forbidden, Unreachable, parse_endpoint, post
from folkmoot.notifications.push.sealing import Sender, decode, encode
from folkmoot.notifications.push.sending import RETRY, Pushing
from folkmoot.storage.database import Database
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.jobs import Worker, failed_jobs
from folkmoot.storage.tables.credentials import tokens

BASE_URL = "https://moot.test"
EVERYTHING = dict.fromkeys(ALERTS, True)


class Pushed:
    """Somebody whose program is subscribed, and what reaches it."""

    def __init__(self, square: Square, service: PushService, directory: Path) -> None:
        self.square = square
        self.service = service
        self.browser = Browser()
        self.sender = Sender(b"k" * 32, BASE_URL)
        self._directory = directory
        self._pushing = Pushing(square.gate, self.sender, BASE_URL, to_private=True)
        self.worker = Worker(
            square.database,
            {actions.PUSH: self._pushing.run},
            doorbell=Doorbell(directory),
            retries={actions.PUSH: RETRY},
            chance=lambda: 0.5,
        )

    async def subscribe(self, account_id: int, token_id: int = 1, **changed: Any) -> None:
        async def work(acting: Acting) -> None:
            token = {"id": token_id, "token_hash": bytes([token_id]), "account_id": account_id, "scopes": "push"}
            await acting.tx.connection.execute(tokens.insert().values(**token, account_counter=0, created_at_ms=0))
            asked: dict[str, Any] = {"standard": True, "policy": From.ALL, "alerts": EVERYTHING, **changed}
            keys = Keys(**self.browser.keys)
            await actions.subscribe(acting, token_id, self.service.url, keys, **asked)

        await self.square.act(account_id, Action.READ, work)

    async def send(self) -> None:
        await tell(self.square.database, self._directory)
        await self.worker.step()

    async def is_subscribed(self) -> bool:
        async with self.square.database.read() as read:
            return await queries.of_token(read, 1) is not None


@pytest.fixture
async def pushed(database: Database, tmp_path: Path) -> AsyncIterator[Pushed]:
    async with push_service() as service:
        yield Pushed(Square(database), service, tmp_path)


async def test_a_mention_reaches_the_program_and_nobody_in_between(pushed: Pushed, clock: FakeClock) -> None:
    alice, bob = await pushed.square.person("alice"), await pushed.square.person("bob")
    await pushed.subscribe(alice)
    await pushed.square.say(bob, "@alice hear, hear")
    await pushed.send()
    ((headers, body),) = pushed.service.came
    assert b"hear" not in body
    said = pushed.browser.open(body)
    assert (said["notification_type"], said["title"]) == ("mention", "bob mentioned you")
    assert said["body"] == "@alice hear, hear"
    assert (headers["content-encoding"], headers["ttl"]) == ("aes128gcm", "172800")
    scheme, _, named = headers["authorization"].partition(" ")
    token, key = (part.strip().partition("=")[2] for part in named.split(","))
    assert (scheme, key) == ("vapid", pushed.sender.public_key)
    claims = verified(token, key)
    assert (claims["aud"], claims["sub"]) == (pushed.service.url.removesuffix("/send/1"), BASE_URL)
    assert clock() < claims["exp"] * 1000 <= clock() + 86_400_000


async def test_older_programs_are_sent_what_they_know(pushed: Pushed) -> None:
    alice, bob = await pushed.square.person("alice"), await pushed.square.person("bob")
    await pushed.subscribe(alice, standard=False)
    await pushed.square.say(bob, "@alice hear")
    await pushed.send()
    ((headers, body),) = pushed.service.came
    assert pushed.browser.open_draft(body, headers)["body"] == "@alice hear"
    verified(headers["authorization"].removeprefix("WebPush "), pushed.sender.public_key)


@pytest.mark.parametrize(
    "changed",
    [{"policy": From.NONE}, {"policy": From.FOLLOWED}, {"policy": From.FOLLOWER}, {"alerts": {"mention": False}}],
)
async def test_only_what_is_wanted_is_sent(pushed: Pushed, changed: dict[str, Any]) -> None:
    alice, bob = await pushed.square.person("alice"), await pushed.square.person("bob")
    await pushed.subscribe(alice, **changed)
    await pushed.square.say(bob, "@alice hear")
    await pushed.send()
    assert pushed.service.came == []


async def test_what_one_may_not_see_any_more_is_not_sent(pushed: Pushed, tmp_path: Path) -> None:
    alice, bob = await pushed.square.person("alice"), await pushed.square.person("bob")
    await pushed.subscribe(alice)
    await pushed.square.say(bob, "@alice hear")
    await tell(pushed.square.database, tmp_path)
    await pushed.square.block(alice, bob)
    await pushed.worker.step()
    assert pushed.service.came == []


@pytest.mark.parametrize("status", [404, 410])
async def test_a_subscription_that_is_gone_is_forgotten(pushed: Pushed, status: int) -> None:
    alice, bob = await pushed.square.person("alice"), await pushed.square.person("bob")
    await pushed.subscribe(alice)
    pushed.service.status = status
    await pushed.square.say(bob, "@alice hear")
    await pushed.send()
    assert (len(pushed.service.came), await pushed.is_subscribed()) == (1, False)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_service_that_is_busy_is_asked_again_later(pushed: Pushed, clock: FakeClock, status: int) -> None:
    alice, bob = await pushed.square.person("alice"), await pushed.square.person("bob")
    await pushed.subscribe(alice)
    pushed.service.status = status
    await pushed.square.say(bob, "@alice hear")
    await pushed.send()
    await pushed.worker.step()
    assert len(pushed.service.came) == 1
    pushed.service.status = 201
    clock.advance_ms(RETRY.delay_ms(1, 0.5) + 1)
    await pushed.worker.step()
    assert (len(pushed.service.came), await pushed.is_subscribed()) == (2, True)


async def test_what_a_service_refuses_is_given_up(pushed: Pushed) -> None:
    alice, bob = await pushed.square.person("alice"), await pushed.square.person("bob")
    await pushed.subscribe(alice)
    pushed.service.status = 403
    await pushed.square.say(bob, "@alice hear")
    await pushed.send()
    async with pushed.square.database.read() as read:
        assert [job.last_error for job in await failed_jobs(read)] == ["The push service answered 403."]


@pytest.mark.parametrize(
    "text",
    [
        "http://push.example/1",
        "https://",
        "https://user:word@push.example/",
        "https://push.example:99999/",
        "https://evil.test\\@push.example/",
        "https://push.example/a b",
        "ftp://push.example/",
        "file:///etc/passwd",
    ],
)
def test_what_is_no_push_service_is_refused(text: str) -> None:
    with pytest.raises(Forbidden):
        parse_endpoint(text, to_private=False)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "10.0.0.1", "[::ffff:127.0.0.1]", "169.254.1.1", "localhost"]
)
async def test_nothing_is_sent_into_private_networks(host: str) -> None:
    endpoint = parse_endpoint(f"https://{host}:1/", to_private=False)
    with pytest.raises(Forbidden):
        await post(endpoint, {}, b"", to_private=False)
    with pytest.raises(Unreachable):
        await post(endpoint, {}, b"", to_private=True)


@given(st.binary(max_size=100))
def test_base64url_is_read_as_it_is_written(raw: bytes) -> None:
    assert decode(encode(raw)) == raw
