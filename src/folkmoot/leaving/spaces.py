"""What becomes of the Spaces of somebody who leaves. Each runs inside `Gate.act`."""

from sqlalchemy import func, or_, select

from folkmoot.gate import Acting
from folkmoot.gate.queries import standings_of
from folkmoot.gate.standings import TABLE, Shown
from folkmoot.recordings.actions import forget_recording
from folkmoot.spaces import actions, queries
from folkmoot.spaces.model import Role, Space
from folkmoot.storage.tables.spaces import seats, spaces


async def pass_on_one(acting: Acting, account_id: int) -> bool:
    """Give one of the account's Spaces to somebody else who was on stage there, a co-host first; without anybody,
    empty it and delete its recording. False where none is left."""
    theirs = or_(spaces.c.host_id == account_id, spaces.c.creator_id == account_id)
    rows = await acting.tx.connection.execute(
        select(spaces.c.id).where(theirs, spaces.c.title != "").order_by(spaces.c.id).limit(1)
    )
    space_id = rows.scalar()
    if space_id is None:
        return False
    space = await queries.stored(acting.tx, space_id)
    assert space is not None
    successor = await _successor(acting, space, account_id)
    if successor is not None:
        await actions.pass_on(acting, space, account_id, successor)
    else:
        await forget_recording(acting, space_id)
        await actions.empty(acting, space)
    return True


async def _successor(acting: Acting, space: Space, account_id: int) -> int | None:
    """Whoever hosts it now, or a co-host, or whoever had the first seat of those who are there yet."""
    rows = await acting.tx.connection.execute(
        select(seats.c.account_id)
        .where(seats.c.space_id == space.id, seats.c.account_id != account_id)
        .group_by(seats.c.account_id)
        .order_by(func.min(seats.c.number))
    )
    spoke = list(rows.scalars())
    hosts = [one for one in (space.host_id, space.creator_id) if one != account_id]
    co_hosts = [one for one in spoke if space.member(one).role is Role.CO_HOST]
    candidates = list(dict.fromkeys([*hosts, *co_hosts, *spoke]))
    standings = await standings_of(acting.tx, candidates) if candidates else {}
    return next((one for one in candidates if TABLE[standings[one]].shown is not Shown.NOBODY), None)
