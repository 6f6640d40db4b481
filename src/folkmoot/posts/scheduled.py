"""Posts that come later: drafts that a job publishes, once, if their author may post then.

What can't be posted when its time comes (its author is suspended, what it answers is gone) is not posted late by
itself: it stays in its author's list, who is told why, and says another time or deletes it.
"""

from collections.abc import Awaitable, Callable, Collection

import msgspec
from sqlalchemy import Row, Select, delete, func, insert, select, update

from folkmoot.accounts.model import Page
from folkmoot.accounts.paging import rows_of_page
from folkmoot.gate import Acting, Action, Gate, Kind, Permit, Refused, Subject, Viewer, Visible, invalid, subjects
from folkmoot.gate.standings import keeps
from folkmoot.posts import actions, queries, quotes, rules, writing
from folkmoot.posts.files import actions as files
from folkmoot.posts.model import Draft, Post, Thread
from folkmoot.storage.database import Read
from folkmoot.storage.events import emit
from folkmoot.storage.jobs import Job, enqueue, recall
from folkmoot.storage.tables.posts import scheduled_posts

SCHEDULED_REFUSED = "post.scheduled_refused"
"""{"account": …, "scheduled": …}: it couldn't be posted when its time came, and waits for its author."""
PUBLISH = "post.publish"
QUEUE = "posts"
LEAD_MS_MIN = 5 * 60_000
YEARS_MAX_MS = 10 * 366 * 86_400_000
OF_ACCOUNT_MAX = 300
OF_DAY_MAX = 25
_DAY_MS = 86_400_000
Answered = Callable[[Read, Gate, Viewer, int], Awaitable[Visible[Post | Thread]]]


class Scheduled(msgspec.Struct, frozen=True):
    """A draft with its time (Unix ms). It is its author's only: nobody else is shown it. `refused`: why it couldn't
    be posted when its time came."""

    id: int
    account_id: int
    scheduled_at_ms: int
    draft: Draft
    refused: str | None = None


async def schedule(
    acting: Acting, draft: Draft, at_ms: int, quoted: Visible[Post] | None = None
) -> Scheduled | Post:
    """Keep a draft until a time. With an idempotency key that was used within the hour: what it made then, which is
    a post where that came out meanwhile.

    Raises Refused 422: what can't be posted, or may not be quoted, a time less than five minutes from now, too many
    of them.
    """
    clean = rules.clean_draft(draft)
    await writing.words(acting, clean.source)
    earlier = await _made_with(acting, clean.idempotency_key)
    if earlier is not None:
        return earlier
    await _require_time(acting, at_ms, besides=0)
    if quoted is not None:
        await quotes.require_quotable(acting, quoted)
    made = Scheduled(acting.tx.new_id(), acting.actor_id, at_ms, clean)
    await acting.tx.connection.execute(
        insert(scheduled_posts).values(
            id=made.id, account_id=made.account_id, scheduled_at_ms=at_ms, draft=msgspec.to_builtins(clean)
        )
    )
    await files.reserve(acting, made.id, clean.media_ids)
    await actions.remember_key(acting, clean.idempotency_key, made.id)
    await _publish_later(acting, made.id, at_ms)
    return made


async def move(acting: Acting, scheduled_id: int, at_ms: int) -> Scheduled:
    """Say another time for one of one's own. Raises Refused 404 and 422."""
    kept = await own(acting.tx, acting.actor_id, scheduled_id)
    await _require_time(acting, at_ms, besides=scheduled_id)
    await acting.tx.connection.execute(
        update(scheduled_posts)
        .where(scheduled_posts.c.id == scheduled_id)
        .values(scheduled_at_ms=at_ms, refused=None)
    )
    await _publish_no_more(acting, scheduled_id, kept.scheduled_at_ms)
    await _publish_later(acting, scheduled_id, at_ms)
    return msgspec.structs.replace(kept, scheduled_at_ms=at_ms, refused=None)


async def cancel(acting: Acting, scheduled_id: int) -> None:
    """Have one of one's own not come. Raises Refused 404."""
    await _take(acting, scheduled_id, acting.actor_id)


async def own(read: Read, account_id: int, scheduled_id: int) -> Scheduled:
    """One of somebody's own. Raises Refused 404."""
    found = await _found(read, _of(account_id).where(scheduled_posts.c.id == scheduled_id))
    if not found:
        raise _gone()
    return found[0]


async def reasons(read: Read, account_id: int, ids: Collection[int]) -> dict[int, str]:
    """Why which of somebody's own couldn't be posted when their time came; those alone that wait for them."""
    of_ids = _of(account_id).where(scheduled_posts.c.id.in_(ids), scheduled_posts.c.refused.is_not(None))
    return {one.id: one.refused or "" for one in await _found(read, of_ids)}


async def of_account(read: Read, account_id: int, page: Page) -> list[Scheduled]:
    """Somebody's own, the last that was made first."""
    return [_from_row(row) for row in await rows_of_page(read, _of(account_id), scheduled_posts.c.id, page)]


def publisher(gate: Gate, admit_answered: Answered) -> Callable[[Job], Awaitable[None]]:
    """The handler of `PUBLISH` jobs: it takes the draft and makes the post in one transaction, so that however
    often it runs, and whenever it is killed, there is one post. `admit_answered`: what its author may answer."""

    async def run(job: Job) -> None:
        async with gate.database.read() as read:
            due = await _due(read, int(job.payload["scheduled"]))
            if due is None:
                return
            viewer = await gate.as_account(read, due.account_id)
            try:
                permit = gate.permit(viewer, Action.POST)
                await _require_application(read, due.draft.application_id)
                answered = await _answered(read, gate, viewer, due.draft.in_reply_to_id, admit_answered)
                quoted = await _quoted(read, gate, viewer, due.draft.quoted_id)
            except Refused as refusal:
                reason: str | None = refusal.sentence
            else:
                reason = None
        if reason is None:
            reason = await _publish(gate, permit, due, answered, quoted)
        if reason is not None:
            await _refuse(gate, due, reason)

    return run


async def _publish(
    gate: Gate,
    permit: Permit,
    due: Scheduled,
    answered: Visible[Post | Thread] | None,
    quoted: Visible[Post] | None,
) -> str | None:
    """Return why it may not be posted, None if it is."""

    async def work(acting: Acting) -> None:
        still = await _due(acting.tx, due.id)
        if still is None:
            return
        await _take(acting, due.id, due.account_id)
        post = await actions.create_post(
            acting, msgspec.structs.replace(still.draft, idempotency_key=None), answered, quoted
        )
        # Who sends the same again is told what became of it.
        await actions.remember_key(acting, still.draft.idempotency_key, post.id)

    try:
        await gate.act(permit, work)
    except Refused as refusal:
        return refusal.sentence
    return None


async def _refuse(gate: Gate, due: Scheduled, reason: str) -> None:
    """Write down for its author why it didn't come, once."""

    async def work(acting: Acting) -> None:
        if await _due(acting.tx, due.id) is None:
            return
        await acting.tx.connection.execute(
            update(scheduled_posts).where(scheduled_posts.c.id == due.id).values(refused=reason)
        )
        about = {"account": str(due.account_id), "scheduled": str(due.id)}
        await emit(acting.tx, SCHEDULED_REFUSED, about)

    await gate.act(gate.permit_system(Action.POST, "worker: scheduled posts"), work)


async def _answered(
    read: Read, gate: Gate, viewer: Viewer, post_id: int | None, admit: Answered
) -> Visible[Post | Thread] | None:
    """As its author may answer it now. Raises Refused 404 where they may not."""
    if post_id is None:
        return None
    try:
        return await admit(read, gate, viewer, post_id)
    except Refused as refusal:
        raise _gone_meanwhile("The post that it answers") from refusal


async def _quoted(read: Read, gate: Gate, viewer: Viewer, post_id: int | None) -> Visible[Post] | None:
    """As its author may see it now. Raises Refused 404 where they may not."""
    if post_id is None:
        return None
    try:
        return await gate.admit_one(read, viewer, await queries.by_id(read, post_id), "Post")
    except Refused as refusal:
        raise _gone_meanwhile("The post that it quotes") from refusal


def _gone_meanwhile(what: str) -> Refused:
    return Refused("not_found", f"{what} is gone, or its author lets you see it no more.", status=404)


async def _require_application(read: Read, application_id: int | None) -> None:
    """Raises Refused for what was written with a program that moderators stopped."""
    if application_id is None:
        return
    subject = Subject(Kind.APPLICATION, application_id)
    now = (await subjects.held(read, {subject}))[subject]
    if not keeps(Kind.APPLICATION, now.standing, Action.POST):
        raise Refused("stopped", subjects.sentence(Kind.APPLICATION, now))


async def _due(read: Read, scheduled_id: int) -> Scheduled | None:
    """None where it is gone, another time was said, or it waits for its author."""
    due = (scheduled_posts.c.id == scheduled_id) & (scheduled_posts.c.scheduled_at_ms <= read.now_ms)
    found = await _found(read, select(scheduled_posts).where(due, scheduled_posts.c.refused.is_(None)))
    return found[0] if found else None


async def _take(acting: Acting, scheduled_id: int, account_id: int) -> None:
    its = (scheduled_posts.c.id == scheduled_id) & (scheduled_posts.c.account_id == account_id)
    taking = delete(scheduled_posts).where(its).returning(scheduled_posts.c.scheduled_at_ms)
    at_ms = (await acting.tx.connection.execute(taking)).scalar_one_or_none()
    if at_ms is None:
        raise _gone()
    await _publish_no_more(acting, scheduled_id, at_ms)
    await files.release(acting, scheduled_id)


async def _made_with(acting: Acting, key: str | None) -> Scheduled | Post | None:
    made_id = await actions.id_made_with(acting, key)
    if made_id is None:
        return None
    found = await _found(acting.tx, _of(acting.actor_id).where(scheduled_posts.c.id == made_id))
    return found[0] if found else await queries.by_id(acting.tx, made_id)


async def _require_time(acting: Acting, at_ms: int, besides: int) -> None:
    """Raises Refused 422."""
    if at_ms < acting.now_ms + LEAD_MS_MIN:
        raise invalid("Scheduled at must be at least five minutes in the future")
    if at_ms > acting.now_ms + YEARS_MAX_MS:
        raise invalid("Scheduled at must be within ten years")
    others = (scheduled_posts.c.account_id == acting.actor_id) & (scheduled_posts.c.id != besides)
    midnight_ms = at_ms - at_ms % _DAY_MS
    that_day = scheduled_posts.c.scheduled_at_ms.between(midnight_ms, midnight_ms + _DAY_MS - 1)
    counts = select(func.count(), func.count().filter(that_day)).where(others)
    in_all, on_day = (await acting.tx.connection.execute(counts)).one()
    if in_all >= OF_ACCOUNT_MAX:
        raise invalid(f"You have exceeded the limit of {OF_ACCOUNT_MAX} scheduled posts")
    if on_day >= OF_DAY_MAX:
        raise invalid(f"You have exceeded the limit of {OF_DAY_MAX} scheduled posts for a day")


async def _publish_later(acting: Acting, scheduled_id: int, at_ms: int) -> None:
    await enqueue(acting.tx, PUBLISH, {"scheduled": str(scheduled_id)}, queue=QUEUE, run_at_ms=at_ms)


async def _publish_no_more(acting: Acting, scheduled_id: int, at_ms: int) -> None:
    await recall(acting.tx, PUBLISH, {"scheduled": str(scheduled_id)}, queue=QUEUE, run_at_ms=at_ms)


def _of(account_id: int) -> Select[tuple[object, ...]]:
    return select(scheduled_posts).where(scheduled_posts.c.account_id == account_id)


async def _found(read: Read, statement: Select[tuple[object, ...]]) -> list[Scheduled]:
    return [_from_row(row) for row in await read.connection.execute(statement)]


def _from_row(row: Row[tuple[object, ...]]) -> Scheduled:
    draft = msgspec.convert(row.draft, Draft)
    return Scheduled(row.id, row.account_id, row.scheduled_at_ms, draft, row.refused)


def _gone() -> Refused:
    return Refused("not_found", "Record not found", status=404)
