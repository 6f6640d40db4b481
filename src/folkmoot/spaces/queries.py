"""Reads of Spaces: whole states for the machine and the gate, ids for lists."""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Select, cast, null, select, union_all

from folkmoot.gate import Action, Role, Standing
from folkmoot.gate import queries as gate_queries
from folkmoot.gate.standings import may
from folkmoot.spaces.commands import ID_MAX
from folkmoot.spaces.model import AccountFacts, Facts, Space, SpaceState
from folkmoot.storage.among import among_given
from folkmoot.storage.database import Read
from folkmoot.storage.prepared import Prepared
from folkmoot.storage.tables.spaces import seats, space_members, spaces

# Built once, for it is asked at every look. A row without an account is the Space itself.
_STATES = Prepared(
    union_all(
        select(spaces.c.id, cast(null(), BigInteger), spaces.c.document).where(among_given(spaces.c.id, "ids")),
        select(space_members.c.space_id, space_members.c.account_id, space_members.c.document).where(
            among_given(space_members.c.space_id, "ids")
        ),
    )
)


class SeatRow(msgspec.Struct, frozen=True):
    """Who a seat number stands for, and from when to when (Unix ms)."""

    number: int
    account_id: int
    taken_at_ms: int
    vacated_at_ms: int | None


async def by_ids(read: Read, space_ids: Collection[int]) -> list[Space]:
    """Whole states, in the order asked for; ids of Spaces that don't exist are left out. One statement for each
    500."""
    # What the database could not hold does not exist.
    wanted = [one for one in dict.fromkeys(space_ids) if 0 < one <= ID_MAX]
    return [
        space.as_of(read.now_ms) for batch in gate_queries.batches(wanted) for space in await _batch(read, batch)
    ]


async def stored(read: Read, space_id: int) -> Space | None:
    """One whole state as it was written: for the machine, which says itself what time has changed."""
    found = await _batch(read, [space_id])
    return found[0] if found else None


async def _batch(read: Read, wanted: Collection[int]) -> list[Space]:
    documents: dict[int, dict[str, Any]] = {}
    members: dict[int, dict[int, Any]] = {space_id: {} for space_id in wanted}
    for space_id, account_id, document in await _STATES.rows(read, ids=wanted):
        if account_id is None:
            documents[space_id] = document
        else:
            members[space_id][account_id] = document
    return [
        msgspec.convert({**documents[space_id], "members": members[space_id]}, Space)
        for space_id in wanted
        if space_id in documents
    ]


async def by_id(read: Read, space_id: int) -> Space | None:
    found = await by_ids(read, [space_id])
    return found[0] if found else None


async def lock(read: Read, space_id: int) -> None:
    """Hold the Space's row until this transaction ends (PostgreSQL; on SQLite there is one writer anyway)."""
    await read.connection.execute(select(spaces.c.id).where(spaces.c.id == space_id).with_for_update())


async def ids_by_state(read: Read, state: SpaceState, *, limit: int, max_id: int | None = None) -> list[int]:
    """The newest first."""
    return await _ids(read, _newest(limit, max_id).where(spaces.c.state == state.value))


async def ids_by_creator(
    read: Read, creator_id: int, *, limit: int, state: SpaceState | None = None, max_id: int | None = None
) -> list[int]:
    """The newest first; of one state only, where one is given."""
    statement = _newest(limit, max_id).where(spaces.c.creator_id == creator_id)
    return await _ids(read, statement if state is None else statement.where(spaces.c.state == state.value))


async def live_ids(read: Read) -> list[int]:
    """Every live Space: what the worker keeps stages for."""
    return await _ids(read, select(spaces.c.id).where(spaces.c.state == SpaceState.LIVE.value))


async def live_ids_with(read: Read, account_id: int) -> list[int]:
    """The live Spaces in which an account is somebody: on stage, asking, invited, hosting."""
    statement = (
        select(spaces.c.id)
        .join(space_members, space_members.c.space_id == spaces.c.id)
        .where(space_members.c.account_id == account_id, spaces.c.state == SpaceState.LIVE.value)
    )
    return await _ids(read, statement)


async def due_ids(read: Read) -> list[int]:
    """The Spaces in which something was to happen by now: those that a `Tick` is for."""
    return await _ids(read, select(spaces.c.id).where(spaces.c.deadline_ms <= read.now_ms))


async def live_ids_hosted_by(read: Read, account_id: int) -> list[int]:
    """The live Spaces that an account hosts: one that it opened, and any that it was left with as a co-host."""
    return await _ids(
        read, select(spaces.c.id).where(spaces.c.host_id == account_id, spaces.c.state == SpaceState.LIVE.value)
    )


async def open_ids_hosted_by(read: Read, account_id: int) -> list[int]:
    """The Spaces that an account hosts and that are live or to come."""
    is_open = spaces.c.state.in_([SpaceState.SCHEDULED.value, SpaceState.LIVE.value])
    return await _ids(read, select(spaces.c.id).where(spaces.c.host_id == account_id, is_open))


async def seats_of(read: Read, space_id: int) -> list[SeatRow]:
    """Every stint on stage, by number."""
    rows = await read.connection.execute(
        select(seats.c.number, seats.c.account_id, seats.c.taken_at_ms, seats.c.vacated_at_ms)
        .where(seats.c.space_id == space_id)
        .order_by(seats.c.number)
    )
    return [SeatRow(*row) for row in rows]


async def spoken_in(read: Read, account_id: int, space_ids: Collection[int]) -> set[int]:
    """In which of the Spaces an account has or had a seat. One statement."""
    statement = select(seats.c.space_id).where(seats.c.account_id == account_id, seats.c.space_id.in_(space_ids))
    return set((await read.connection.execute(statement)).scalars())


async def facts(read: Read, space: Space, account_ids: Collection[int]) -> Facts:
    """What the machine has to know of accounts: only those whose standing lets them take part are listed."""
    standings = await gate_queries.standings_of(read, account_ids)
    relations = await gate_queries.relations(read, space.host_id, account_ids)
    return Facts(
        accounts={
            account_id: AccountFacts(
                followed_by_host=account_id in relations.follows, blocked=account_id in relations.blocked
            )
            for account_id, standing in standings.items()
            if _takes_part(standing)
        }
    )


def _takes_part(standing: Standing) -> bool:
    return may(standing, Role.MEMBER, Action.TAKE_PART)


def _newest(limit: int, max_id: int | None) -> Select[Any]:
    statement = select(spaces.c.id).order_by(spaces.c.id.desc()).limit(limit)
    return statement if max_id is None else statement.where(spaces.c.id < max_id)


async def _ids(read: Read, statement: Select[Any]) -> list[int]:
    return list((await read.connection.execute(statement)).scalars())
