"""Sends one notification to one subscription, as a job: loads it anew, through the gate, and seals it."""

from typing import Any

import msgspec

from folkmoot.accounts import queries as accounts
from folkmoot.accounts.model import Account
from folkmoot.gate import Acting, Action, Gate, Visible
from folkmoot.notifications import queries as notifications
from folkmoot.notifications.model import OF_POSTS, Kind, Notification
from folkmoot.notifications.push import queries
from folkmoot.notifications.push.actions import forget
from folkmoot.notifications.push.model import Subscription
from folkmoot.notifications.push.posting import Forbidden, Unreachable, parse_endpoint, post
from folkmoot.notifications.push.sealing import Sender
from folkmoot.posts import queries as posts
from folkmoot.posts.marks import queries as marks
from folkmoot.posts.model import Post
from folkmoot.storage.jobs import GiveUp, Job, RetryPolicy

KEPT_S = 48 * 3600
"""How long a push service keeps it for a program that is away, and we try to reach the service."""
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
            content = None if found is None else await self._content(read, found, int(job.payload["notification"]))
            now_s = read.now_ms // 1000
        if found is None or content is None:
            return
        try:
            status = await self._send(found, content, now_s)
        except Forbidden as error:
            await self._forget(found)
            raise GiveUp(str(error)) from error
        if status in _GONE:
            await self._forget(found)
        elif status in _LATER or status >= 500:
            raise Unreachable(f"The push service answered {status}.")
        elif status >= 300:
            raise GiveUp(f"The push service answered {status}.")

    async def _send(self, found: Subscription, content: bytes, now_s: int) -> int:
        endpoint = parse_endpoint(found.endpoint, to_private=self._to_private)
        sealed = self._sender.seal(
            content, found.keys, origin=endpoint.origin, now_s=now_s, standard=found.standard
        )
        headers = {"TTL": str(KEPT_S), "Urgency": "normal", "Content-Type": "application/octet-stream"}
        return await post(endpoint, headers | sealed.headers, sealed.body, to_private=self._to_private)

    async def _content(self, read: Any, found: Subscription, notification_id: int) -> bytes | None:
        """As JSON; None for what its owner may not be shown any more, or is old news."""
        rows = await notifications.by_ids(read, found.account_id, [notification_id])
        rows = [row for row in rows if row.created_at_ms > read.now_ms - KEPT_S * 1000]
        if not rows:
            return None
        row = rows[0]
        viewer = await self._gate.as_account(read, found.account_id)
        people = await accounts.by_ids(read, [row.from_id])
        about = await posts.by_ids(read, [row.post_id]) if row.post_id is not None else []
        hidden = await accounts.hidden_from(read, viewer.id, {row.from_id} - {viewer.id}, notifying=True)
        muted = [mine for mine in (await marks.mine(read, viewer.id, about)).values() if mine.muted]
        shown: list[Visible[Any]] = await self._gate.admit(read, viewer, [row, *people, *about])
        of = {type(one.item): one for one in shown}
        if hidden or muted or not {Notification, Account} <= set(of) or (row.kind in OF_POSTS and Post not in of):
            return None
        return msgspec.json.encode(self._words(of[Notification], of[Account], of.get(Post)))

    def _words(self, told: Visible[Notification], who: Visible[Account], about: Visible[Post] | None) -> Pushed:
        name = who.item.display_name or who.item.username
        post_ = about.item if about is not None else None
        words = "" if post_ is None else post_.spoiler_text or post_.source
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
