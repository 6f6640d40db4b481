"""Web Push: sealed for one browser, sent as a job, to no host of a private network."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.support.push_service import Browser, PushService, push_service, verified
from tests.support.square import Square
from tests.support.statements import statements
from tests.support.telling import tell

from folkmoot.accounts.relations import following
from folkmoot.accounts.relations.model import Choices
from folkmoot.gate import Acting, Action, Standing
from folkmoot.gate.actions import revoke
from folkmoot.gate.model import account_subject, token_subject
from folkmoot.moderation.spaces.actions import remove_space
from folkmoot.notifications.model import SOON_MS
from folkmoot.notifications.push import actions, queries
from folkmoot.notifications.push.actions import QUEUES, SUBSCRIPTIONS_MAX, places_of
from folkmoot.notifications.push.model import ALERTS, From, Keys
from folkmoot.notifications.push.posting import Forbidden, Unreachable, parse_endpoint, post
from folkmoot.notifications.push.sealing import Sender, decode, encode
from folkmoot.notifications.push.sending import RETRY, Pushing
from folkmoot.notifications.telling import STARTING_SOON, Telling
from folkmoot.posts import boosts, edits
from folkmoot.posts.model import Draft, Visibility
from folkmoot.recordings.actions import close_recording
from folkmoot.spaces import actions as spaces
from folkmoot.spaces import commands as c
from folkmoot.spaces.model import Draft as SpaceDraft
from folkmoot.spaces.model import Space
from folkmoot.storage.database import Database, Write
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.jobs import JOBS_AT_ONCE_MAX, Worker, failed_jobs
from folkmoot.storage.tables.bus import jobs
from folkmoot.storage.tables.credentials import tokens
from folkmoot.timelines.filters import actions as filters
from folkmoot.timelines.filters.actions import Change, KeywordChange
from folkmoot.timelines.filters.model import Context, Treatment

BASE_URL = "https://moot.test"
EVERYTHING = dict.fromkeys(ALERTS, True)


class Pushed:
    """Somebody whose program is subscribed, and what reaches it."""

    def __init__(self, square: Square, service: PushService, directory: Path) -> None:
        self.square = square
        self.service = service
        self.browser = Browser()
        self.sender = Sender(b"k" * 32, BASE_URL)
        self.directory = directory
        self._pushing = Pushing(square.gate, self.sender, BASE_URL, to_private=True)
        self.worker = Worker(
            square.database,
            {actions.PUSH: self._pushing.run},
            doorbell=Doorbell(directory),
            retries={actions.PUSH: RETRY},
            chance=lambda: 0.5,
        )

    async def subscribe(
        self, account_id: int, token_id: int = 1, endpoint: str | None = None, **changed: Any
    ) -> None:
        async def work(acting: Acting) -> None:
            token = {"id": token_id, "token_hash": bytes([token_id]), "account_id": account_id, "scopes": "push"}
            await acting.tx.connection.execute(tokens.insert().values(**token, account_counter=0, created_at_ms=0))
            asked: dict[str, Any] = {"standard": True, "policy": From.ALL, "alerts": EVERYTHING, **changed}
            keys = Keys(**self.browser.keys)
            await actions.subscribe(acting, token_id, endpoint or self.service.url, keys, **asked)

        await self.square.act(account_id, Action.READ, work)

    async def send(self) -> None:
        await tell(self.square.database, self.directory)
        await self.worker.step()

    async def change_token(self, **values: Any) -> None:
        async def work(tx: Write) -> None:
            await tx.connection.execute(update(tokens).where(tokens.c.id == 1).values(**values))

        await self.square.database.write(work)

    async def system(self, work: Callable[[Acting], Awaitable[Any]]) -> None:
        await self.square.gate.act(self.square.gate.permit_system(Action.MODERATE, "test"), work)

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


async def new_password(pushed: Pushed, account_id: int) -> None:
    """What it does to everything that was opened with the old one."""
    await pushed.system(lambda acting: revoke(acting, account_subject(account_id)))


async def ended_session(pushed: Pushed, _account_id: int) -> None:
    await pushed.system(lambda acting: revoke(acting, token_subject(1)))


async def expired(pushed: Pushed, _account_id: int) -> None:
    await pushed.change_token(expires_at_ms=1)


async def suspended_and_back(pushed: Pushed, account_id: int) -> None:
    people = People(pushed.square.gate)
    await people.put(account_id, Standing.SUSPENDED)
    await people.put(account_id, Standing.ACTIVE)


@pytest.mark.parametrize("end", [new_password, ended_session, expired, suspended_and_back])
async def test_a_push_ends_with_the_credential_that_asked_for_it(
    pushed: Pushed, end: Callable[[Pushed, int], Awaitable[None]]
) -> None:
    """Whoever has a stolen phone hears nothing more once its owner has put it out."""
    alice, bob = await pushed.square.person("alice"), await pushed.square.person("bob")
    await pushed.subscribe(alice)
    await end(pushed, alice)
    await pushed.square.say(bob, "@alice hear")
    await pushed.send()
    assert (pushed.service.came, await pushed.is_subscribed()) == ([], False)


async def announced(pushed: Pushed, host: int, fan: int, **fields: Any) -> Space:
    """A Space of the host's, of which the fan wants to hear."""
    ring = partial(following.follow, account_id=host, choices=Choices(notify=True))
    await pushed.square.act(fan, Action.FOLLOW, ring)
    draft = SpaceDraft(title="Canary Moot", **fields)
    page = f"{BASE_URL}/spaces"
    return await pushed.square.act(
        host, Action.OPEN_SPACE, lambda acting: spaces.create(acting, draft, page_url=page)
    )


async def test_a_removed_space_is_pushed_to_nobody(pushed: Pushed, clock: FakeClock, tmp_path: Path) -> None:
    """Its announcement is its title, and what was told before it was removed may wait for a push service."""
    host, fan = await pushed.square.person("host"), await pushed.square.person("fan")
    await pushed.subscribe(fan)
    space = await announced(pushed, host, fan, scheduled_at_ms=clock() + 86_400_000)
    await tell(pushed.square.database, tmp_path)
    await pushed.system(lambda acting: remove_space(acting, space.id, reason="rule 3"))
    await pushed.worker.step()
    assert pushed.service.came == []


async def test_a_space_that_is_there_is_pushed(pushed: Pushed, clock: FakeClock) -> None:
    host, fan = await pushed.square.person("host"), await pushed.square.person("fan")
    await pushed.subscribe(fan)
    await announced(pushed, host, fan, scheduled_at_ms=clock() + 86_400_000)
    await pushed.send()
    assert "Canary Moot" in pushed.browser.open(pushed.service.came[0][1])["body"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_happens_in_a_space_is_pushed(pushed: Pushed, clock: FakeClock, tmp_path: Path) -> None:
    """To who is let up in it, and wants to hear of all that its host does."""
    host, fan = await pushed.square.person("host"), await pushed.square.person("fan")
    await pushed.subscribe(fan)
    space = await announced(pushed, host, fan, scheduled_at_ms=clock() + 2 * SOON_MS, recorded=True)
    await pushed.send()
    clock.advance_ms(SOON_MS)
    soon = {STARTING_SOON: Telling(pushed.square.gate).run_starting_soon}
    assert await Worker(pushed.square.database, soon, doorbell=Doorbell(tmp_path)).step() == 1
    orders: list[tuple[int, c.Command]] = [
        (host, c.Start()), (fan, c.Ask(recording_consent=True)), (host, c.LetUp(account=str(fan))), (host, c.End()),
    ]  # fmt: skip
    for who, order in orders:
        work = partial(spaces.command, space_id=space.id, order=order)
        await pushed.square.act(who, Action.TAKE_PART, work)
    await pushed.system(lambda acting: close_recording(acting, space.id, 60_000))
    await pushed.send()
    while await pushed.worker.step():
        pass
    said = [pushed.browser.open(body) for _, body in pushed.service.came]
    assert {one["notification_type"] for one in said} == {"status"}
    assert all("Canary Moot" in one["body"] for one in said)
    assert sorted(one["title"] for one in said) == [
        "A Space of host can be replayed", "A Space of host starts soon", "host is live in a Space",
        "host lets you up on stage", "host posted",
    ]  # fmt: skip
    kept_s = {pushed.browser.open(body)["title"]: headers["ttl"] for headers, body in pushed.service.came}
    assert kept_s["A Space of host starts soon"] == str(SOON_MS // 1000)


@pytest.mark.parametrize(
    ("treatment", "bodies"),
    [(Treatment.HIDE, []), (Treatment.WARN, ["Filtered: herrings"]), (Treatment.BLUR, None)],
)
async def test_what_one_filters_is_pushed_as_it_is_shown(
    pushed: Pushed, treatment: Treatment, bodies: list[str] | None
) -> None:
    alice, bob = await pushed.square.person("alice"), await pushed.square.person("bob")
    await pushed.subscribe(alice)
    filter_ = Change(
        title="herrings",
        contexts=(Context.NOTIFICATIONS,),
        action=treatment,
        keywords=(KeywordChange("smoked", whole_word=True),),
    )
    await pushed.square.act(alice, Action.READ, lambda acting: filters.create(acting, filter_))
    await pushed.square.say(bob, "@alice a smoked one")
    await pushed.send()
    came = [pushed.browser.open(body)["body"] for _, body in pushed.service.came]
    assert came == (["@alice a smoked one"] if bodies is None else bodies)


async def test_however_many_push_services_there_are_they_take_few_places(pushed: Pushed) -> None:
    """Whoever names a hundred hosts that never answer would fill all places, and no other job would run."""
    alice, bob = await pushed.square.person("alice"), await pushed.square.person("bob")
    for token_id in range(1, SUBSCRIPTIONS_MAX + 1):
        await pushed.subscribe(alice, token_id, endpoint=f"https://a{token_id}.example/")
    await pushed.square.say(bob, "@alice hear")
    await tell(pushed.square.database, pushed.directory)
    async with pushed.square.database.read() as read:
        queues = set((await read.connection.execute(select(jobs.c.queue))).scalars())
    assert len(queues) <= QUEUES
    assert sum(places_of(queue) for queue in queues) <= JOBS_AT_ONCE_MAX - 8


async def test_the_oldest_of_too_many_subscriptions_gives_way(pushed: Pushed) -> None:
    alice = await pushed.square.person("alice")
    for token_id in range(1, SUBSCRIPTIONS_MAX + 2):
        await pushed.subscribe(alice, token_id)
    async with pushed.square.database.read() as read:
        held = {one.token_id for one in await queries.of_accounts(read, [alice])}
    assert held == set(range(2, SUBSCRIPTIONS_MAX + 2))


async def test_the_authorities_are_read_once_and_not_for_each_push(monkeypatch: pytest.MonkeyPatch) -> None:
    """That takes tens of milliseconds, of the loop on which Spaces are kept."""
    made: list[ssl.SSLContext] = []
    make = ssl.create_default_context

    def counted() -> ssl.SSLContext:
        made.append(make())
        return made[-1]

    monkeypatch.setattr(ssl, "create_default_context", counted)
    endpoint = parse_endpoint("https://127.0.0.1:1/", to_private=True)
    for _ in range(3):
        with pytest.raises(Unreachable):
            await post(endpoint, {}, b"", to_private=True)
    assert len(made) <= 1


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
    "host",
    ["127.0.0.1", "[::1]", "10.0.0.1", "[::ffff:127.0.0.1]", "169.254.1.1", "[64:ff9b::7f00:1]"],
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


async def test_two_news_of_one_go_are_both_pushed(pushed: Pushed) -> None:
    """Who boosted a post, and is named by what it says now."""
    alice, bob = await pushed.square.person("alice"), await pushed.square.person("bob")
    await pushed.subscribe(alice)
    said = await pushed.square.say(bob, "hear")
    viewer = await pushed.square.viewer(alice)
    async with pushed.square.database.read() as read:
        shown = await pushed.square.gate.admit_one(read, viewer, said, "Post")
    await pushed.square.act(alice, Action.POST, lambda acting: boosts.boost(acting, shown, Visibility.PUBLIC))
    await tell(pushed.square.database, pushed.directory)
    edited = Draft(source="@alice hear", visibility=Visibility.PUBLIC)
    await pushed.square.act(bob, Action.POST, lambda acting: edits.edit(acting, said.id, edited, {}))
    await tell(pushed.square.database, pushed.directory)
    while await pushed.worker.step():
        pass
    told = {pushed.browser.open(body)["notification_type"] for _, body in pushed.service.came}
    assert told == {"update", "mention"}


async def test_more_people_who_are_pushed_to_cost_no_more_statements(pushed: Pushed) -> None:
    """They are told in one transaction, and meanwhile nobody else writes."""
    host = await pushed.square.person("host")
    token_ids = iter(range(1, 100))

    async def fan(name: str) -> None:
        who = await pushed.square.person(name)
        ring = partial(following.follow, account_id=host, choices=Choices(notify=True))
        await pushed.square.act(who, Action.FOLLOW, ring)
        await pushed.subscribe(who, next(token_ids), policy=From.FOLLOWED)

    async def cost() -> int:
        await pushed.square.say(host, "hear")
        with statements(pushed.square.database) as counted:
            await tell(pushed.square.database, pushed.directory)
        return len(counted)

    await fan("fan")
    await cost()
    of_one = await cost()
    for number in range(5):
        await fan(f"fan{number}")
    await tell(pushed.square.database, pushed.directory)
    assert await cost() == of_one
