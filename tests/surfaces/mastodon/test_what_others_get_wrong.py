"""What clients have met on other servers and work around: each has a test, here or where ELSEWHERE says."""

from pathlib import Path

import httpx
import pytest
from tests.support.clock import FakeClock
from tests.surfaces.conftest import Person

ELSEWHERE = {
    "null avatars and headers": "test_portraits.py::test_nobody_is_without_a_picture",
    "prev that loops, or isn't there": "test_notifications.py::test_pages_lead_both_ways_and_end",
    "media still processing": "test_media.py::test_a_film_is_processed_later",
    "addresses of posts": "test_statuses.py::test_a_post_has_all_fields_that_clients_read",
    "a small picture": "test_media.py::test_a_small_picture_is_answered_at_once",
    "what strict decoders read": "test_decoders.py::test_what_clients_ask_for_in_a_day_they_can_read",
    "malformed multipart": "test_bad_requests.py::test_what_cannot_be_read_is_refused",
    "decompression bombs": "test_bad_files.py::test_words_that_unfold_in_a_picture_are_not_read",
    "polyglot files": "test_bad_files.py::test_a_file_that_is_two_things_is_one",
    "SVG with scripts": "test_media.py::test_what_is_not_taken_is_refused",
    "large pictures": "../../media/test_pictures.py::test_too_many_pixels_are_refused_before_they_are_read",
    "films that never end": "test_media.py::test_what_can_not_be_processed_says_why",
    "a thousand mentions": "test_bad_files.py::test_a_thousand_mentions_are_refused",
    "cyclic replies": "test_statuses.py::test_a_thread_that_goes_in_a_circle_has_an_end",
    "cursors from another list": "test_bad_requests.py::test_cursors_of_another_list_are_only_numbers",
    "tokens of other apps": "test_oauth.py::test_only_ones_own_tokens_are_revoked",
    "scopes too small": "test_bad_requests.py::test_who_may_not_is_told_so",
    "expired tokens on open streams": "test_streams.py::test_a_token_that_is_over_ends_it",
}
"""Of those, and of the bad input that is promised to be answered: where its test is."""
# What apps ask for when they start, before anybody has done anything.
ON_START = [
    "/.well-known/oauth-authorization-server",
    *(f"/api/v1/{path}" for path in (
        "accounts/verify_credentials", "announcements", "blocks", "bookmarks", "conversations", "custom_emojis",
        "directory", "domain_blocks", "favourites", "featured_tags", "filters", "follow_requests", "followed_tags",
        "instance", "instance/extended_description", "instance/peers", "instance/rules",
        "instance/translation_languages", "lists", "markers", "mutes", "notifications", "notifications/requests",
        "notifications/unread_count", "preferences", "scheduled_statuses", "streaming/health", "suggestions",
        "timelines/home", "timelines/public", "trends", "trends/links", "trends/statuses", "trends/tags",
    )),
    *(f"/api/v2/{path}" for path in (
        "filters", "instance", "notifications", "notifications/policy", "suggestions",
    )),
]  # fmt: skip


@pytest.mark.parametrize("what", ELSEWHERE)
def test_what_has_its_test_elsewhere_has_it(what: str) -> None:
    file, _, name = ELSEWHERE[what].partition("::")
    assert f"def {name}(" in (Path(__file__).parent / file).read_text()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_apps_ask_for_on_start_is_there(client: httpx.AsyncClient, alice: Person) -> None:
    answers = {path: await client.get(path, headers=alice.headers) for path in ON_START}
    assert {path: one.status_code for path, one in answers.items() if one.status_code != 200} == {}
    for path, answer in answers.items():
        assert path.endswith("health") or answer.json() is not None, path


# https://docs.joinmastodon.org/entities/Instance/#configuration, and that of V1_Instance within it.
CONFIGURATION = {
    "urls": {"streaming"},
    "vapid": {"public_key"},
    "accounts": {"max_featured_tags", "max_pinned_statuses"},
    "statuses": {"max_characters", "max_media_attachments", "characters_reserved_per_url"},
    "media_attachments": {
        "supported_mime_types", "description_limit", "image_size_limit", "image_matrix_limit", "video_size_limit",
        "video_frame_rate_limit", "video_matrix_limit",
    },
    "polls": {"max_options", "max_characters_per_option", "min_expiration", "max_expiration"},
    "translation": {"enabled"},
    "timelines_access": {"live_feeds", "hashtag_feeds", "trending_link_feeds"},
}  # fmt: skip


async def test_the_older_instance_says_its_configuration_too(client: httpx.AsyncClient) -> None:
    older, newer = [(await client.get(f"/api/v{one}/instance")).json()["configuration"] for one in (1, 2)]
    assert older == newer
    for what, names in CONFIGURATION.items():
        assert names <= newer[what].keys(), what
    limits = [newer[what][name] for what in ("accounts", "statuses", "polls") for name in CONFIGURATION[what]]
    assert all(type(limit) is int and limit > 0 for limit in limits)
    assert newer["limited_federation"] is False


async def test_boosts_and_posts_are_in_one_order(
    client: httpx.AsyncClient, clock: FakeClock, alice: Person, bob: Person
) -> None:
    """A boost has an id of its own, from when it was made: lists are in the order of ids, and cursors hold."""

    async def ids_of(path: str, **asked: str) -> list[str]:
        answer = await client.get(f"/api/v1/{path}", params=asked, headers=bob.headers)
        return [one["id"] for one in answer.json()]

    async def said(path: str, **body: str) -> str:
        clock.advance_ms(1_000)
        return str((await client.post(f"/api/v1/{path}", json=body, headers=bob.headers)).json()["id"])

    first = (await client.post("/api/v1/statuses", json={"status": "old"}, headers=alice.headers)).json()["id"]
    before = await said("statuses", status="before")
    boosted = await said(f"statuses/{first}/reblog")
    after = await said("statuses", status="after")
    assert sorted([before, boosted, after], key=int) == [before, boosted, after]
    for path in ("timelines/home", f"accounts/{bob.id}/statuses"):
        assert (await ids_of(path))[:3] == [after, boosted, before]
        assert await ids_of(path, max_id=after, since_id=before) == [boosted]
