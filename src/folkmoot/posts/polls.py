"""Polls: questions that hang on posts. Who chose what is shown to nobody but to who chose it."""

from collections.abc import Awaitable, Callable, Collection

from sqlalchemy import delete, insert, select, update

from folkmoot.accounts.model import Page
from folkmoot.accounts.paging import rows_of_page
from folkmoot.gate import Acting, Action, Gate, Refused, Visible, invalid
from folkmoot.posts import queries, rules
from folkmoot.posts.model import PollDraft, Post
from folkmoot.storage.database import Read
from folkmoot.storage.events import emit
from folkmoot.storage.jobs import Job, enqueue, recall
from folkmoot.storage.tables.posts import poll_votes, polls

POLL_VOTED = "poll.voted"
"""{post}: somebody chose. Not who, and not what."""
POLL_ENDED = "poll.ended"
"""{post}: once for each poll, when its time is over."""
CLOSE = "poll.close"
QUEUE = "posts"


async def add(acting: Acting, post_id: int, draft: PollDraft) -> None:
    """Hang a poll on a post. `draft` is clean."""
    poll_id = acting.tx.new_id()
    await acting.tx.connection.execute(
        insert(polls).values(
            id=poll_id, post_id=post_id, tallies=[0] * len(draft.options), **_columns(draft, acting)
        )
    )
    await _close_later(acting, poll_id, draft)


async def change(acting: Acting, post: Post, draft: PollDraft | None) -> None:
    """Make a post's poll what an edit says, which may be none. Other options, or another number of choices, make it
    another question: what was voted is gone."""
    if post.poll is None:
        return await add(acting, post.id, draft) if draft is not None else None
    if draft is None:
        return await remove(acting, post.id)
    values = _columns(draft, acting)
    if (draft.options, draft.multiple) != (post.poll.options, post.poll.multiple):
        await acting.tx.connection.execute(delete(poll_votes).where(poll_votes.c.poll_id == post.poll.id))
        values |= {"tallies": [0] * len(draft.options), "voters": 0}
    await acting.tx.connection.execute(update(polls).where(polls.c.id == post.poll.id).values(**values))
    await _close_no_more(acting, post.poll.id, post.poll.expires_at_ms)
    await _close_later(acting, post.poll.id, draft)
    return None


async def remove(acting: Acting, post_id: int) -> None:
    """Take the poll off a post, with all votes."""
    its = delete(polls).where(polls.c.post_id == post_id).returning(polls.c.id, polls.c.expires_at_ms)
    for gone in (await acting.tx.connection.execute(its)).all():
        await _close_no_more(acting, gone.id, gone.expires_at_ms)


async def vote(acting: Acting, shown: Visible[Post], choices: Collection[int]) -> None:
    """Choose. Raises Refused: 404 when post or poll are gone meanwhile, 422 for a vote that can't be given."""
    post = await queries.by_id(acting.tx, shown.item.id)
    if post is None or post.poll is None:
        raise Refused("not_found", "Poll not found.", status=404)
    poll = post.poll
    if post.account_id == acting.actor_id:
        raise invalid("You can't vote in your own polls")
    if poll.is_over(acting.now_ms):
        raise invalid("The poll has already ended")
    own = select(poll_votes.c.id).where(poll_votes.c.poll_id == poll.id, poll_votes.c.account_id == acting.actor_id)
    if (await acting.tx.connection.execute(own.limit(1))).first() is not None:
        raise invalid("You have already voted on this poll")
    chosen = rules.clean_choices(poll, choices)
    for option in chosen:
        await acting.tx.connection.execute(
            insert(poll_votes).values(
                id=acting.tx.new_id(), poll_id=poll.id, account_id=acting.actor_id, option=option
            )
        )
    tallies = [votes + (option in chosen) for option, votes in enumerate(poll.tallies)]
    counted = update(polls).where(polls.c.id == poll.id).values(tallies=tallies, voters=poll.voters + 1)
    await acting.tx.connection.execute(counted)
    await emit(acting.tx, POLL_VOTED, {"post": str(post.id)})


def closer(gate: Gate) -> Callable[[Job], Awaitable[None]]:
    """The handler of `CLOSE` jobs. One that comes for a poll whose end was moved does nothing."""
    permit = gate.permit_system(Action.POST, "worker: poll is over")

    async def run(job: Job) -> None:
        await gate.act(permit, lambda acting: close(acting, int(job.payload["poll"])))

    return run


async def close(acting: Acting, poll_id: int) -> None:
    """Tell that a poll is over, if it is and nobody was told."""
    due = (polls.c.id == poll_id) & (polls.c.expires_at_ms <= acting.now_ms) & polls.c.closed_at_ms.is_(None)
    ended = await acting.tx.connection.execute(
        update(polls).where(due).values(closed_at_ms=acting.now_ms).returning(polls.c.post_id)
    )
    for post_id in ended.scalars():
        await emit(acting.tx, POLL_ENDED, {"post": str(post_id)})


async def post_id_of(read: Read, poll_id: int) -> int | None:
    """The post that a poll hangs on."""
    statement = select(polls.c.post_id).where(polls.c.id == poll_id)
    return (await read.connection.execute(statement)).scalar_one_or_none()


async def votes_of(read: Read, account_id: int, page: Page) -> list[tuple[int, int, int]]:
    """(id of the vote, id of the post, number of the option) of what somebody chose, the last first."""
    statement = (
        select(poll_votes.c.id, polls.c.post_id, poll_votes.c.option)
        .join(polls, polls.c.id == poll_votes.c.poll_id)
        .where(poll_votes.c.account_id == account_id)
    )
    return [(row.id, row.post_id, row.option) for row in await rows_of_page(read, statement, poll_votes.c.id, page)]


def _columns(draft: PollDraft, acting: Acting) -> dict[str, object]:
    return {
        "options": list(draft.options),
        "multiple": draft.multiple,
        "hide_totals": draft.hide_totals,
        "expires_at_ms": _end_ms(draft, acting),
        "closed_at_ms": None,
    }


def _end_ms(draft: PollDraft, acting: Acting) -> int:
    return acting.now_ms + 1000 * draft.lasts_s


async def _close_later(acting: Acting, poll_id: int, draft: PollDraft) -> None:
    await enqueue(acting.tx, CLOSE, {"poll": str(poll_id)}, queue=QUEUE, run_at_ms=_end_ms(draft, acting))


async def _close_no_more(acting: Acting, poll_id: int, end_ms: int) -> None:
    await recall(acting.tx, CLOSE, {"poll": str(poll_id)}, queue=QUEUE, run_at_ms=end_ms)
