"""From events of the bus to what is said in streams: who may be shown it, the gate says for each who follows.

Nothing rendered is kept: a post is made once for those to whom the gate shows the same of it, when it happens.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import structlog
from msgspec.structs import replace

from folkmoot.gate import Facts, Reach, Viewer
from folkmoot.notifications import queries as notifications
from folkmoot.notifications.actions import NOTIFICATIONS_MERGED, NOTIFIED
from folkmoot.posts import boosts, quotes
from folkmoot.posts import queries as posts
from folkmoot.posts.actions import POST_CREATED, POST_DELETED
from folkmoot.posts.boosts import POST_BOOSTED, POST_BOOSTS_ENDED, POST_UNBOOSTED
from folkmoot.posts.conversations import queries as conversations
from folkmoot.posts.edits import POST_EDITED
from folkmoot.posts.model import FOR_ALL, Post, Visibility
from folkmoot.posts.polls import POLL_ENDED, POLL_VOTED
from folkmoot.posts.quotes import QUOTE_REVOKED
from folkmoot.storage.database import Read
from folkmoot.storage.events import Event
from folkmoot.surfaces.mastodon import load_notifications, load_statuses, present_notifications
from folkmoot.surfaces.mastodon.announcements import announcement
from folkmoot.surfaces.mastodon.conversations import load as load_conversations
from folkmoot.surfaces.mastodon.streams import channels as c
from folkmoot.surfaces.mastodon.streams import message as m
from folkmoot.surfaces.mastodon.streams.channels import Channel
from folkmoot.surfaces.mastodon.streams.message import Message, message
from folkmoot.surfaces.mastodon.streams.switchboard import Line, Switchboard
from folkmoot.surfaces.services import Services
from folkmoot.timelines import readers
from folkmoot.timelines.announcements import queries as announcements
from folkmoot.timelines.announcements.actions import (
    ANNOUNCEMENT_PUBLISHED,
    ANNOUNCEMENT_REACTED,
    ANNOUNCEMENT_WITHDRAWN,
)
from folkmoot.timelines.filters.actions import FILTERS_CHANGED
from folkmoot.timelines.filters.model import Context

log = structlog.get_logger(__name__)
_Lines = list[tuple[Line, tuple[str, ...]]]
_MEDIA = ":media"
_SAID_AT_ONCE = 500
_SHOWN_BY_MAX = 20  # of a post's boosts, and of its quotes
_GONE_AT_ONCE = 50  # of the boosts of a post
LATER_EVERY_S = 1.0
"""Of each post: how its poll stands, and what it shows of others."""


class Broadcast:
    """In the web process, behind a follower of its own."""

    def __init__(self, services: Services, switchboard: Switchboard, later_every_s: float = LATER_EVERY_S) -> None:
        self._services = services
        self._switchboard = switchboard
        self._later_every_s = later_every_s
        self._later: dict[int, asyncio.Task[None]] = {}
        self._one_at_a_time = asyncio.Lock()
        self._handlers: Mapping[str, Callable[[Any], Awaitable[None]]] = {
            POST_CREATED: self._posted,
            POST_BOOSTED: self._boosted,
            POST_EDITED: self._edited,
            QUOTE_REVOKED: self._quote_revoked,
            POLL_VOTED: self._voted,
            POLL_ENDED: self._voted,
            POST_DELETED: self._deleted,
            POST_UNBOOSTED: self._unboosted,
            POST_BOOSTS_ENDED: self._boosts_ended,
            NOTIFIED: self._notified,
            NOTIFICATIONS_MERGED: self._merged,
            FILTERS_CHANGED: self._filters_changed,
            ANNOUNCEMENT_PUBLISHED: self._announced,
            ANNOUNCEMENT_WITHDRAWN: self._withdrawn,
            ANNOUNCEMENT_REACTED: self._reacted,
        }

    async def on_event(self, event: Event) -> None:
        """Say what happened to who follows it."""
        handler = self._handlers.get(event.kind)
        if handler is not None and len(self._switchboard):
            await handler(event.payload)

    async def missed(self) -> None:
        """Events are gone that nobody was told of: whoever looks at a timeline sees what they made."""

    async def _posted(self, payload: Any) -> None:
        await self._say_post(m.UPDATE, int(payload["post"]))

    async def _boosted(self, payload: Any) -> None:
        await self._say_post(m.UPDATE, int(payload["boost"]))

    async def _edited(self, payload: Any) -> None:
        post_id, before = int(payload["post"]), payload.get("before")
        await self._say_post(m.EDITED, post_id, before)
        if before is not None:
            await self._say_to_unnamed(post_id, before)
        async with self._services.database.read() as read:
            self._say_later(await boosts.showing(read, post_id, _SHOWN_BY_MAX))
            self._say_later(await quotes.showing(read, post_id, _SHOWN_BY_MAX))

    async def _quote_revoked(self, payload: Any) -> None:
        await self._say_post(m.EDITED, int(payload["post"]))

    async def _say_to_unnamed(self, post_id: int, before: Any) -> None:
        """That it is gone, to those who may see it no more: programs drop what is gone wherever they show it, so
        whoever may still see it elsewhere isn't told so, though it stands in a timeline of theirs no more."""
        async with self._services.database.read() as read:
            post = await posts.by_id(read, post_id)
            if post is None or post.visibility in FOR_ALL:
                return
            stood = _as_it_stood(post, before)
            unnamed = set(stood.mentions) - set(post.mentions)
            lines = [one for id_ in unnamed for one in self._switchboard.lines(Channel(c.USER, str(id_)))]
            lines += [one for one in await self._lists(read, stood) if one[0].viewer.id in unnamed]
            gone = _Deleted(str(post_id), stood.gate_facts())
            await self._say_deleted(read, {gone: await self._blind(read, post, lines)})
            if post.visibility is Visibility.DIRECT:
                await self._say_conversation(read, post.conversation_id, unnamed)

    async def _blind(self, read: Read, post: Post, lines: _Lines) -> _Lines:
        """Those of some who may not see a post."""
        viewers = list(_by_viewer(lines))
        told = await self._services.gate.admit_each(read, viewers, [post]) if viewers else []
        see = {viewer for some, seen in told if seen for viewer in some}
        return [one for one in lines if one[0].viewer not in see]

    async def _voted(self, payload: Any) -> None:
        self._say_later([int(payload["post"])])

    def _say_later(self, post_ids: Iterable[int]) -> None:
        """As they are a moment later, whatever happens until then: of a thousand votes in a poll, one is told."""
        for id_ in post_ids:
            if id_ not in self._later:
                self._later[id_] = asyncio.create_task(self._wait_and_say(id_), name=f"streams.later.{id_}")

    async def _wait_and_say(self, post_id: int) -> None:
        await asyncio.sleep(self._later_every_s)
        async with self._one_at_a_time:
            del self._later[post_id]
            try:
                await self._say_post(m.EDITED, post_id)
            except Exception:
                log.exception("streams.not_said", post=post_id)

    async def _deleted(self, payload: Any) -> None:
        if "facts" not in payload:
            return  # told by the version before, which goes on for a moment while it is replaced
        facts, author_id = msgspec.convert(payload["facts"], Facts), int(payload["account"])
        if facts.reach is Reach.PUBLIC:
            names = (*c.PUBLIC, *c.PUBLIC_MEDIA, c.HASHTAG, c.LOCAL_HASHTAG)
            followed = [channel for name in names for channel in self._switchboard.followed(name)]
            self._switchboard.say(followed, message(m.DELETE, payload["post"]))
        homes = self._by_id(c.USER)
        async with self._services.database.read() as read:
            others = facts.named_ids & homes.keys()
            if facts.reach is Reach.PUBLIC and payload.get("tagged"):
                others |= await readers.following_tags(read, list(homes))
            own = (await self._audiences(read, [author_id]))[author_id]
            told = own + [line for one in others for line in homes[one]]
            await self._say_deleted(read, {_Deleted(payload["post"], facts): told})
            if "conversation" in payload:
                parties = {author_id, *facts.named_ids}
                await self._say_conversation(read, int(payload["conversation"]), parties)
            self._say_later(await quotes.showing(read, int(payload["post"]), _SHOWN_BY_MAX))

    async def _unboosted(self, payload: Any) -> None:
        account_id = int(payload["account"])
        async with self._services.database.read() as read:
            told = (await self._audiences(read, [account_id]))[account_id]
            await self._say_deleted(read, {_boost_gone(payload["boost"], account_id): told})

    async def _boosts_ended(self, payload: Any) -> None:
        """To whom the boosts of a deleted post showed it: the boost is gone, and the post."""
        boosts = {int(account_id): boost_id for account_id, boost_id in payload["boosts"]}
        async with self._services.database.read() as read:
            audiences = await self._audiences(read, list(boosts))
            everybody = [one for lines in audiences.values() for one in lines]
            facts = msgspec.convert(payload["facts"], Facts)
            gone = {_Deleted(payload["post"], facts): everybody}
            gone |= {_boost_gone(boosts[id_], id_): lines for id_, lines in audiences.items()}
            await self._say_deleted(read, gone)

    async def _say_post(self, event: str, post_id: int, before: Any = None) -> None:
        """In the timelines where it stands, and where it stood `before`: there it is still shown."""
        async with self._services.database.read() as read:
            post = await posts.by_id(read, post_id)
            if post is None:
                return
            if post.visibility is Visibility.DIRECT:
                await self._say_conversation(read, post.conversation_id, {post.account_id, *post.mentions})
            forms = [post] if before is None else [post, _as_it_stood(post, before)]
            own = [one for form in forms for one in await self._own(read, form)]
            await self._say_in(read, event, post, own, Context.HOME)
            public = [one for form in forms for one in await self._public(read, form)]
            if public:
                # Without quotes of who stands in no public list, as in the timelines.
                for listed in await load_statuses.in_public(read, self._services, [post]):
                    await self._say_in(read, event, listed, public, Context.PUBLIC)

    async def _say_in(self, read: Read, event: str, post: Post, lines: _Lines, context: Context) -> None:
        if not lines:
            return
        by_viewer = _by_viewer(dict.fromkeys(lines))
        # Of an answer somebody may have muted the conversation before.
        is_new = event == m.UPDATE and post.reblog_of_id is None and post.in_reply_to_id is None
        async for viewers, status in load_statuses.for_many(
            read, self._services, list(by_viewer), post, context, is_new=is_new
        ):
            await _say(message(event, status), viewers, by_viewer, has_media=bool(status.media_attachments))

    async def _own(self, read: Read, post: Post) -> _Lines:
        return await self._home(read, post) + await self._lists(read, post)

    async def _home(self, read: Read, post: Post) -> _Lines:
        lines = self._by_id(c.USER)
        found = await readers.of_home(read, post, list(lines))
        return [one for account_id in found for one in lines[account_id]]

    async def _lists(self, read: Read, post: Post) -> _Lines:
        lists = self._by_id(c.LIST)
        found = await readers.of_lists(read, post, list(lists))
        return [one for list_id in found for one in lists[list_id]]

    async def _public(self, read: Read, post: Post) -> _Lines:
        """Of what is for everybody: what is no answer, and whatever has the tag."""
        if post.visibility is not Visibility.PUBLIC or post.reblog_of_id is not None:
            return []
        names = [Channel(name, tag) for tag in post.tags for name in (c.HASHTAG, c.LOCAL_HASHTAG)]
        if post.in_reply_to_id is None:
            names += [Channel(name) for name in c.PUBLIC + c.PUBLIC_MEDIA]
        lines = [one for name in names for one in self._switchboard.lines(name)]
        if not lines:
            return []
        shown = await readers.unhidden(read, post, list({line.viewer.id for line, _ in lines}))
        return [(line, label) for line, label in lines if line.viewer.id in shown]

    async def _say_conversation(self, read: Read, conversation_id: int, account_ids: Collection[int]) -> None:
        """How it stands now, to each of some who follows their own."""
        followed = self._by_id(c.DIRECT)
        present = followed.keys() & set(account_ids)
        found = await conversations.sides(read, conversation_id, present) if present else {}
        for account_id, side in found.items():
            for line, label in followed[account_id]:
                for shown in await load_conversations(read, self._services, line.viewer, [side]):
                    line.say(message(m.CONVERSATION, shown), label)

    async def _audiences(self, read: Read, account_ids: Sequence[int]) -> dict[int, _Lines]:
        """To whom what each of some accounts writes is shown: at home, and in lists that they are on."""
        homes, lists = self._by_id(c.USER), self._by_id(c.LIST)
        found: dict[int, _Lines] = {account_id: [] for account_id in account_ids}
        for account_id, follower_id in await readers.followers(read, account_ids, list(homes)):
            found[account_id] += homes[follower_id]
        for account_id, list_id in await readers.lists_with(read, account_ids, list(lists)):
            found[account_id] += lists[list_id]
        return found

    async def _say_deleted(self, read: Read, gone: Mapping["_Deleted", _Lines]) -> None:
        """Of each to each once, as far as they could see it. A few statements for every fifty."""
        told = [(one, _by_viewer(dict.fromkeys(lines))) for one, lines in gone.items() if lines]
        for first in range(0, len(told), _GONE_AT_ONCE):
            some = dict(told[first : first + _GONE_AT_ONCE])
            viewers = list(dict.fromkeys(viewer for lines in some.values() for viewer in lines))
            for alike, seen in await self._services.gate.admit_each(read, viewers, list(some)):
                for visible in seen:
                    lines = some[visible.item]
                    to = [viewer for viewer in alike if viewer in lines]
                    await _say(message(m.DELETE, visible.item.id), to, lines, has_media=True)

    async def _notified(self, payload: Any) -> None:
        for account_id, notification_id in payload["told"]:
            lines = self._notified_lines(account_id)
            if lines:
                await self._say_notification(lines, int(notification_id))

    async def _say_notification(self, lines: _Lines, notification_id: int) -> None:
        viewer = lines[0][0].viewer
        async with self._services.database.read() as read:
            rows = await notifications.by_ids(read, viewer.id, [notification_id])
            loaded = await load_notifications.load(read, self._services, viewer, rows)
        for one in loaded:
            what = message(m.NOTIFICATION, present_notifications.notification(one, self._services.site))
            for line, label in lines:
                line.say(what, label)

    async def _merged(self, payload: Any) -> None:
        for line, label in self._notified_lines(payload["account"]):
            line.say(message(m.MERGED, "1"), label)

    async def _filters_changed(self, payload: Any) -> None:
        self._switchboard.say([Channel(c.USER, str(payload["account"]))], message(m.FILTERS_CHANGED))

    async def _announced(self, payload: Any) -> None:
        """To everybody, as nobody in particular has read it yet."""
        async with self._services.database.read() as read:
            found = await announcements.by_id(read, None, int(payload["announcement"]))
        if found is not None:
            self._say_to_all(message(m.ANNOUNCEMENT, announcement(found, self._services.site)))

    async def _withdrawn(self, payload: Any) -> None:
        self._say_to_all(message(m.ANNOUNCEMENT_DELETED, payload["announcement"]))

    async def _reacted(self, payload: Any) -> None:
        async with self._services.database.read() as read:
            found = await announcements.by_id(read, None, int(payload["announcement"]))
        counts = {} if found is None else {one.name: one.count for one in found.reactions}
        name = payload["name"]
        said = {"name": name, "count": counts.get(name, 0), "announcement_id": payload["announcement"]}
        self._say_to_all(message(m.REACTION, said))

    def _say_to_all(self, what: Message) -> None:
        self._switchboard.say(self._switchboard.followed(c.USER), what)

    def _notified_lines(self, account_id: str) -> _Lines:
        own = [
            one
            for one in self._switchboard.lines(Channel(c.USER, account_id))
            if c.hears_notifications(one[0].viewer)
        ]
        return own + self._switchboard.lines(Channel(c.NOTIFICATIONS, account_id))

    def _by_id(self, name: str) -> dict[int, _Lines]:
        """Who follows the streams of a name, by what these are about: an account, or a list."""
        return {
            int(channel.about): self._switchboard.lines(channel) for channel in self._switchboard.followed(name)
        }


class _Deleted(msgspec.Struct, frozen=True):
    """A post that is there no more, as the gate knew it."""

    id: str
    facts: Facts

    def gate_facts(self) -> Facts:
        return self.facts


def _boost_gone(id_: str, account_id: int) -> _Deleted:
    return _Deleted(id_, Facts((account_id,), Reach.UNLISTED))


def _as_it_stood(post: Post, before: Any) -> Post:
    """By what it was in timelines, and for whom, before an edit."""
    return replace(
        post,
        mentions=tuple(map(int, before["mentions"])),
        tags=tuple(before["tags"]),
        language=before["language"],
    )


def _by_viewer(lines: Iterable[tuple[Line, tuple[str, ...]]]) -> dict[Viewer, _Lines]:
    found: dict[Viewer, _Lines] = {}
    for one in lines:
        found.setdefault(one[0].viewer, []).append(one)
    return found


async def _say(
    what: Message, viewers: Sequence[Viewer], lines: Mapping[Viewer, _Lines], *, has_media: bool
) -> None:
    """To many, with a pause now and then: others wait for this process, too."""
    for said, viewer in enumerate(viewers, 1):
        for line, label in lines[viewer]:
            if has_media or not label[0].endswith(_MEDIA):
                line.say(what, label)
        if said % _SAID_AT_ONCE == 0:
            await asyncio.sleep(0)
