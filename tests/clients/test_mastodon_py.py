"""Mastodon.py, on which bots and tools are built: it signs in by OAuth and lives a day."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mastodon import Mastodon, MastodonAPIError, StreamListener
from PIL import Image
from tests.clients.signing_in import let_in
from tests.support.server import Server, eventually
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow
SCOPES = ["read", "write", "follow", "push"]


def signed_in(server: Server, name: str) -> Any:
    client_id, secret = Mastodon.create_app("A day", api_base_url=server.base_url, scopes=SCOPES)
    client = Mastodon(
        client_id=client_id, client_secret=secret, api_base_url=server.base_url, ratelimit_method="throw"
    )
    address = client.auth_request_url(scopes=SCOPES, allow_http=True)
    client.log_in(code=let_in(server.base_url, name, address), scopes=SCOPES, allow_http=True)
    return client


@pytest.fixture
def ana(server: Server) -> Any:
    return signed_in(server, "ana")


@pytest.fixture
def ben(server: Server) -> Any:
    return signed_in(server, "ben")


def picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 20, 20)).save(written, "PNG")
    return written.getvalue()


def ids(found: Any) -> list[Any]:
    return [one.id for one in found]


def test_a_day(ana: Any, ben: Any) -> None:
    people(ana, ben)
    post = posts(ana, ben)
    reading(ana, ben, post)
    being_told(ana, ben)
    listening(ana, ben)
    ana.revoke_access_token(allow_http=True)
    with pytest.raises(MastodonAPIError):
        ana.timeline_home()


def people(ana: Any, ben: Any) -> None:
    me, other = ana.me(), ben.me()
    assert ana.retrieve_mastodon_version().startswith("4.")
    changed = ana.account_update_credentials(display_name="Ana", note="Hello", fields=[("tea", "green")])
    assert (changed.display_name, changed.fields[0].name) == ("Ana", "tea")
    assert ben.account_follow(me, reblogs=False).showing_reblogs is False
    assert ben.account_follow(me).following
    assert ben.account_relationships(me)[0].following
    assert ids(ben.account_search("ana")) == [me.id]
    assert ben.account_lookup("ana").id == me.id
    assert ben.account_mute(me, duration=60).muting
    assert ids(ben.mutes()) == [me.id]
    ben.account_unmute(me)
    assert ben.account_note_set(me, "met at tea").note == "met at tea"
    ana.account_block(other)
    assert ids(ana.blocks()) == [other.id]
    ana.account_unblock(other)
    ben.domain_block("loud.example")
    assert ben.domain_blocks() == ["loud.example"]
    ben.domain_unblock("loud.example")
    ben.account_follow(me)
    ben.account_pin(me)
    assert ids(ben.endorsements()) == [me.id]
    assert ben.preferences()["posting:default:visibility"] == "public"
    assert ben.suggestions() == []
    assert me.id in ids(ben.directory(order="new", local=True))
    assert ben.report(me, comment="a test").comment == "a test"


def posts(ana: Any, ben: Any) -> Any:
    post = ana.status_post("Good morning #day @ben", language="en", idempotency_key="once")
    assert ana.status_post("Good morning #day @ben", idempotency_key="once").id == post.id
    reply = ben.status_reply(post, "And to you")
    assert ids(ana.status_context(post).descendants) == [reply.id]
    assert ben.status_reblog(post).reblog.id == post.id
    quote = ben.status_post("As she says", quoted_status_id=post)
    assert ana.status(quote).quote.quoted_status.id == post.id
    assert ben.status_favourite(post).favourites_count == 1
    assert ben.status_bookmark(post).bookmarked
    assert (ids(ben.bookmarks()), ids(ben.favourites())) == ([post.id], [post.id])
    assert ids(ana.status_favourited_by(post)) == [ben.me().id]
    assert ana.status_pin(post).pinned
    assert ids(ben.account_statuses(ana.me(), pinned=True)) == [post.id]
    asked = ana.status_post("Tea?", poll=ana.make_poll(["yes", "no"], expires_in=600))
    assert ben.poll_vote(asked.poll, [0]).votes_count == 1
    file = ana.media_post(picture(), mime_type="image/png", description="red", focus=(0.1, 0.2))
    shown = ana.status_post("A picture", media_ids=[file], spoiler_text="colours", sensitive=True)
    assert shown.media_attachments[0].description == "red"
    assert ana.status_update(shown, "The picture", media_ids=[file]).edited_at
    assert [one.content for one in ana.status_history(shown)] == ["<p>A picture</p>", "<p>The picture</p>"]
    assert ana.status_source(shown).text == "The picture"
    later = ana.status_post("Later", scheduled_at=datetime.now(UTC) + timedelta(hours=1))
    assert ids(ana.scheduled_statuses()) == [later.id]
    ana.scheduled_status_update(later, datetime.now(UTC) + timedelta(hours=2))
    ana.scheduled_status_delete(later)
    assert ana.status_delete(shown, delete_media=False).text == "The picture"
    return post


def reading(ana: Any, ben: Any, post: Any) -> None:
    assert post.id in ids(ben.timeline_home())
    everything = ids(ben.fetch_remaining(ben.timeline_home(limit=1)))
    assert len(everything) == len(set(everything)) > 1
    assert post.id in ids(ben.timeline_local())
    assert ids(ben.timeline_hashtag("day")) == [post.id]
    friends = ben.list_create("friends")
    ben.list_accounts_add(friends, [ana.me()])
    assert post.id in ids(ben.timeline_list(friends))
    assert ids(ben.account_lists(ana.me())) == [friends.id]
    words = [{"keyword": "morning", "whole_word": True}]
    ben.create_filter_v2("no mornings", ["home"], "warn", keywords_attributes=words)
    filtered = next(one for one in ben.timeline_home() if one.id == post.id).filtered
    assert filtered[0].keyword_matches == ["morning"]
    assert ids(ana.search_v2("picture OR morning", result_type="statuses").statuses) == []
    assert ids(ana.search_v2("morning", result_type="statuses").statuses) == [post.id]
    assert [one.name for one in ana.search_v2("day", result_type="hashtags").hashtags] == ["day"]
    ben.tag_follow("day")
    assert [tag.name for tag in ben.followed_tags()] == ["day"]
    ben.status_post("@ana psst", visibility="direct")
    talk = ana.conversations()[0]
    assert talk.unread
    assert not ana.conversations_read(talk).unread
    ana.markers_set(["home"], [post])
    assert ana.markers_get(["home"])["home"].last_read_id == str(post.id)


def being_told(ana: Any, ben: Any) -> None:
    kinds = {"follow", "favourite", "reblog", "quote", "mention"}
    # The worker makes them, as soon as it gets a processor.
    eventually(lambda: {one.type for one in ana.notifications()} == kinds, what="all that ana is told")
    told = ana.notifications()
    newest = ana.notifications(limit=1)
    assert ids(ana.fetch_next(newest)) == [told[1].id]
    assert ana.fetch_previous(newest) == []
    assert len(ana.grouped_notifications().notification_groups) == len({one.group_key for one in told})
    ana.notifications_dismiss(told[0])
    assert ids(ana.notifications()) == ids(told[1:])
    ana.notifications_clear()
    assert ana.notifications() == []
    keys = ben.push_subscription_generate_keys()[1]
    assert ben.push_subscription_set("https://push.example.org/one", keys, mention_events=True).alerts.mention
    ben.push_subscription_delete()


class Heard(StreamListener):
    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []

    def on_update(self, status: Any) -> None:
        self.events.append(("update", status.id))

    def on_notification(self, notification: Any) -> None:
        self.events.append(("notification", notification.type))

    def on_status_update(self, status: Any) -> None:
        self.events.append(("edit", status.id))

    def on_delete(self, status_id: Any) -> None:
        self.events.append(("delete", status_id))


def listening(ana: Any, ben: Any) -> None:
    heard = Heard()
    assert ben.stream_healthy()
    handle = ben.stream_user(heard, run_async=True)
    wait_until(handle.is_receiving)
    status = ana.status_post("Good night @ben")
    ana.status_update(status, "Good night, @ben")
    ana.status_delete(status)
    wanted = {("update", status.id), ("notification", "mention"), ("edit", status.id), ("delete", str(status.id))}
    try:
        wait_until(lambda: wanted <= {(kind, what) for kind, what in heard.events})
    finally:
        handle.close()
