"""The table is total, widens nothing by a role, and is what docs/standings.md says."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.gate import Action, Kind, Role, Standing
from folkmoot.gate.model import Sanction
from folkmoot.gate.standings import (
    ENDING,
    REASONS,
    STRICTEST_FIRST,
    TABLE,
    TABLES,
    TOLD,
    Rights,
    Shown,
    holding,
    loses_rights,
    may,
    may_sanction,
)
from folkmoot.gate.standings_page import page

STANDINGS = st.sampled_from(sorted(TABLE))
DOCS = Path(__file__).parents[2] / "docs" / "standings.md"


def test_every_standing_is_in_the_table() -> None:
    assert {standing for table in TABLES.values() for standing in table} == set(Standing)
    assert set(TABLES) == set(Kind)
    assert TABLES[Kind.ACCOUNT] is TABLE


def test_the_page_is_the_one_that_the_table_makes() -> None:
    assert DOCS.read_text() == page(), "run: python -m folkmoot.gate.standings_page > docs/standings.md"


def test_whoever_loses_a_right_is_told_why() -> None:
    assert {standing for standing in TABLE if TABLE[standing].actions != frozenset(Action)} == set(REASONS)


def test_who_may_not_read_is_shown_to_nobody() -> None:
    hidden = {standing for standing in TABLE if TABLE[standing].shown is Shown.NOBODY}
    assert {standing for standing in TABLE if Action.READ not in TABLE[standing].actions} == hidden


def test_a_suspended_person_keeps_the_reason_the_appeal_and_what_is_their_own_and_nothing_else() -> None:
    room = {Action.SIGN_IN, Action.SEE_STANDING, Action.APPEAL, Action.EXPORT, Action.TAKE_BACK_CONSENT}
    assert TABLE[Standing.SUSPENDED].actions == room | {Action.LEAVE}


@given(STANDINGS, st.sampled_from(Role), st.sampled_from(Action))
def test_a_role_narrows_and_never_widens(standing: Standing, role: Role, action: Action) -> None:
    if may(standing, role, action):
        assert action in TABLE[standing].actions
    elif action in TABLE[standing].actions:
        assert action is Action.MODERATE
        assert role is Role.MEMBER


@given(STANDINGS, STANDINGS)
def test_a_change_loses_rights_exactly_when_an_action_goes(before: Standing, after: Standing) -> None:
    gone = {a for a in Action if may(before, Role.OWNER, a) and not may(after, Role.OWNER, a)}
    assert loses_rights(before, after) == bool(gone)


SANCTIONS = st.lists(
    st.builds(
        Sanction,
        st.sampled_from([standing for standing in TABLE if standing is not Standing.ACTIVE]),
        until_ms=st.none() | st.integers(1, 10),
        id=st.integers(1, 9),
        lifted_at_ms=st.none() | st.none() | st.integers(0, 10),
    ),
    max_size=5,
)


@pytest.mark.parametrize("kind", Kind)
def test_the_order_of_strictness_is_that_of_the_rights_they_keep(kind: Kind) -> None:
    assert set(STRICTEST_FIRST) == set(Standing)
    table, shown = TABLES[kind], [Shown.NOBODY, Shown.FOLLOWERS, Shown.EVERYONE]
    for stricter, wider in pairwise(one for one in STRICTEST_FIRST if one in table):
        assert table[stricter].actions <= table[wider].actions
        assert shown.index(table[stricter].shown) <= shown.index(table[wider].shown)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.ACCOUNT])
def test_whatever_is_not_as_it_was_says_so_in_a_sentence(kind: Kind) -> None:
    assert set(TOLD[kind]) == set(TABLES[kind]) - {Standing.ACTIVE}
    assert TABLES[kind][Standing.ACTIVE] == Rights(frozenset(Action), Shown.EVERYONE)


@given(SANCTIONS, st.integers(0, 12))
def test_one_may_do_what_every_sanction_in_force_leaves(sanctions: list[Sanction], now_ms: int) -> None:
    in_force = [one for one in sanctions if one.lifted_at_ms is None and (one.until_ms or now_ms + 1) > now_ms]
    left = frozenset(Action).intersection(*(TABLE[one.standing].actions for one in in_force))
    assert TABLE[holding(sanctions, now_ms).standing].actions == left


@given(SANCTIONS, SANCTIONS, st.integers(0, 12))
def test_a_further_sanction_never_gives_a_right(held: list[Sanction], more: list[Sanction], now_ms: int) -> None:
    before, after = holding(held, now_ms), holding(held + more, now_ms)
    assert TABLE[after.standing].actions <= TABLE[before.standing].actions


@given(SANCTIONS, st.integers(0, 12), st.integers(0, 12))
def test_the_clock_alone_never_takes_a_right(held: list[Sanction], now_ms: int, later_ms: int) -> None:
    before, after = (holding(held, at_ms).standing for at_ms in sorted((now_ms, later_ms)))
    assert not loses_rights(before, after)


@given(SANCTIONS, st.integers(0, 12))
def test_what_is_shown_ends_when_the_kind_ends(held: list[Sanction], now_ms: int) -> None:
    shown = holding(held, now_ms)
    if shown.until_ms is not None:
        assert holding(held, shown.until_ms - 1).standing is shown.standing
        after = holding(held, shown.until_ms).standing
        assert STRICTEST_FIRST.index(after) > STRICTEST_FIRST.index(shown.standing)


def test_who_decides_about_whom() -> None:
    may_decide = {(one, other) for one in Role for other in Role if may_sanction(one, other)}
    assert may_decide == {(Role.OWNER, other) for other in Role} | {(Role.MODERATOR, Role.MEMBER)}


def test_only_what_can_be_given_an_end_has_one_in_the_table() -> None:
    assert set(ENDING) == set(Kind)
    assert ENDING[Kind.ACCOUNT] == {Standing.LIMITED, Standing.SUSPENDED}
    assert all(ENDING[kind] <= set(TABLES[kind]) - {Standing.ACTIVE} for kind in Kind)
