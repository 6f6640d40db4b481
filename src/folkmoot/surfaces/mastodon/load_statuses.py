"""From posts to their JSON for one viewer: load what they refer to, admit all of it at once, present.

A page costs a fixed number of statements, whatever is in it: what is boosted, media, clips, Spaces (two), accounts,
the gate's three, what the viewer did with the posts, and what their filters find in them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from folkmoot.accounts import queries as accounts
from folkmoot.accounts.model import Account, Page
from folkmoot.clips import queries as clips
from folkmoot.clips.model import Clip
from folkmoot.gate import Gated, Kind, Permit, Reach, Subject, Viewer, Visible, subjects
from folkmoot.gate.standings import is_hidden
from folkmoot.posts import edits, queries
from folkmoot.posts.files import queries as files
from folkmoot.posts.files.model import Media
from folkmoot.posts.marks import queries as marks
from folkmoot.posts.model import Mine, Post, Quoted, QuotePolicy, QuoteState
from folkmoot.spaces import queries as spaces
from folkmoot.spaces.model import Space
from folkmoot.storage.database import Read
from folkmoot.surfaces.mastodon import media_links, present_statuses
from folkmoot.surfaces.mastodon.edit_entities import StatusEdit
from folkmoot.surfaces.mastodon.filling import Filled, filled
from folkmoot.surfaces.mastodon.present_media import attachment
from folkmoot.surfaces.mastodon.present_statuses import Around, Gone
from folkmoot.surfaces.mastodon.status_entities import MediaAttachment, Status
from folkmoot.surfaces.services import Services
from folkmoot.timelines import readers
from folkmoot.timelines.filters import queries as queries_of_filters
from folkmoot.timelines.filters.finding import filtered, found_by
from folkmoot.timelines.filters.model import Context

Item = TypeVar("Item", bound=Gated)
Fetch = Callable[[Page], Awaitable[list[Post]]]
ROUND_GROWTH = 4


async def statuses(
    read: Read, services: Services, viewer: Viewer, posts: Sequence[Post], context: Context | None = None
) -> list[Status]:
    """The posts that the viewer may see, in order. `context`: where, for their filters."""
    admitted, around = await _load(read, services, viewer, posts, context)
    return [present_statuses.status(one, around, services.site) for one in admitted]


async def status(read: Read, services: Services, viewer: Viewer, post: Post | None) -> Status | None:
    """One post, or None where the viewer may not see it."""
    found = await statuses(read, services, viewer, [post]) if post is not None else []
    return found[0] if found else None


async def history(read: Read, services: Services, viewer: Viewer, found: Post | None) -> list[StatusEdit]:
    """What a post said, the first first, the present last, as far as it was for the viewer then. Nothing where they
    may not see it."""
    if found is None:
        return []
    admitted, around = await _load(read, services, viewer, [found], with_taken_out=True)
    if not admitted:
        return []
    before = (await edits.earlier(read, [found.id])).get(found.id, [])
    as_said = await edits.posts_as_said(read, found, before)
    seen = {id(one.item) for one in await services.gate.admit(read, viewer, as_said)}
    told = [version for version, post in zip(before, as_said, strict=True) if id(post) in seen]
    versions = [*told, await edits.current(read, found)]
    return [present_statuses.edit(admitted[0], version, around, services.site) for version in versions]


async def reported(read: Read, services: Services, permit: Permit, posts: Sequence[Post]) -> list[Status]:
    """Posts that somebody reported, for a moderator: also those that only others may see."""
    cut, everything = await _referred(read, posts)
    admitted = services.gate.admit_to_moderate(permit, everything)
    around = _around(read.now_ms, services, admitted, cut)
    return [present_statuses.status(one, around, services.site) for one in _in_order(posts, around)]


async def for_many(
    read: Read, services: Services, viewers: Sequence[Viewer], post: Post, context: Context, *, is_new: bool
) -> AsyncIterator[tuple[list[Viewer], Status]]:
    """One post for many viewers. It is read once for those to whom the gate shows the same of it, and made once for
    those of them who did the same with it, and for each whose filters find something in it; read apart for those
    for whom a file has an address of their own. `context`: where, for filters. `is_new`: nobody did anything with
    it yet, unless with what it quotes."""
    cut, everything = await _referred(read, [post])
    ids = [viewer.id for viewer in viewers]
    done = await _done_with(read, ids, [one for one in everything if isinstance(one, Post)], post, is_new=is_new)
    muting = {one: await readers.hiding(read, one, ids) for one in _quoted_in(everything)}
    held = await queries_of_filters.in_force_of(read, ids, {post.id} | _shown_in([post]))
    apart: list[Viewer] = []
    for alike, admitted in await services.gate.admit_each(read, viewers, everything):
        around = _around(read.now_ms, services, admitted, cut)
        around = replace(around, gone=await _gone(read, everything, around, cut))
        if len(alike) > 1 and any(map(media_links.is_signed, around.media_urls.values())):
            apart += alike
            continue
        seen = _in_order([post], around)
        for some, own in _by_what_they_did(alike, done, muting, around):
            rest = [viewer for viewer in some if viewer.id not in held]
            for one in seen if rest else []:
                yield rest, present_statuses.status(one, own, services.site)
            for viewer in [viewer for viewer in some if viewer.id in held]:
                found = found_by(held[viewer.id], own.posts, own.media, context, read.now_ms)
                for one in seen:
                    yield [viewer], present_statuses.status(one, replace(own, filtered=found), services.site)
    for viewer in apart:
        for status_ in await statuses(read, services, viewer, [post], context):
            yield [viewer], status_


async def _done_with(
    read: Read, viewer_ids: Collection[int], shown: Sequence[Post], post: Post, *, is_new: bool
) -> dict[int, dict[int, Mine]]:
    """What each did with the posts that are shown: with a new one nothing, but they may follow its author."""
    asked = [one for one in shown if not (is_new and one.id == post.id) or one.quotable_by is QuotePolicy.FOLLOWERS]
    return await marks.of_many(read, viewer_ids, asked) if asked else {}


def _by_what_they_did(
    viewers: Iterable[Viewer],
    done: Mapping[int, dict[int, Mine]],
    muting: Mapping[int, Collection[int]],
    around: Around,
) -> Iterable[tuple[list[Viewer], Around]]:
    """Those for whom a post looks the same; who wrote it, or what it boosts or quotes, apart. `muting`: who hides
    whom that is quoted."""
    authors = {one.item.account_id for one in around.posts.values()}
    alike: dict[tuple[int | None, frozenset[int], tuple[Mine, ...]], list[Viewer]] = {}
    for viewer in viewers:
        muted = frozenset(quoted for quoted, by in muting.items() if viewer.id in by)
        own_id = viewer.id if viewer.id in authors else None
        key = (own_id, muted, tuple(done.get(viewer.id, {}).values()))
        alike.setdefault(key, []).append(viewer)
    for (own_id, muted, _), some in alike.items():
        yield some, replace(around, viewer_id=own_id, muted=muted, mine=done.get(some[0].id, {}))


async def in_public(read: Read, services: Services, posts: Sequence[Post]) -> list[Post]:
    """Those of the posts that may stand in a public list, without quotes of who stands in none. One statement."""
    quoted = [post.quoted for post in posts if post.quoted and post.quoted.state is QuoteState.ACCEPTED]
    either: list[Post | Quoted] = [*posts, *quoted]
    listed = await services.gate.listed(read, either)
    quotable = {one.id for one in listed if isinstance(one, Quoted)}
    return [_without_unlisted(one, quotable) for one in listed if isinstance(one, Post)]


def _without_unlisted(post: Post, quotable: set[int]) -> Post:
    if post.quoted is None or post.quoted.state is not QuoteState.ACCEPTED or post.quoted.id in quotable:
        return post
    return replace(post, quoted=replace(post.quoted, state=QuoteState.UNLISTED))


async def timeline(
    read: Read,
    services: Services,
    viewer: Viewer,
    page: Page,
    fetch: Fetch,
    context: Context | None = None,
    *,
    public: bool = False,
) -> Filled[Status]:
    """A page of what `fetch` reads. `public`: it is a public list, in which not everybody stands whom the viewer
    may see elsewhere."""

    async def look(wanted: Page) -> tuple[list[int], list[Status]]:
        posts = await fetch(wanted)
        listed = await in_public(read, services, posts) if public else posts
        return [post.id for post in posts], await statuses(read, services, viewer, listed, context)

    return await filled(page, look, lambda one: int(one.id), growth=ROUND_GROWTH)


def media_url(now_ms: int, services: Services, visible: Visible[Media], clip_space: Space | None) -> str:
    """Where the viewer of a file fetches it; `clip_space` is the Space that it was cut from."""
    for_anybody = visible.is_open and (clip_space is None or clip_space.gate_facts().reach is Reach.PUBLIC)
    return media_links.url(services, visible.viewer, visible.item, for_anybody=for_anybody, now_ms=now_ms)


async def attachments(
    read: Read, services: Services, viewer: Viewer, media: Sequence[Media]
) -> dict[int, MediaAttachment]:
    """Files that hang on no post yet, by id, as far as the viewer may see them."""
    cut = await clips.by_ids(read, {one.clip_id for one in media if one.clip_id is not None})
    known = await spaces.by_ids(read, {clip.space_id for clip in cut.values()})
    everything: list[Any] = [*media, *known]
    admitted = await services.gate.admit(read, viewer, everything)
    urls = _urls(read.now_ms, services, admitted, cut)
    return {one.item.id: attachment(one, urls[one.item.id]) for one in _of(Media, admitted) if one.item.id in urls}


async def admit_media(
    read: Read, services: Services, viewer: Viewer, media: Media | None
) -> tuple[Visible[Media], Space | None]:
    """One file and the Space that it was cut from, or Refused 404 where the viewer may not see both."""
    visible = await services.gate.admit_one(read, viewer, media, "Media")
    if visible.item.clip_id is None:
        return visible, None
    clip = await clips.by_id(read, visible.item.clip_id)
    space = await spaces.by_id(read, clip.space_id) if clip is not None else None
    return visible, (await services.gate.admit_one(read, viewer, space, "Media")).item


async def _load(
    read: Read,
    services: Services,
    viewer: Viewer,
    posts: Sequence[Post],
    context: Context | None = None,
    *,
    with_taken_out: bool = False,
) -> tuple[list[Visible[Post]], Around]:
    cut, everything = await _referred(read, posts, with_taken_out=with_taken_out)
    admitted = await services.gate.admit(read, viewer, everything)
    around = _around(read.now_ms, services, admitted, cut)
    hidden, turned_away = await _hidden(read, viewer, around, context)
    shown = [one for one in _in_order(posts, around) if _is_wanted(one, context, hidden, turned_away)]
    return shown, replace(
        around,
        viewer_id=viewer.account_id,
        muted=frozenset(hidden),
        gone=await _gone(read, everything, around, cut),
        mine=await _mine(read, viewer, around),
        filtered=await filtered(read, viewer, around.posts, around.media, context),
    )


async def _mine(read: Read, viewer: Viewer, around: Around) -> dict[int, Mine]:
    if viewer.account_id is None:
        return {}
    return await marks.mine(read, viewer.id, [one.item for one in around.posts.values()])


async def _hidden(read: Read, viewer: Viewer, around: Around, context: Context | None) -> tuple[set[int], set[int]]:
    """Of those who are quoted, and there where it decides what is shown of those who wrote or are spoken of, whom
    the viewer sees nothing of, and whom of these they muted or blocked themselves. One statement, and none where
    there is nobody."""
    if viewer.account_id is None:
        return set(), set()
    shown = [one.item for one in around.posts.values()]
    people = _quoted_in(shown)
    if context is Context.HOME:
        people = people.union(*(post.speaks_of for post in shown))
    elif context is Context.THREAD:
        people |= {post.account_id for post in shown}
    return await accounts.turned_away(read, viewer.id, people - {viewer.id})


def _is_wanted(
    visible: Visible[Post], context: Context | None, hidden: Collection[int], turned_away: set[int]
) -> bool:
    """Who muted or blocked somebody wants neither others' words with them at home, nor theirs in a thread."""
    post = visible.item
    if post.account_id == visible.viewer.account_id:
        return True
    if context is Context.HOME:
        return turned_away.isdisjoint(post.speaks_of)
    return context is not Context.THREAD or post.account_id not in hidden


def _quoted_in(things: Iterable[Any]) -> set[int]:
    """Whose posts are quoted in those among some things."""
    return {one.quoted.account_id for one in things if isinstance(one, Post) and one.quoted is not None}


async def _gone(read: Read, everything: Sequence[Any], around: Around, cut: dict[int, Clip]) -> dict[int, Gone]:
    """What stands in place of clips that moderators removed, or whose Space they removed, by the post's id. One
    statement, and none where every file is there."""
    missing = {
        one.post_id: cut[one.clip_id]
        for one in everything
        if isinstance(one, Media) and one.post_id is not None and one.clip_id in cut and one.id not in around.clips
    }
    about = {
        post_id: (Subject(Kind.CLIP, clip.id), Subject(Kind.SPACE, clip.space_id))
        for post_id, clip in missing.items()
    }
    now = await subjects.held(read, {subject for both in about.values() for subject in both})
    return {
        post_id: Gone(missing[post_id].id, subjects.sentence(one.kind, now[one]))
        for post_id, both in about.items()
        for one in reversed(both)
        if is_hidden(one.kind, now[one].standing)
    }


async def _referred(
    read: Read, posts: Sequence[Post], *, with_taken_out: bool = False
) -> tuple[dict[int, Clip], list[Any]]:
    """The clips in posts; and the posts, what they boost and quote and what that quotes, with their files, Spaces
    and people, for the gate."""
    posts = [*posts, *await queries.by_ids(read, _shown_in(posts) - {post.id for post in posts})]
    quoted = [post.quoted for post in posts if post.quoted and post.quoted.state is QuoteState.ACCEPTED]
    of_posts = await files.of_posts(read, [post.id for post in posts], with_taken_out=with_taken_out)
    attached = [one for media in of_posts.values() for one in media]
    cut = await clips.by_ids(read, {one.clip_id for one in attached if one.clip_id is not None})
    referred = {post.space_id for post in posts if post.space_id is not None}
    known = await spaces.by_ids(read, referred | {clip.space_id for clip in cut.values()})
    people = {post.account_id for post in posts}.union(*(post.mentions for post in posts))
    people |= {space.host_id for space in known}
    found = await accounts.by_ids(read, sorted(people))
    return cut, [*posts, *quoted, *attached, *known, *found]


def _shown_in(posts: Sequence[Post]) -> set[int]:
    """What the posts boost and quote, and what is quoted in what they boost."""
    quoted = {post.quoted.id for post in posts if post.quoted and post.quoted.state is QuoteState.ACCEPTED}
    shown = {id_ for post in posts for id_ in (post.reblog_of_id, post.quoted_by_boosted_id) if id_ is not None}
    return shown | quoted


def _in_order(posts: Sequence[Post], around: Around) -> list[Visible[Post]]:
    """Those of the posts that are shown: of a boost, both it and what it boosts."""
    return [
        around.posts[post.id]
        for post in posts
        if post.id in around.posts and (post.reblog_of_id is None or post.reblog_of_id in around.posts)
    ]


def _around(now_ms: int, services: Services, admitted: Sequence[Visible[Any]], cut: dict[int, Clip]) -> Around:
    seen_spaces = {one.item.id: one for one in _of(Space, admitted)}
    people = {one.item.id: one for one in _of(Account, admitted)}
    # The words of a post that announces a Space are the Space's title: they go where the Space goes, also where it
    # was handed over to a host of whom the viewer sees nothing.
    posts = {
        one.item.id: one
        for one in _of(Post, admitted)
        if (one.item.space_id is None or one.item.space_id in seen_spaces) and one.item.account_id in people
    }
    urls = _urls(now_ms, services, admitted, cut)
    media: dict[int, list[Visible[Media]]] = {}
    shown_clips: dict[int, Clip] = {}
    for one in _of(Media, admitted):
        if one.item.post_id is None or one.item.id not in urls:
            continue
        media.setdefault(one.item.post_id, []).append(one)
        if one.item.clip_id is not None:
            shown_clips[one.item.id] = cut[one.item.clip_id]
    return Around(
        posts=posts,
        accounts=people,
        media=media,
        media_urls=urls,
        clips=shown_clips,
        spaces=seen_spaces,
        now_ms=now_ms,
        quotable=frozenset(one.item.id for one in _of(Quoted, admitted)),
    )


def _urls(
    now_ms: int, services: Services, admitted: Sequence[Visible[Any]], cut: dict[int, Clip]
) -> dict[int, str]:
    """Where the viewer fetches each file. One that was cut from a Space which they may not see isn't there."""
    seen_spaces = {one.item.id: one.item for one in _of(Space, admitted)}
    urls: dict[int, str] = {}
    for one in _of(Media, admitted):
        clip = cut.get(one.item.clip_id) if one.item.clip_id is not None else None
        space = seen_spaces.get(clip.space_id) if clip is not None else None
        if one.item.clip_id is None or space is not None:
            urls[one.item.id] = media_url(now_ms, services, one, space)
    return urls


def _of(kind: type[Item], admitted: Iterable[Visible[Any]]) -> list[Visible[Item]]:
    return [one for one in admitted if isinstance(one.item, kind)]
