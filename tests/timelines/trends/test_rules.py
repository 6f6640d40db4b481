"""What is a trend: different people, now."""

from hypothesis import given
from hypothesis import strategies as st

from folkmoot.posts.text import to_html, tokens
from folkmoot.storage.ids import id_at
from folkmoot.timelines.trends import rules
from folkmoot.timelines.trends.model import Use

DAY_MS = 86_400_000
NOW_MS = 30 * DAY_MS
USES = st.lists(
    st.builds(Use, st.sampled_from("abc"), st.integers(1, 5), st.integers(0, NOW_MS).map(id_at)), max_size=40
).map(lambda uses: sorted(uses, key=lambda use: -use.post_id))


def use(what: str, who: int, days_ago: float = 0) -> Use:
    return Use(what, who, id_at(int(NOW_MS - days_ago * DAY_MS)))


def test_people_count_and_lately() -> None:
    found = rules.strongest(
        [
            use("new", 1),
            use("new", 2),
            *[use("alone", 3)] * 9,
            use("old", 4, 3),
            use("old", 5, 3),
            use("old", 6, 3),
        ],
        NOW_MS,
    )
    assert list(found) == ["new", "old"]
    assert [one.account_id for one in found["old"]] == [4, 5, 6]


@given(USES)
def test_each_person_counts_once_and_nothing_grows(uses: list[Use]) -> None:
    for what, kept in rules.strongest(uses, NOW_MS).items():
        people = {one.account_id for one in uses if one.what == what}
        assert {one.account_id for one in kept} == people
        assert len(kept) == len(people) >= rules.PEOPLE_MIN


def test_what_is_kept_is_bounded() -> None:
    many = [use(f"tag{number}", who) for number in range(50) for who in range(30)]
    found = rules.strongest(many, NOW_MS)
    assert (len(found), {len(kept) for kept in found.values()}) == (rules.TRENDS_MAX, {rules.USES_KEPT_MAX})


def test_posts_by_marks_and_age() -> None:
    new, old = id_at(NOW_MS), id_at(NOW_MS - 2 * DAY_MS)
    assert rules.strongest_posts([(old, 7), (new, 2), (new + 1, 1)], NOW_MS) == (new, old)
    assert rules.strongest_posts([(old, 9), (new, 2)], NOW_MS) == (old, new)


def test_links_are_found_as_posts_write_them() -> None:
    source = "@alice #tag https://a.test/x?y=1&z=2 and http://b.test https://a.test/x?y=1&z=2"
    written = to_html(tokens(source), {"alice": "alice"})
    assert rules.links_in(written) == ["https://a.test/x?y=1&z=2", "http://b.test"]
