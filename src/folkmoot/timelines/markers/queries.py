"""Reads of markers."""

from sqlalchemy import select

from folkmoot.storage.database import Read
from folkmoot.storage.tables.reading import markers
from folkmoot.timelines.markers.model import Marker, Timeline


async def of_account(read: Read, account_id: int) -> dict[Timeline, Marker]:
    """Somebody's markers, by timeline. One statement."""
    rows = await read.connection.execute(select(markers).where(markers.c.account_id == account_id))
    return {Timeline(row.timeline): Marker(row.last_read_id, row.version, row.updated_at_ms) for row in rows}
