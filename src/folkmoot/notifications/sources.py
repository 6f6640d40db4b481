"""From an event of the bus to who is to be told what. Reads only; what becomes of it is `actions.tell`'s."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, select, union

from folkmoot.accounts.actions import ACCOUNT_SIGNED_UP
from folkmoot.accounts.relations.following import ACCOUNT_FOLLOW_REQUESTED, ACCOUNT_FOLLOWED
from folkmoot.clips import queries as clips
from folkmoot.gate import Kind as Thing
from folkmoot.gate import Role as RoleHere
from folkmoot.gate import Subject, subjects
from folkmoot.gate import queries as gate_queries
from folkmoot.gate.actions import STANDING_CHANGED, SUBJECT_CHANGED
from folkmoot.gate.model import Sanction
from folkmoot.moderation.reports import queries as reports
from folkmoot.moderation.reports.actions import REPORT_MADE
from folkmoot.notifications.model import Kind, News
from folkmoot.posts import queries as posts
from folkmoot.posts.actions import POST_CREATED
from folkmoot.posts.boosts import POST_BOOSTED
from folkmoot.posts.marks.actions import POST_FAVOURITED
from folkmoot.posts.model import Post, Visibility
from folkmoot.posts.scheduled import SCHEDULED_REFUSED
from folkmoot.recordings.actions import RECORDING_CLOSED
from folkmoot.spaces import queries as spaces
from folkmoot.spaces.actions import SPACE_CHANGED
from folkmoot.spaces.model import Role, Space, SpaceState
from folkmoot.storage.database import Read
from folkmoot.storage.tables import posts as tables
from folkmoot.storage.tables.people import accounts, follows
from folkmoot.storage.tables.spaces import seats

Source = Callable[[Read, Any], Awaitable[Iterable[News]]]
_WARNED_OF = frozenset({"limited", "suspended", "locked", "muted", "removed"})


async def _post_created(read: Read, payload: Any) -> Iterable[News]:
    """Those it mentions; and who wants to hear of everything that its author writes, where it answers nobody else.
    A Space that begins at once is told of as such."""
    post = await posts.by_id(read, int(payload["post"]))
    if post is None:
        return []
    mentioned = _each(post.mentions, Kind.MENTION, post.account_id, post_id=post.id)
    answers_another = post.in_reply_to_account_id not in (None, post.account_id)
    if answers_another or post.visibility is Visibility.DIRECT or await _begins_at_once(read, post):
        return mentioned
    followers = set(await _ids(read, follows.c.follower_id, _rang_the_bell_of(post.account_id)))
    return mentioned + _each(followers - set(post.mentions), Kind.STATUS, post.account_id, post_id=post.id)


async def _post_boosted(read: Read, payload: Any) -> Iterable[News]:
    return await _to_author(read, payload, Kind.REBLOG)


async def _post_favourited(read: Read, payload: Any) -> Iterable[News]:
    return await _to_author(read, payload, Kind.FAVOURITE)


async def _post_quoted(read: Read, payload: Any) -> Iterable[News]:
    """The post that quotes is what is shown."""
    quoted = await posts.by_id(read, int(payload["quoted"]))
    to = [] if quoted is None else [quoted.account_id]
    return _each(to, Kind.QUOTE, int(payload["account"]), post_id=int(payload["post"]))


async def _post_edited(read: Read, payload: Any) -> Iterable[News]:
    """Those it mentions newly, and who boosted or quoted it."""
    post_id, author_id = int(payload["post"]), int(payload["account"])
    table = tables.posts
    of_boosts = table.c.reblog_of_id == post_id
    quoting = await read.connection.execute(
        select(table.c.id, table.c.account_id).where(table.c.quoted_id == post_id, table.c.deleted_at_ms.is_(None))
    )
    quotes = [
        one for row in quoting for one in _each([row.account_id], Kind.QUOTED_UPDATE, author_id, post_id=row.id)
    ]
    named = _each(map(int, payload["named"]), Kind.MENTION, author_id, post_id=post_id)
    boosters = await _ids(read, table.c.account_id, of_boosts)
    return named + _each(boosters, Kind.UPDATE, author_id, post_id=post_id) + quotes


async def _poll_ended(read: Read, payload: Any) -> Iterable[News]:
    """Its author and who voted."""
    post = await posts.by_id(read, int(payload["post"]))
    if post is None:
        return []
    polls, votes = tables.polls, tables.poll_votes
    voted = select(votes.c.account_id).distinct().join(polls, polls.c.id == votes.c.poll_id)
    voters = (await read.connection.execute(voted.where(polls.c.post_id == post.id))).scalars()
    return [
        News(account_id=one, kind=Kind.POLL, from_id=post.account_id, post_id=post.id)
        for one in {post.account_id, *voters}
    ]


async def _followed(_read: Read, payload: Any) -> Iterable[News]:
    """Who was let in by an answer is no news to who gave it."""
    followed = [] if payload["asked"] else [int(payload["followed"])]
    return _each(followed, Kind.FOLLOW, int(payload["follower"]))


async def _follow_requested(_read: Read, payload: Any) -> Iterable[News]:
    return _each([int(payload["followed"])], Kind.FOLLOW_REQUEST, int(payload["follower"]))


async def _signed_up(read: Read, payload: Any) -> Iterable[News]:
    return _each(await _moderators(read), Kind.SIGN_UP, int(payload["account"]))


async def _report_made(read: Read, payload: Any) -> Iterable[News]:
    """Moderators, but for who is reported or reported themselves."""
    (made,) = await reports.by_ids(read, [int(payload["report"])], judge_id=None)
    if made.reporter_id is None:
        return []
    judges = set(await _moderators(read)) - {made.target_id}
    return _each(judges, Kind.REPORT, made.reporter_id, about_id=made.id)


async def _scheduled_refused(_read: Read, payload: Any) -> Iterable[News]:
    account_id = int(payload["account"])
    about_id = int(payload["scheduled"])
    return [News(account_id=account_id, kind=Kind.NOT_POSTED, from_id=account_id, about_id=about_id)]


async def _standing_changed(read: Read, payload: Any) -> Iterable[News]:
    account_id = int(payload["account"])
    now = await gate_queries.sanction_of(read, account_id)
    return [] if now is None else _warned(account_id, payload["after"], now)


async def _subject_changed(read: Read, payload: Any) -> Iterable[News]:
    """Of a Space its host, of a clip who cut it."""
    kind = Thing(payload["kind"])
    if kind not in (Thing.SPACE, Thing.CLIP):
        return []
    thing_id = int(payload["id"])
    now = (await subjects.held(read, [Subject(kind, thing_id)]))[Subject(kind, thing_id)]
    if kind is Thing.SPACE:
        space = await spaces.by_id(read, thing_id)
        return [] if space is None else _warned(space.host_id, payload["after"], now)
    clip = await clips.by_id(read, thing_id)
    return [] if clip is None else _warned(clip.account_id, payload["after"], now)


async def _space_changed(read: Read, payload: Any) -> Iterable[News]:
    begins = any(change["change"] == "started" for change in payload["changes"])
    let_up = _let_up(payload["changes"])
    space = await spaces.by_id(read, int(payload["space"])) if begins or let_up else None
    if space is None:
        return []
    told = await of_space(read, space, Kind.SPACE_LIVE) if begins else []
    return told + [
        one
        for account_id, by in let_up.items()
        for one in _each([account_id], Kind.SPACE_LET_UP, by or space.host_id, **_about(space))
    ]


def _let_up(changes: Iterable[Any]) -> dict[int, int | None]:
    """Who was asked on stage, or has a seat there since they asked for one, and by whom if that is said. Whoever
    accepts has been told before."""
    found: dict[int, int | None] = {}
    accepted = {int(one["account_id"]) for one in changes if one["change"] == "invitation_closed"}
    for one in changes:
        if one["change"] == "invited" and one["role"] != Role.LISTENER.value:
            found[int(one["account_id"])] = int(one["by"])
        elif one["change"] == "seat_taken" and one["role"] == Role.SPEAKER.value:
            found.setdefault(int(one["account_id"]), None)
    return {account_id: by for account_id, by in found.items() if account_id not in accepted}


async def _recording_closed(read: Read, payload: Any) -> Iterable[News]:
    """Also those who were on stage, its host among them."""
    space = await spaces.by_id(read, int(payload["space"])) if payload["kept"] else None
    if space is None:
        return []
    told = {one.account_id: one for one in await of_space(read, space, Kind.SPACE_RECORDED)}
    spoke = await _ids(read, seats.c.account_id, seats.c.space_id == space.id)
    for account_id in {space.host_id, *spoke}:
        told[account_id] = News(
            account_id=account_id, kind=Kind.SPACE_RECORDED, from_id=space.host_id, **_about(space)
        )
    return told.values()


async def of_space(read: Read, space: Space, kind: Kind) -> list[News]:
    """Whom a Space concerns: who wants to hear of all that its host does, who is in it by name, and who marked or
    boosted what announces it. Whether each may see it, the gate says when they look."""
    announced = space.announcement_post_id
    ids = union(
        select(follows.c.follower_id).where(_rang_the_bell_of(space.host_id)),
        select(tables.favourites.c.account_id).where(tables.favourites.c.post_id == announced),
        select(tables.bookmarks.c.account_id).where(tables.bookmarks.c.post_id == announced),
        select(tables.posts.c.account_id).where(tables.posts.c.reblog_of_id == announced),
    )
    people = set((await read.connection.execute(ids)).scalars())
    people |= {member.account_id for member in space.members.values() if member.belongs}
    return _each(people, kind, space.host_id, **_about(space))


def _about(space: Space) -> dict[str, int | None]:
    return {"post_id": space.announcement_post_id, "about_id": space.id}


def _each(
    people: Iterable[int], kind: Kind, from_id: int, *, post_id: int | None = None, about_id: int | None = None
) -> list[News]:
    """Nobody is told of their own doing."""
    return [
        News(account_id=one, kind=kind, from_id=from_id, post_id=post_id, about_id=about_id)
        for one in dict.fromkeys(people)
        if one != from_id
    ]


def _warned(account_id: int, after: str, now: Sanction) -> list[News]:
    """`after`: what was decided then, which may be over by now."""
    if after not in _WARNED_OF or now.standing.value != after:
        return []
    return [News(account_id=account_id, kind=Kind.WARNING, from_id=account_id, about_id=now.id)]


async def _to_author(read: Read, payload: Any, kind: Kind) -> list[News]:
    post = await posts.by_id(read, int(payload["post"]))
    to = [] if post is None else [post.account_id]
    return _each(to, kind, int(payload["account"]), post_id=int(payload["post"]))


async def _begins_at_once(read: Read, post: Post) -> bool:
    space = await spaces.by_id(read, post.space_id) if post.space_id is not None else None
    return space is not None and space.state is not SpaceState.SCHEDULED


def _rang_the_bell_of(account_id: int) -> ColumnElement[bool]:
    return (follows.c.followee_id == account_id) & follows.c.notify


async def _ids(read: Read, column: ColumnElement[int], where: ColumnElement[bool]) -> list[int]:
    return list((await read.connection.execute(select(column).where(where))).scalars())


async def _moderators(read: Read) -> list[int]:
    return await _ids(read, accounts.c.id, accounts.c.role != RoleHere.MEMBER.value)


SOURCES: Mapping[str, Source] = {
    POST_CREATED: _post_created,
    POST_BOOSTED: _post_boosted,
    POST_FAVOURITED: _post_favourited,
    "post.quoted": _post_quoted,
    "post.edited": _post_edited,
    "poll.ended": _poll_ended,
    ACCOUNT_FOLLOWED: _followed,
    ACCOUNT_FOLLOW_REQUESTED: _follow_requested,
    ACCOUNT_SIGNED_UP: _signed_up,
    REPORT_MADE: _report_made,
    SCHEDULED_REFUSED: _scheduled_refused,
    STANDING_CHANGED: _standing_changed,
    SUBJECT_CHANGED: _subject_changed,
    SPACE_CHANGED: _space_changed,
    RECORDING_CLOSED: _recording_closed,
}
