"""Writes of Spaces: the machine decides (`rules.py`), and what it decided is kept here, in one transaction.

State, seats, revocation counters and the event that tells everybody are written together.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace
from sqlalchemy import delete, insert, update
from sqlalchemy.dialects import postgresql, sqlite

from folkmoot.gate import Acting, Action, Kind, Refused, Subject, subjects
from folkmoot.gate.actions import revoke
from folkmoot.gate.model import member_subject
from folkmoot.gate.queries import relations
from folkmoot.posts.actions import create_post
from folkmoot.posts.model import Draft as PostDraft
from folkmoot.posts.model import Visibility
from folkmoot.spaces import commands as c
from folkmoot.spaces import queries, refusals, rules
from folkmoot.spaces.changes import AnyChange, revoked_subjects
from folkmoot.spaces.changes.life import Redacted, RosterChanged
from folkmoot.spaces.changes.seats import SeatTaken, SeatVacated
from folkmoot.spaces.listening import resolve_audience
from folkmoot.spaces.model import Audience, Draft, Facts, Member, Space, SpaceState
from folkmoot.storage.events import emit
from folkmoot.storage.tables.spaces import seats, space_members, spaces

Kept = TypeVar("Kept")
SPACE_CHANGED = "space.changed"

ROOM_AGAIN_AFTER_S = "60"
_FORBIDDEN = frozenset(
    {
        refusals.Code.REMOVED,
        refusals.Code.NOT_HOST,
        refusals.Code.NOT_HOST_OR_CO_HOST,
        refusals.Code.BLOCKED,
        refusals.Code.CONSENT_NEEDED,
    }
)


async def create(acting: Acting, draft: Draft, *, page_url: str, invited: Collection[int] = ()) -> Space:
    """Make a scheduled Space, announced by a post of its creator. Raises Refused for a bad title and the like."""
    space_id = acting.tx.new_id()
    space = _unwrap(rules.create(space_id, acting.actor_id, draft, acting.now_ms))
    post = await create_post(
        acting,
        PostDraft(
            source=f"{space.title}\n{page_url}/{space_id}",
            visibility=Visibility.PUBLIC if space.audience is Audience.PUBLIC else Visibility.FOLLOWERS,
            language=space.language,
            space_id=space_id,
        ),
    )
    space = replace(space, announcement_post_id=post.id)
    await acting.tx.connection.execute(insert(spaces).values(id=space_id, **_columns(space)))
    await _save_members(acting, replace(space, members={}), space)
    await emit(acting.tx, SPACE_CHANGED, {"space": str(space_id), "changes": [{"change": "created"}]})
    for account_id in invited:
        space = await command(acting, space_id, c.Invite(account=str(account_id), role="listener"))
    return space


async def command(acting: Acting, space_id: int, order: c.Command) -> Space:
    """Carry out what a person asks of a Space. Raises Refused with the machine's code and sentence, and 410 in a
    Space that moderators took that from."""
    before = await _load(acting, space_id)
    await subjects.require(acting.tx, Subject(Kind.SPACE, space_id), Action.TAKE_PART)
    concerned = {acting.actor_id}
    if isinstance(target := getattr(order, "account_id", None), int):
        concerned.add(target)
    facts: Facts = await queries.facts(acting.tx, before, concerned)
    outcome = rules.apply(before, acting.actor_id, order, facts, acting.now_ms)
    after = _unwrap(outcome).space
    if after.state is SpaceState.LIVE and (before.state, before.host_id) != (after.state, after.host_id):
        await _require_no_other_live(acting, after.host_id)
    return await _keep(acting, before, outcome)


async def require_room(acting: Acting, why_no_room: Callable[[int], str | None]) -> None:
    """Before one more Space starts: `why_no_room` says for how many live ones why not. Raises Refused 503."""
    sentence = why_no_room(len(await queries.live_ids(acting.tx)))
    if sentence is not None:
        raise Refused("server_full", sentence, status=503, headers={"Retry-After": ROOM_AGAIN_AFTER_S})


async def observe(acting: Acting, space_id: int, observation: c.Observation) -> Space:
    """Carry out what the machinery noticed: a seat that connected or was lost, time that passed."""
    before = await _load(acting, space_id)
    return await _keep(acting, before, rules.observe(before, observation, acting.now_ms))


async def leave_out_lost(acting: Acting, space: Space) -> Space:
    """The Space without co-hosts who may take part no more, though nobody has said so here yet: who is suspended
    together with the host must not take the host's place."""
    co_hosts = [one.account_id for one in space.co_hosts]
    if not co_hosts:
        return space
    known = await queries.facts(acting.tx, space, co_hosts)
    for account_id in co_hosts:
        if known.about(account_id) is None:
            space = await observe(acting, space.id, c.StandingLost(account_id))
    return space


async def tell_redacted(acting: Acting, space_id: int) -> None:
    """Something was taken out of the sound."""
    await _tell(acting, space_id, Redacted())


async def tell_muted(acting: Acting, space_id: int) -> None:
    """Moderators muted the Space, or did so no more."""
    await _tell(acting, space_id)


async def _tell(acting: Acting, space_id: int, *what: AnyChange) -> None:
    """The roster's version says in the sound itself, to all who hear it, that they should look at the Space: most
    of them follow no events."""
    before = await _load(acting, space_id)
    changed = RosterChanged(version=before.roster_version + 1)
    await _keep(acting, before, rules.Outcome(changed.onto(before), (*what, changed)))


async def shut_out(acting: Acting, space_id: int, account_id: int) -> None:
    """End what somebody holds in a Space whom its audience or a block keeps out now, also who only listened."""
    space = await _load(acting, space_id)
    about = (await queries.facts(acting.tx, space, [account_id])).about(account_id)
    if about is not None and about.blocked:
        await observe(acting, space_id, c.MemberBlocked(account_id))
    if about is None or about.blocked or not resolve_audience(space, account_id, about):
        await revoke(acting, member_subject(space_id, account_id))


async def pass_on(acting: Acting, space: Space, account_id: int, successor_id: int) -> None:
    """Of somebody who leaves the server: the Space is another's from now on, who was there."""
    members = {one: member for one, member in space.members.items() if one != account_id}
    host_id = successor_id if space.host_id == account_id else space.host_id
    await _put(acting, space, replace(space, host_id=host_id, creator_id=successor_id, members=members))


async def empty(acting: Acting, space: Space) -> None:
    """Of somebody who leaves the server, where nobody else was: no word of it stays."""
    state = SpaceState.CANCELLED if space.state is SpaceState.SCHEDULED else space.state
    await _put(acting, space, replace(space, title="", topics=(), state=state, members={}))


async def _put(acting: Acting, before: Space, after: Space) -> None:
    await acting.tx.connection.execute(update(spaces).where(spaces.c.id == after.id).values(**_columns(after)))
    await _save_members(acting, before, after)
    await emit(acting.tx, SPACE_CHANGED, {"space": str(after.id), "changes": []})


async def _load(acting: Acting, space_id: int) -> Space:
    await queries.lock(acting.tx, space_id)
    space = await queries.stored(acting.tx, space_id)
    if space is None:
        raise Refused("not_found", "Space not found.", status=404)
    return space


async def _require_no_other_live(acting: Acting, host_id: int) -> None:
    """Before somebody becomes the host of a live Space. (A co-host may be left with a second by succession.)"""
    if not await queries.live_ids_hosted_by(acting.tx, host_id):
        return
    if host_id == acting.actor_id:
        sentence = "You already host a live Space. End it, or hand it over, before the next."
    else:
        sentence = "This person already hosts a live Space, which has to end first."
    raise Refused("already_live", sentence, status=409)


async def _keep(acting: Acting, before: Space, outcome: rules.Outcome | refusals.Refused) -> Space:
    decided = _unwrap(outcome)
    if not decided.changes:
        return before
    await acting.tx.connection.execute(
        update(spaces).where(spaces.c.id == before.id).values(**_columns(decided.space))
    )
    await _save_members(acting, before, decided.space)
    await _save_seats(acting, decided.space, decided.changes)
    for change in decided.changes:
        for subject in revoked_subjects(decided.space, change):
            await revoke(acting, subject)
    changes = msgspec.to_builtins(decided.changes, str_keys=True)
    await emit(acting.tx, SPACE_CHANGED, {"space": str(before.id), "changes": changes})
    if decided.space.host_id != before.host_id:
        return await _leave_out_blocked(acting, decided.space)
    return decided.space


async def _leave_out_blocked(acting: Acting, space: Space) -> Space:
    """A new host has blocks of their own."""
    others = space.members.keys() - {space.host_id}
    for account_id in sorted((await relations(acting.tx, space.host_id, others)).blocked):
        space = await observe(acting, space.id, c.MemberBlocked(account_id))
    return space


def _columns(space: Space) -> dict[str, Any]:
    document = msgspec.to_builtins(replace(space, members={}))
    return {
        "creator_id": space.creator_id,
        "host_id": space.host_id,
        "title": space.title,
        "topics": list(space.topics),
        "language": space.language,
        "state": space.state.value,
        "audience": space.audience.value,
        "speak_policy": space.speak_policy.value,
        "recorded": space.recorded,
        "scheduled_at_ms": space.scheduled_at_ms,
        "started_at_ms": space.started_at_ms,
        "ended_at_ms": space.ended_at_ms,
        "created_at_ms": space.created_at_ms,
        "announcement_post_id": space.announcement_post_id,
        "deadline_ms": space.next_deadline_ms,
        "document": document,
    }


async def _save_members(acting: Acting, before: Space, after: Space) -> None:
    """Only the rows that differ: a raid of a thousand askers writes a thousand rows, not a million."""
    gone = before.members.keys() - after.members.keys()
    if gone:
        await acting.tx.connection.execute(
            delete(space_members).where(
                space_members.c.space_id == after.id, space_members.c.account_id.in_(list(gone))
            )
        )
    changed = [m for account_id, m in after.members.items() if before.members.get(account_id) != m]
    if changed:
        await _upsert_members(acting, after.id, changed)


async def _upsert_members(acting: Acting, space_id: int, members: Iterable[Member]) -> None:
    statement = (sqlite if acting.tx.is_sqlite else postgresql).insert(space_members)
    columns = ("role", "removed", "seat", "document")
    await acting.tx.connection.execute(
        statement.on_conflict_do_update(
            index_elements=["space_id", "account_id"],
            set_={column: statement.excluded[column] for column in columns},
        ),
        [
            {
                "space_id": space_id,
                "account_id": member.account_id,
                "role": member.role.value,
                "removed": member.removed,
                "seat": member.seat,
                "document": msgspec.to_builtins(member),
            }
            for member in members
        ],
    )


async def _save_seats(acting: Acting, after: Space, changes: Iterable[AnyChange]) -> None:
    for change in changes:
        if isinstance(change, SeatTaken):
            await acting.tx.connection.execute(
                insert(seats).values(
                    space_id=after.id,
                    number=change.seat,
                    account_id=change.account_id,
                    taken_at_ms=acting.now_ms,
                    recording_consent_at_ms=after.member(change.account_id).consented_at_ms,
                )
            )
        elif isinstance(change, SeatVacated):
            await acting.tx.connection.execute(
                update(seats)
                .where(seats.c.space_id == after.id, seats.c.number == change.seat)
                .values(vacated_at_ms=acting.now_ms, vacated_reason=change.reason.value)
            )


def _unwrap(outcome: Kept | refusals.Refused) -> Kept:
    if isinstance(outcome, refusals.Refused):
        raise Refused(outcome.code.value, outcome.sentence, status=403 if outcome.code in _FORBIDDEN else 422)
    return outcome
