"""Edits: what a post says anew, and what it said before."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

import msgspec
from msgspec.structs import replace
from sqlalchemy import Row, delete, exists, func, insert, select, update

from folkmoot.gate import Acting, Refused, invalid
from folkmoot.posts import indexed, polls, queries, rules, tagged, text, writing
from folkmoot.posts.conversations import actions as conversations
from folkmoot.posts.files import actions as files
from folkmoot.posts.files import queries as file_queries
from folkmoot.posts.model import Draft, Post, Version, Visibility
from folkmoot.storage.database import Read
from folkmoot.storage.events import emit
from folkmoot.storage.tables.moderation import reported_posts
from folkmoot.storage.tables.posts import post_edits, posts

POST_EDITED = "post.edited"
"""{post, account, named, before}: also when only its poll or files changed. `named` are those whom it mentions now,
and didn't before. `before`, where any of it is different now: {mentions, tags, language}, by which it stood in
timelines."""
EDITS_MAX = 200


async def edit(
    acting: Acting,
    post_id: int,
    draft: Draft,
    descriptions: Mapping[int, str],
    in_view: Mapping[int, tuple[float, float]] = MappingProxyType({}),
) -> Post:
    """Have one of the actor's own posts say what a draft says; whom it is for, what it answers and what it quotes
    stay. `descriptions`, and what is to stay `in_view`, are of its files, by id. What it said before stays in its
    history.

    Raises Refused: 404 for a post that is another's, or none, 422 for what can't be posted.
    """
    post = await _own(acting, post_id)
    quoted_id = post.quoted.id if post.quoted is not None else None
    clean = rules.clean_draft(replace(draft, quoted_id=quoted_id))
    before = await current(acting.tx, post)
    for media_id in set(clean.media_ids) & set(descriptions):
        await files.describe(acting, media_id, descriptions[media_id])
    moved = [await files.set_focus(acting, id_, in_view[id_]) for id_ in clean.media_ids if id_ in in_view]
    await files.rearrange(acting, post.id, clean.media_ids)
    await polls.change(acting, post, clean.poll)
    words = await writing.words(acting, clean.source)
    await acting.tx.connection.execute(
        update(posts)
        .where(posts.c.id == post.id)
        .values(
            source=clean.source,
            html=words.html,
            mentions=list(words.mentions),
            tags=list(words.tags),
            spoiler_text=clean.spoiler_text,
            sensitive=clean.sensitive,
            language=clean.language,
        )
    )
    edited = await queries.by_id(acting.tx, post.id)
    assert edited is not None
    await tagged.changed(acting, edited)
    await indexed.changed(acting, edited, clean)
    await conversations.changed(acting, post, edited)
    after = await current(acting.tx, edited)
    if after == before and not any(moved):
        return edited
    await _remember(acting, post.id, before)
    named = [str(account_id) for account_id in edited.mentions if account_id not in post.mentions]
    told = {"post": str(post.id), "account": str(acting.actor_id), "named": named}
    stood = _stands_by(post)
    await emit(acting.tx, POST_EDITED, told | ({"before": stood} if stood != _stands_by(edited) else {}))
    return replace(edited, edited_at_ms=acting.now_ms)


def _stands_by(post: Post) -> dict[str, object]:
    mentions = [str(account_id) for account_id in post.mentions]
    return {"mentions": mentions, "tags": list(post.tags), "language": post.language}


async def current(read: Read, post: Post) -> Version:
    """What a post says now. One statement."""
    attached = (await file_queries.of_posts(read, [post.id])).get(post.id, [])
    return Version(
        source=post.source,
        html=post.html,
        spoiler_text=post.spoiler_text,
        sensitive=post.sensitive,
        language=post.language,
        media=tuple((file.id, file.description) for file in attached),
        options=post.poll.options if post.poll is not None else (),
        written_at_ms=post.edited_at_ms or post.created_at_ms,
    )


async def earlier(read: Read, post_ids: Collection[int]) -> dict[int, list[Version]]:
    """What each post said before each of its edits, the first first. One statement."""
    versions: dict[int, list[Version]] = {}
    statement = select(post_edits).where(post_edits.c.post_id.in_(post_ids)).order_by(post_edits.c.id)
    for row in await read.connection.execute(statement):
        versions.setdefault(row.post_id, []).append(_version(row))
    return versions


async def posts_as_said(read: Read, post: Post, versions: Sequence[Version]) -> list[Post]:
    """The post for each of its versions, as it named people then: whom an edit names anew was not told what it said
    before. At most one statement."""
    if post.visibility in (Visibility.PUBLIC, Visibility.UNLISTED):
        return [post] * len(versions)
    named = [text.mentioned_usernames(text.tokens(version.source)) for version in versions]
    known = await queries.usernames(read, {name for names in named for name in names})
    return [replace(post, mentions=tuple(known[name][0] for name in names if name in known)) for names in named]


async def forget(acting: Acting, post: Post) -> None:
    """Forget what a post said, which is deleted now; of one that was reported, keep what it said last, too, for as
    long as a report is about it, for those who decide."""
    if await _is_reported(acting, post.id):
        await _keep(acting, post.id, await current(acting.tx, post))
    else:
        await acting.tx.connection.execute(delete(post_edits).where(post_edits.c.post_id == post.id))


async def forget_deleted(acting: Acting, post_ids: Collection[int]) -> None:
    """Forget what those of these posts said that are deleted, and that no report is about any more."""
    is_deleted = exists().where(posts.c.id == post_edits.c.post_id, posts.c.deleted_at_ms.is_not(None))
    is_reported = exists().where(reported_posts.c.post_id == post_edits.c.post_id)
    await acting.tx.connection.execute(
        delete(post_edits).where(post_edits.c.post_id.in_(post_ids), is_deleted, ~is_reported)
    )


async def _is_reported(acting: Acting, post_id: int) -> bool:
    about = select(reported_posts.c.post_id).where(reported_posts.c.post_id == post_id).limit(1)
    return (await acting.tx.connection.execute(about)).first() is not None


def _version(row: Row[tuple[object, ...]]) -> Version:
    return Version(
        source=row.source,
        html=row.html,
        spoiler_text=row.spoiler_text,
        sensitive=row.sensitive,
        language=row.language,
        media=tuple((file["id"], file["description"]) for file in row.media),
        options=tuple(row.options),
        written_at_ms=row.written_at_ms,
    )


async def _own(acting: Acting, post_id: int) -> Post:
    post = await queries.by_id(acting.tx, post_id)
    if post is None or post.account_id != acting.actor_id or post.reblog_of_id is not None:
        raise Refused("not_found", "Post not found.", status=404)
    if post.space_id is not None:
        raise invalid("The words of this post are its Space's title")
    edits = select(func.count()).where(post_edits.c.post_id == post_id)
    if (await acting.tx.connection.execute(edits)).scalar_one() >= EDITS_MAX:
        raise invalid(f"A post can be edited {EDITS_MAX} times")
    return post


async def _remember(acting: Acting, post_id: int, before: Version) -> None:
    await _keep(acting, post_id, before)
    await acting.tx.connection.execute(
        update(posts).where(posts.c.id == post_id).values(edited_at_ms=acting.now_ms)
    )


async def _keep(acting: Acting, post_id: int, before: Version) -> None:
    kept = msgspec.structs.asdict(before) | {
        "media": [{"id": media_id, "description": description} for media_id, description in before.media],
        "options": list(before.options),
    }
    await acting.tx.connection.execute(insert(post_edits).values(id=acting.tx.new_id(), post_id=post_id, **kept))
