"""Writes of markers."""

from collections.abc import Mapping

from sqlalchemy import update

from folkmoot.gate import Acting, Refused
from folkmoot.storage.tables.reading import markers
from folkmoot.storage.upserts import insert_once
from folkmoot.timelines.markers import queries
from folkmoot.timelines.markers.model import Marker, Timeline


async def move(acting: Acting, last_read_ids: Mapping[Timeline, int]) -> dict[Timeline, Marker]:
    """Move the actor's markers; returns those. Raises Refused 409 where another device does so at this moment:
    which of both is further only the client knows."""
    before = await queries.of_account(acting.tx, acting.actor_id)
    moved: dict[Timeline, Marker] = {}
    for timeline, last_read_id in last_read_ids.items():
        held = before.get(timeline)
        moved[timeline] = Marker(last_read_id, held.version + 1 if held else 1, acting.now_ms)
        if not await _write(acting, timeline, held, moved[timeline]):
            raise Refused("conflict", "Conflict during update, please try again", status=409)
    return moved


async def _write(acting: Acting, timeline: Timeline, held: Marker | None, new: Marker) -> bool:
    values = {
        "last_read_id": new.last_read_id,
        "version": new.version,
        "updated_at_ms": new.updated_at_ms,
    }
    if held is None:
        key = {"account_id": acting.actor_id, "timeline": timeline.value}
        return await insert_once(acting.tx, markers, **key, **values)
    changed = await acting.tx.connection.execute(
        update(markers)
        .where(
            markers.c.account_id == acting.actor_id,
            markers.c.timeline == timeline.value,
            markers.c.version == held.version,
        )
        .values(values)
    )
    return bool(changed.rowcount)
