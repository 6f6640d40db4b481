"""The table is total, widens nothing by a role, and is what docs/standings.md says."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.gate import Action, Role, Standing
from folkmoot.gate.standings import ENDING, REASONS, TABLE, Shown, effective, loses_rights, may
from folkmoot.gate.standings_page import page

STANDINGS = st.sampled_from(Standing)
DOCS = Path(__file__).parents[2] / "docs" / "standings.md"


def test_every_standing_is_in_the_table() -> None:
    assert set(TABLE) == set(Standing)


def test_the_page_is_the_one_that_the_table_makes() -> None:
    assert DOCS.read_text() == page(), "run: python -m folkmoot.gate.standings_page > docs/standings.md"


def test_whoever_loses_a_right_is_told_why() -> None:
    assert {standing for standing in Standing if TABLE[standing].actions != frozenset(Action)} == set(REASONS)


def test_who_may_not_read_is_shown_to_nobody() -> None:
    hidden = {standing for standing in Standing if TABLE[standing].shown is Shown.NOBODY}
    assert {standing for standing in Standing if Action.READ not in TABLE[standing].actions} == hidden


def test_a_suspended_person_keeps_the_reason_the_appeal_and_what_is_their_own_and_nothing_else() -> None:
    room = {Action.SIGN_IN, Action.SEE_STANDING, Action.APPEAL, Action.EXPORT, Action.TAKE_BACK_CONSENT}
    assert TABLE[Standing.SUSPENDED].actions == room


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


@given(STANDINGS, st.none() | st.integers(0, 10), st.integers(0, 10))
def test_a_standing_is_over_at_its_end_and_not_before(
    standing: Standing, until_ms: int | None, now_ms: int
) -> None:
    over = until_ms is not None and now_ms >= until_ms
    assert effective(standing, until_ms, now_ms) is (Standing.ACTIVE if over else standing)


@pytest.mark.parametrize("standing", sorted(ENDING))
def test_what_can_end_by_itself_can_only_become_wider(standing: Standing) -> None:
    assert not loses_rights(standing, Standing.ACTIVE)
