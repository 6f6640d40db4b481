"""Writes of posts."""

import msgspec
from sqlalchemy import delete, insert, update

from folkmoot.gate import Acting, Refused, Visible
from folkmoot.posts import boosts, counted, edits, indexed, polls, queries, quotes, rules, tagged, writing
from folkmoot.posts.conversations import actions as conversations
from folkmoot.posts.files import actions as files
from folkmoot.posts.marks.model import Mark
from folkmoot.posts.model import Draft, Post, Thread, Visibility
from folkmoot.storage.events import emit
from folkmoot.storage.tables.posts import idempotency_keys, posts

POST_CREATED = "post.created"
POST_DELETED = "post.deleted"
"""{post, account, conversation, tagged, facts}: whether it had tags, and what the gate knew of it (gate.Facts), so
that nobody is told of it from whom it was hidden. `conversation` is said of direct posts."""


async def create_post(
    acting: Acting,
    draft: Draft,
    in_reply_to: Visible[Post | Thread] | None = None,
    quoted: Visible[Post] | None = None,
) -> Post:
    """Publish a draft as the actor. With a key that was used within the hour: the post that it made then.

    Raises Refused 422 for what cannot be posted, for media that are not the actor's, or in use, and for what the
    actor may not quote; 404 when what it answers or quotes was deleted meanwhile.
    """
    clean = rules.clean_draft(draft)
    earlier = await _made_with(acting, clean.idempotency_key)
    if earlier is not None:
        return earlier
    parent = None
    if in_reply_to is not None:
        # Who answers a boost answers what it shows.
        item = in_reply_to.item
        answered = item.root if isinstance(item, Thread) else item
        parent = await queries.by_id(acting.tx, answered.reblog_of_id or answered.id)
        if parent is None:
            raise Refused("not_found", "The post that this answers was deleted.", status=404)
    post = await _written(acting, clean, parent)
    if quoted is not None:
        post = await quotes.quoting(acting, post, quoted)
    await _insert(acting, post, clean.application_id)
    await files.attach(acting, post.id, clean.media_ids)
    if clean.poll is not None:
        await polls.add(acting, post.id, clean.poll)
    await remember_key(acting, clean.idempotency_key, post.id)
    await counted.came(acting, post)
    await tagged.came(acting, post)
    await indexed.came(acting, post, clean)
    await conversations.came(acting, post)
    await emit(
        acting.tx,
        POST_CREATED,
        {"post": str(post.id), "account": str(post.account_id), "visibility": post.visibility},
    )
    if post.quoted is not None:
        await quotes.tell(acting, post, post.quoted)
    return post


async def delete_post(acting: Acting, post_id: int) -> Post:
    """Delete one of the actor's own posts: a tombstone without words stays, and no boost. Returns it as it was.

    Raises Refused 404 for a post that is another's, or none.
    """
    post = await queries.by_id(acting.tx, post_id)
    if post is None or post.account_id != acting.actor_id:
        raise Refused("not_found", "Post not found.", status=404)
    if post.reblog_of_id is not None:
        await boosts.end(acting, post)
        return post
    await edits.forget(acting, post)
    await acting.tx.connection.execute(
        update(posts)
        .where(posts.c.id == post_id)
        .values(
            deleted_at_ms=acting.now_ms,
            source="",
            html="",
            spoiler_text="",
            tags=[],
            quoted_id=None,
            quote_state=None,
        )
    )
    await polls.remove(acting, post_id)
    await files.detach_all(acting, post_id)
    for mark in Mark:
        await acting.tx.connection.execute(delete(mark.table).where(mark.table.c.post_id == post_id))
    await counted.went(acting, post)
    await tagged.went(acting, post)
    await indexed.went(acting, post_id)
    await conversations.went(acting, post)
    await boosts.end_all_of(acting, post)
    may_stand_by_tags = bool(post.tags) or post.edited_at_ms is not None  # by those that an edit took out, too
    told = {"post": str(post_id), "account": str(post.account_id), "tagged": may_stand_by_tags}
    if post.visibility is Visibility.DIRECT:
        told["conversation"] = str(post.conversation_id)
    await emit(acting.tx, POST_DELETED, told | {"facts": msgspec.to_builtins(post.gate_facts())})
    return post


async def _made_with(acting: Acting, key: str | None) -> Post | None:
    post_id = await id_made_with(acting, key)
    return await queries.by_id(acting.tx, post_id) if post_id is not None else None


async def id_made_with(acting: Acting, key: str | None) -> int | None:
    """What an idempotency key made within the hour: a post, or one that is scheduled."""
    if key is None:
        return None
    return await queries.id_of_key(acting.tx, acting.actor_id, key, acting.now_ms - rules.IDEMPOTENCY_MS)


async def remember_key(acting: Acting, key: str | None, post_id: int) -> None:
    """Keep what an idempotency key made."""
    if key is None:
        return
    outdated = idempotency_keys.c.created_at_ms < acting.now_ms - rules.IDEMPOTENCY_MS
    own = (idempotency_keys.c.account_id == acting.actor_id) & (idempotency_keys.c.key == key)
    await acting.tx.connection.execute(delete(idempotency_keys).where(outdated | own))
    await acting.tx.connection.execute(
        insert(idempotency_keys).values(
            account_id=acting.actor_id, key=key, post_id=post_id, created_at_ms=acting.now_ms
        )
    )


async def _written(acting: Acting, draft: Draft, parent: Post | None) -> Post:
    words = await writing.words(acting, draft.source)
    post_id = acting.tx.new_id()
    return Post(
        id=post_id,
        account_id=acting.actor_id,
        visibility=_visibility(draft, parent),
        source=draft.source,
        html=words.html,
        conversation_id=parent.conversation_id if parent else post_id,
        created_at_ms=acting.now_ms,
        in_reply_to_id=parent.id if parent else None,
        in_reply_to_account_id=parent.account_id if parent else None,
        spoiler_text=draft.spoiler_text,
        sensitive=draft.sensitive,
        language=draft.language,
        mentions=words.mentions,
        tags=words.tags,
        space_id=draft.space_id,
        quote_policy=draft.quote_policy,
    )


def _visibility(draft: Draft, parent: Post | None) -> Visibility:
    """What is said to a closed Space's people is not kept as said to everybody: nothing counts or lists it so."""
    if parent is not None and parent.circle is not None and draft.visibility is not Visibility.DIRECT:
        return Visibility.FOLLOWERS
    return draft.visibility


async def _insert(acting: Acting, post: Post, application_id: int | None) -> None:
    await acting.tx.connection.execute(
        insert(posts).values(
            id=post.id,
            account_id=post.account_id,
            in_reply_to_id=post.in_reply_to_id,
            in_reply_to_account_id=post.in_reply_to_account_id,
            conversation_id=post.conversation_id,
            visibility=post.visibility.value,
            source=post.source,
            html=post.html,
            spoiler_text=post.spoiler_text,
            sensitive=post.sensitive,
            language=post.language,
            mentions=list(post.mentions),
            tags=list(post.tags),
            application_id=application_id,
            space_id=post.space_id,
            quoted_id=post.quoted.id if post.quoted else None,
            quote_state=post.quoted.state.value if post.quoted else None,
            quote_policy=post.quote_policy.value,
            created_at_ms=post.created_at_ms,
        )
    )
