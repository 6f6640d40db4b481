"""Token buckets, and how they look over HTTP."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from litestar import Litestar, get
from litestar.testing import RequestFactory
from tests.support.clock import FakeClock
from tests.support.web import visitor

from folkmoot.gate import Action, Serves
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.limits import Limiter, Limits, Metering, Rate, TooMany, client_address


def test_as_many_at_once_as_the_rate_says_and_then_one_by_one() -> None:
    limiter = Limiter(Rate(3, 3000))
    assert [limiter.take("a", 0).allowed for _ in range(4)] == [True, True, True, False]
    refused = limiter.take("a", 400)
    assert (refused.allowed, refused.retry_after_ms, refused.remaining) == (False, 600, 0)
    assert not limiter.take("a", 999).allowed
    assert limiter.take("a", 1000).allowed
    assert limiter.take("b", 1000).remaining == 2


def test_what_did_not_count_is_given_back() -> None:
    limiter = Limiter(Rate(2, 1000))
    for at_ms in range(10):
        assert limiter.take("a", at_ms).allowed
        limiter.give_back("a", at_ms)
    assert len(limiter) == 0


def test_a_flood_of_addresses_does_not_fill_the_memory() -> None:
    limiter = Limiter(Rate(2, 1000), keys_max=100)
    for number in range(10_000):
        limiter.take(str(number), 0)
    assert len(limiter) == 100


@given(
    st.integers(1, 50),
    st.integers(1, 10_000),
    st.lists(st.integers(-100, 2000), max_size=200),
)
def test_never_more_than_the_rate_in_any_window(count: int, period_ms: int, steps_ms: list[int]) -> None:
    limiter, now_ms, granted = Limiter(Rate(count, period_ms)), 10_000, []
    for step_ms in steps_ms:
        now_ms = max(now_ms, now_ms + step_ms)
        verdict = limiter.take("a", now_ms)
        assert 0 <= verdict.remaining < count or not verdict.allowed
        assert verdict.full_at_ms >= now_ms
        if verdict.allowed:
            granted.append(now_ms)
        else:
            assert limiter.take("a", now_ms + verdict.retry_after_ms).allowed
            granted.append(now_ms + verdict.retry_after_ms)
            now_ms += verdict.retry_after_ms
    for start in range(len(granted)):
        within = [at_ms for at_ms in granted[start:] if at_ms < granted[start] + period_ms]
        assert len(within) <= 2 * count


class Buckets(RuleBasedStateMachine):
    """Against a model with fractions."""

    def __init__(self) -> None:
        super().__init__()
        self.limiter = Limiter(Rate(5, 1000))
        self.now_ms = 0
        self.tokens = 5.0

    @rule(step_ms=st.integers(0, 700))
    def wait(self, step_ms: int) -> None:
        self.now_ms += step_ms
        self.tokens = min(5.0, self.tokens + step_ms * 5 / 1000)

    @rule()
    def take(self) -> None:
        allowed = self.limiter.take("a", self.now_ms).allowed
        assert allowed is (self.tokens >= 1 - 1e-6)
        if allowed:
            self.tokens -= 1

    @rule()
    def clock_steps_back(self) -> None:
        before = self.limiter.take("a", self.now_ms)
        after = self.limiter.take("a", self.now_ms - 10_000)
        assert after.remaining <= before.remaining
        self.limiter, self.tokens = Limiter(Rate(5, 1000)), 5.0

    @invariant()
    def bounded(self) -> None:
        assert len(self.limiter) <= 1


TestBuckets = Buckets.TestCase


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("unix", "unix"),
    ],
)
def test_whom_an_address_stands_for(host: str, key: str) -> None:
    request = RequestFactory().get("/")
    request.scope["client"] = (host, 1)
    assert client_address(request) == key


def test_wrong_passwords_count_for_the_account_and_right_ones_do_not() -> None:
    clock = FakeClock()
    limits = Limits(clock)
    for number in range(100):
        limits.sign_in(f"192.0.2.{number}", "carol")
        limits.signed_in(f"192.0.2.{number}", "carol")
    for number in range(500):
        limits.sign_in(f"2001:db8:{number:x}::/64", "carol")
    with pytest.raises(TooMany):
        limits.sign_in("203.0.113.1", "carol")
    limits.sign_in("203.0.113.1", "dave")


def test_nobody_is_kept_out_by_wrong_passwords_from_elsewhere() -> None:
    clock = FakeClock()
    limits = Limits(clock)
    refused = 0
    for _ in range(2000):
        clock.advance_ms(30_000)
        try:
            limits.sign_in("192.0.2.1", "carol")
        except TooMany:
            refused += 1
    assert refused > 1000
    limits.sign_in("198.51.100.1", "carol")


async def test_the_headers_that_clients_read(client: httpx.AsyncClient) -> None:
    first = await client.get("/api/v2/instance")
    second = await client.get("/api/v2/instance")
    assert first.headers["x-ratelimit-limit"] == "3000"
    assert int(first.headers["x-ratelimit-remaining"]) == int(second.headers["x-ratelimit-remaining"]) + 1
    assert first.headers["x-ratelimit-reset"].endswith("Z")
    page = await client.get("/static/avatar.png")
    assert "x-ratelimit-limit" not in page.headers


async def test_too_many_is_said_in_mastodons_form(client: httpx.AsyncClient, clock: FakeClock) -> None:
    body = {"client_name": "x", "redirect_uris": "https://app.test/"}
    for _ in range(30):
        assert (await client.post("/api/v1/apps", json=body)).status_code == 200
    refused = await client.post("/api/v1/apps", json=body)
    assert refused.status_code == 429
    assert refused.json() == {
        "error": "Too many requests. Wait a little and try again.",
        "code": "too_many_requests",
    }
    assert refused.headers["retry-after"] == "20"
    assert refused.headers["x-ratelimit-remaining"] == "0"
    clock.advance_ms(20_000)
    assert (await client.post("/api/v1/apps", json=body)).status_code == 200


@pytest.mark.slow
def test_a_thousand_live_listeners_behind_one_address_are_not_refused() -> None:
    """Each has a playlist and a part waiting, and is answered five times a second; what one of them reads alone is
    bounded as ever."""
    clock, address = FakeClock(), "203.0.113.7"
    limits = Limits(clock)
    for _ in range(200):
        assert all(limits.sound(address).allowed for _ in range(2_000))
        clock.advance_ms(200)
        for _ in range(2_000):
            limits.sound_was_shared(address)
    assert sum(limits.sound(address).allowed for _ in range(301_000)) == 300_000


async def test_files_and_what_is_embedded_are_counted_apart(client: httpx.AsyncClient) -> None:
    for path, limit in (
        ("/media/1", "100000"), ("/proxy/a/b", "100000"), ("/portraits/1/x", "100000"), ("/emoji/x", "100000"),
        ("/embed/1", "3000"), ("/about", "3000"),
    ):  # fmt: skip
        answers = [await client.get(path) for _ in range(2)]
        assert {one.headers["x-ratelimit-limit"] for one in answers} == {limit}, path
        left = [int(one.headers["x-ratelimit-remaining"]) for one in answers]
        assert left[0] == left[1] + 1, path
    first = await client.get("/api/v2/instance")
    assert first.headers["x-ratelimit-remaining"] == "2997"  # /about twice, and this


@pytest.mark.slow
def test_a_thousand_behind_one_address_look_at_pictures() -> None:
    """At two pages of fifty each within five minutes, and what one alone takes without end is bounded."""
    clock, address = FakeClock(), "203.0.113.7"
    limits = Limits(clock)
    for _ in range(100):
        assert all(limits.file(address).allowed for _ in range(1_000))
        clock.advance_ms(3_000)
    assert sum(limits.file(address).allowed for _ in range(300_000)) == 100_000
    assert limits.request(address, None).allowed
    assert limits.embedded(address).allowed


async def test_one_credential_has_its_own_limit() -> None:
    limits = Limits(FakeClock())

    @get("/api/sound", opt=serves(Serves.ANYONE, Action.LISTEN))
    async def sound() -> str:
        return ""

    @get("/api/counted")
    async def counted() -> str:
        return ""

    app = Litestar([sound, counted], middleware=[Metering(lambda: limits)], openapi_config=None)
    for _ in range(1500):
        assert limits.request("127.0.0.1", "token").allowed
    async with visitor(app) as client:
        headers = {"Authorization": "Bearer token"}
        refused = await client.get("/api/counted", headers=headers)
        assert refused.status_code == 429
        assert refused.json()["code"] == "too_many_requests"
        assert refused.headers["retry-after"] == "1"
        assert refused.headers["x-ratelimit-limit"] == "1500"
        assert (await client.get("/api/sound", headers=headers)).headers["x-ratelimit-limit"] == "300000"
        assert (await client.get("/api/counted")).headers["x-ratelimit-limit"] == "3000"
