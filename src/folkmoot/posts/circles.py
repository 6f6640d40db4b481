"""For whom the conversations of closed Spaces are: the two tables of Spaces that posts read (`model.Circle`)."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import FromClause, and_, select

from folkmoot.gate import Reach
from folkmoot.posts.model import Circle
from folkmoot.storage.database import Read
from folkmoot.storage.tables.posts import posts
from folkmoot.storage.tables.spaces import space_members, spaces

_REACH_OF_AUDIENCE = {"followed": Reach.FOLLOWED, "invited": Reach.NAMED}

# The post that began the conversation, deleted or not, and the closed Space that it announces.
_root = posts.alias("root")
COLUMNS = (spaces.c.id.label("circle_id"), spaces.c.host_id.label("circle_host_id"), spaces.c.audience)


def with_circle(joined: FromClause) -> FromClause:
    """Posts, or what they are part of, with what `COLUMNS` names: NULL outside of closed Spaces' conversations."""
    return joined.outerjoin(_root, _root.c.id == posts.c.conversation_id).outerjoin(
        spaces, and_(spaces.c.id == _root.c.space_id, spaces.c.audience.in_(_REACH_OF_AUDIENCE))
    )


async def circles(read: Read, selected: Collection[Any]) -> dict[int, Circle]:
    """By Space: its people are who is on its stage or was invited, and nobody who was removed."""
    closed = {row.circle_id: row for row in selected if row.circle_id is not None}
    if not closed:
        return {}
    guest_as = space_members.c.document["guest_as"].as_string().label("guest_as")
    members = await read.connection.execute(
        select(
            space_members.c.space_id,
            space_members.c.account_id,
            space_members.c.role,
            space_members.c.removed,
            guest_as,
        ).where(space_members.c.space_id.in_(list(closed)))
    )
    named: dict[int, set[int]] = {space_id: set() for space_id in closed}
    barred: dict[int, set[int]] = {space_id: set() for space_id in closed}
    for member in members:
        if member.removed:
            barred[member.space_id].add(member.account_id)
        elif member.guest_as is not None or member.role != "listener":
            named[member.space_id].add(member.account_id)
    return {
        space_id: Circle(
            row.circle_host_id,
            _REACH_OF_AUDIENCE[row.audience],
            frozenset(named[space_id]),
            frozenset(barred[space_id]),
        )
        for space_id, row in closed.items()
    }
