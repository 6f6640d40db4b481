"""Sends one notification to one subscription, as a job: loads it anew, through the gate, and seals it."""

from collections.abc import Sequence
from typing import Any

import msgspec

from folkmoot.accounts import queries as accounts
from folkmoot.accounts.model import Account
from folkmoot.gate import Acting, Action, Gate, Refused, Viewer, Visible
from folkmoot.notifications import queries as notifications
from folkmoot.notifications.model import OF_POSTS, SOON_MS, Kind, Notification
from folkmoot.notifications.push import queries
from folkmoot.notifications.push.actions import forget
from folkmoot.notifications.push.model import Subscription
from folkmoot.notifications.push.posting import Forbidden, Unreachable, parse_endpoint, post
from folkmoot.notifications.push.sealing import Sender
from folkmoot.posts import queries as posts
from folkmoot.posts.files import queries as files
from folkmoot.posts.files.model import Media
from folkmoot.posts.marks import queries as marks
from folkmoot.posts.model import Post
from folkmoot.spaces import queries as spaces
from folkmoot.spaces.model import Space
from folkmoot.storage.database import Read
from folkmoot.storage.jobs import GiveUp, Job, RetryPolicy
from folkmoot.timelines.filters.finding import filtered
from folkmoot.timelines.filters.model import Context, Found, Treatment

KEPT_S = 48 * 3600
"""How long a push service keeps it for a program that is away, and we try to reach the service."""
_KEPT_S = {Kind.SPACE_STARTING_SOON: SOON_MS // 1000}
RETRY = RetryPolicy(attempts_max=10, delay_ms_max=3_600_000)
BODY_CHARACTERS_MAX = 140
_GONE = frozenset({404, 410})
_LATER = frozenset({0, 408, 425, 429})
_TITLES = {
    Kind.MENTION: "{} mentioned you",
    Kind.STATUS: "{} posted",
    Kind.REBLOG: "{} boosted your post",
    Kind.FOLLOW: "{} follows you now",
    Kind.FOLLOW_REQUEST: "{} asks to follow you",
    Kind.FAVOURITE: "{} favourited your post",
    Kind.POLL: "A poll has ended",
    Kind.UPDATE: "{} edited a post",
    Kind.QUOTE: "{} quoted your post",
    Kind.QUOTED_UPDATE: "{} edited a post that you quoted",
    Kind.SIGN_UP: "{} signed up",
    Kind.REPORT: "{} reported something",
    Kind.WARNING: "A decision was made about you",
    Kind.NOT_POSTED: "A post that you scheduled could not be posted",
    Kind.SPACE_STARTING_SOON: "A Space of {} starts soon",
    Kind.SPACE_LIVE: "{} is live in a Space",
    Kind.SPACE_LET_UP: "{} lets you up on stage",
    Kind.SPACE_RECORDED: "A Space of {} can be replayed",
}


class Pushed(msgspec.Struct):
    """What a program is pushed, as Mastodon's are. There is no token in it: this server keeps only their hashes."""

    notification_id: str
    notification_type: str
    icon: str
    title: str
    body: str
    preferred_locale: str = "en"
    access_token: str = ""


class Pushing:
    """The worker's, one per server. `to_private`: also into private networks."""

    def __init__(self, gate: Gate, sender: Sender, base_url: str, *, to_private: bool) -> None:
        self._gate = gate
        self._sender = sender
        self._icon = f"{base_url}/static/avatar.png"
        self._to_private = to_private

    async def run(self, job: Job) -> None:
        """Raises Unreachable where it is worth another attempt, GiveUp where it is not."""
        async with self._gate.database.read() as read:
            found = await queries.by_id(read, int(job.payload["subscription"]))
            if found is None:
                return
            try:
                viewer = await self._gate.as_token(read, found.token_id)
            except Refused:
                viewer = None
            notification_id = int(job.payload["notification"])
            content = await self._content(read, viewer, notification_id) if viewer is not None else None
            now_s = read.now_ms // 1000
        if viewer is None:
            # What ended the credential ends what it asked for: a phone that was stolen hears nothing more.
            await self._forget(found)
        if content is None:
            return
        try:
            status = await self._send(found, *content, now_s)
        except Forbidden as error:
            await self._forget(found)
            raise GiveUp(str(error)) from error
        if status in _GONE:
            await self._forget(found)
        elif status in _LATER or status >= 500:
            raise Unreachable(f"The push service answered {status}.")
        elif status >= 300:
            raise GiveUp(f"The push service answered {status}.")

    async def _send(self, found: Subscription, content: bytes, kept_s: int, now_s: int) -> int:
        endpoint = parse_endpoint(found.endpoint, to_private=self._to_private)
        sealed = self._sender.seal(
            content, found.keys, origin=endpoint.origin, now_s=now_s, standard=found.standard
        )
        headers = {"TTL": str(kept_s), "Urgency": "normal", "Content-Type": "application/octet-stream"}
        return await post(endpoint, headers | sealed.headers, sealed.body, to_private=self._to_private)

    async def _content(self, read: Read, viewer: Viewer, notification_id: int) -> tuple[bytes, int] | None:
        """As JSON, and for how many seconds it is news; None for what its owner may not be shown any more, or is
        old news."""
        rows = await notifications.by_ids(read, viewer.id, [notification_id])
        if not rows:
            return None
        row = rows[0]
        kept_s = _KEPT_S.get(row.kind, KEPT_S) - (read.now_ms - row.created_at_ms) // 1000
        if kept_s <= 0:
            return None
        people: list[Any] = [row, *await accounts.by_ids(read, [row.from_id])]
        hidden = await accounts.hidden_from(read, viewer.id, {row.from_id} - {viewer.id}, notifying=True)
        shown: list[Visible[Any]] = await self._gate.admit(read, viewer, people)
        if hidden or len(shown) < len(people) or len(people) < 2:
            return None
        words = await self._words_of(read, viewer, row.post_id) if row.kind in OF_POSTS else ""
        if words is None:
            return None
        return msgspec.json.encode(self._pushed(shown[0], shown[1], words)), kept_s

    async def _words_of(self, read: Read, viewer: Viewer, post_id: int | None) -> str | None:
        """What is said of a post; None where a page of notifications would not show it."""
        about = await posts.by_ids(read, [post_id]) if post_id is not None else []
        if not about or any(mine.muted for mine in (await marks.mine(read, viewer.id, about)).values()):
            return None
        attached = (await files.of_posts(read, [about[0].id])).get(about[0].id, [])
        # The words of what announces a Space are the Space's title: they go where the Space goes.
        known = await spaces.by_ids(read, {post_.space_id for post_ in about if post_.space_id is not None})
        everything: list[Any] = [*about, *known, *attached]
        shown: list[Visible[Any]] = await self._gate.admit(read, viewer, everything)
        of = {type(one.item): one for one in shown}
        post_ = of.get(Post)
        if post_ is None or (post_.item.space_id is not None and Space not in of):
            return None
        media = [one for one in shown if isinstance(one.item, Media)]
        found = await filtered(read, viewer, {post_.item.id: post_}, {post_.item.id: media}, Context.NOTIFICATIONS)
        return _after_filters(post_, found.get(post_.item.id, []))

    def _pushed(self, told: Visible[Notification], who: Visible[Account], words: str) -> Pushed:
        name = who.item.display_name or who.item.username
        return Pushed(
            notification_id=str(told.item.id),
            notification_type=told.item.kind.type,
            icon=self._icon,
            title=_TITLES[told.item.kind].format(name),
            body=words[:BODY_CHARACTERS_MAX],
        )

    async def _forget(self, found: Subscription) -> None:
        async def work(acting: Acting) -> None:
            await forget(acting, found.id)

        await self._gate.act(self._gate.permit_system(Action.READ, "worker: push"), work)


def _after_filters(about: Visible[Post], found: Sequence[Found]) -> str | None:
    """As clients show what they are told to warn of, and to hide. What is blurred is a post's files."""
    treatments = {one.filter.action for one in found}
    if Treatment.HIDE in treatments:
        return None
    warned = [one.filter.title for one in found if one.filter.action is Treatment.WARN]
    return f"Filtered: {', '.join(warned)}" if warned else about.item.spoiler_text or about.item.source
