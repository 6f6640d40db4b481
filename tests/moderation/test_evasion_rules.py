"""What holds a sign-up, and for how long; what moderators read of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.gate import Standing
from folkmoot.moderation.evasion.model import Hint, Kind, Match
from folkmoot.moderation.evasion.rules import DAY_MS, SANCTIONED, SHARED_BY, sentence, worth_a_look

NOW_MS = 1_800_000_000_000
MATCHES = st.builds(
    Match,
    kind=st.sampled_from(Kind),
    account_id=st.integers(1, 5),
    standing=st.sampled_from(Standing),
    seen_at_ms=st.integers(NOW_MS - 200 * DAY_MS, NOW_MS),
    users=st.integers(1, 10),
)


def match(kind: Kind, standing: Standing, days: float = 1, users: int = 1) -> Match:
    return Match(kind, 1, standing, NOW_MS - int(days * DAY_MS), users)


@pytest.mark.parametrize(
    ("found", "holds"),
    [
        (match(Kind.MAILBOX, Standing.ACTIVE), True),
        (match(Kind.MAILBOX, Standing.SUSPENDED, days=1_000), True),
        (match(Kind.BROWSER, Standing.SUSPENDED), True),
        (match(Kind.BROWSER, Standing.LIMITED), True),
        (match(Kind.BROWSER, Standing.SUSPENDED, days=89), True),
        (match(Kind.BROWSER, Standing.SUSPENDED, days=90), False),
        # A second account in good standing, one's own deactivated one, one whose password was stolen.
        (match(Kind.BROWSER, Standing.ACTIVE), False),
        (match(Kind.BROWSER, Standing.DEACTIVATED), False),
        (match(Kind.BROWSER, Standing.LOCKED), False),
        (match(Kind.ADDRESS, Standing.SUSPENDED), True),
        (match(Kind.ADDRESS, Standing.SUSPENDED, days=7), False),
        # A school: the address says nothing of one of its pupils.
        (match(Kind.ADDRESS, Standing.SUSPENDED, users=SHARED_BY), False),
        (match(Kind.BROWSER, Standing.SUSPENDED, users=SHARED_BY), True),
    ],
)
def test_what_holds_a_sign_up(found: Match, holds: bool) -> None:
    assert worth_a_look([found], NOW_MS) == ([found] if holds else [])


@given(st.lists(MATCHES))
def test_of_each_account_the_surest(found: list[Match]) -> None:
    held = worth_a_look(found, NOW_MS)
    assert len({one.account_id for one in held}) == len(held)
    order = list(Kind)
    for one in held:
        rivals = [other for other in found if other.account_id == one.account_id and worth_a_look([other], NOW_MS)]
        assert order.index(one.kind) == min(order.index(other.kind) for other in rivals)
    assert {one.account_id for one in held} == {one.account_id for one in found if worth_a_look([one], NOW_MS)}, (
        "nobody is forgotten"
    )


@given(st.lists(MATCHES))
def test_without_a_mailbox_only_sanctioned_accounts_hold(found: list[Match]) -> None:
    for one in worth_a_look(found, NOW_MS):
        assert one.kind is Kind.MAILBOX or one.standing in SANCTIONED


def test_moderators_read_how_little_it_says() -> None:
    hint = Hint(1, 2, Kind.BROWSER, NOW_MS, Standing.SUSPENDED, NOW_MS - DAY_MS)
    assert sentence(hint, "mara") == (
        "This sign-up came from a browser that @mara, suspended on 2027-01-14, used last on 2027-01-15. "
        "Browsers are lent and shared."
    )
    lifted = Hint(1, 2, Kind.ADDRESS, NOW_MS, Standing.ACTIVE, None)
    assert "@mara used last" in sentence(lifted, "mara")
    assert "That says little" in sentence(lifted, "mara")
