from hypothesis import given
from hypothesis import strategies as st

from folkmoot.audience.limiter import JoinLimiter, network_of


def test_an_office_joins_at_once() -> None:
    limiter = JoinLimiter()
    assert all(limiter.take("192.0.2.1", 100.0) == 0.0 for _ in range(300))


def test_a_thousand_joins_a_second_are_cut_to_the_burst_and_the_rate() -> None:
    limiter = JoinLimiter(per_second=20, burst=300)
    granted = sum(limiter.take("192.0.2.1", 100.0 + join / 1000) == 0.0 for join in range(1_000))
    assert 300 <= granted <= 320
    assert limiter.take("192.0.2.2", 101.0) == 0.0, "another address is not concerned"


@given(
    st.floats(0.1, 1000),
    st.integers(1, 500),
    st.lists(st.floats(0, 10, allow_subnormal=False), max_size=200),
)
def test_never_more_than_burst_and_rate(per_second: float, burst: int, pauses_s: list[float]) -> None:
    limiter = JoinLimiter(per_second, burst)
    now_s, granted = 0.0, 0
    for pause_s in pauses_s:
        now_s += pause_s
        granted += limiter.take("a", now_s) == 0.0
    assert granted <= burst + per_second * now_s + 1e-6 * len(pauses_s)


def test_the_wait_is_when_the_next_join_is_granted() -> None:
    limiter = JoinLimiter(per_second=2, burst=1)
    assert limiter.take("a", 0.0) == 0.0
    assert limiter.take("a", 0.1) == 0.4
    assert limiter.take("a", 0.51) == 0.0


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    limiter = JoinLimiter(per_second=1, burst=1)
    assert limiter.take("a", 10.0) == 0.0
    assert limiter.take("a", 5.0) > 0


def test_memory_is_bounded() -> None:
    limiter = JoinLimiter(burst=1, addresses_max=3)
    for address in "abcd":
        limiter.take(address, 0.0)
    assert limiter.take("a", 0.0) == 0.0, "the oldest was forgotten"
    assert limiter.take("d", 0.0) > 0, "the newest was not"


def test_what_shares_a_bucket() -> None:
    assert network_of("192.0.2.7") == "192.0.2.7"
    assert network_of("::ffff:192.0.2.7") == "192.0.2.7"
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9")
    assert network_of("2001:db8:1:2::1") != network_of("2001:db8:1:3::1")
    assert network_of("fe80::1%eth0") == network_of("fe80::2%eth0")
    assert network_of("not:an:address") == "not:an:address"
    assert network_of("") == ""
