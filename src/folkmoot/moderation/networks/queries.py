"""Reads of stopped networks."""

import ipaddress
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, or_, select

from folkmoot.accounts.model import Page
from folkmoot.accounts.paging import rows_of_page
from folkmoot.moderation.networks.model import Severity, Stop
from folkmoot.moderation.networks.rules import Network
from folkmoot.storage.database import Read
from folkmoot.storage.tables.joining import network_stops


async def in_force(read: Read) -> list[Stop]:
    """Every network that is stopped now. One statement."""
    rows = await read.connection.execute(select(network_stops).where(is_in_force(read.now_ms)))
    return [_stop(row) for row in rows]


async def listed(read: Read, page: Page) -> list[Stop]:
    """A page of those that are stopped now, the newest first."""
    statement = select(network_stops).where(is_in_force(read.now_ms))
    return [_stop(row) for row in await rows_of_page(read, statement, network_stops.c.id, page)]


async def by_id(read: Read, stop_id: int) -> Stop | None:
    """One that is in force."""
    rows = await read.connection.execute(
        select(network_stops).where(network_stops.c.id == stop_id, is_in_force(read.now_ms))
    )
    row = rows.first()
    return _stop(row) if row else None


async def of_network(read: Read, network: Network) -> Stop | None:
    """The stop of exactly this network, if it is in force."""
    rows = await read.connection.execute(
        select(network_stops).where(network_stops.c.network == str(network), is_in_force(read.now_ms))
    )
    row = rows.first()
    return _stop(row) if row else None


def is_in_force(now_ms: int) -> ColumnElement[bool]:
    """The condition on `network_stops`."""
    is_ahead = or_(network_stops.c.until_ms.is_(None), network_stops.c.until_ms > now_ms)
    return and_(network_stops.c.lifted_at_ms.is_(None), is_ahead)


def _stop(row: Row[Any]) -> Stop:
    return Stop(
        id=row.id,
        network=ipaddress.ip_network(row.network),
        severity=Severity(row.severity),
        reason=row.reason,
        until_ms=row.until_ms,
        decided_by=row.decided_by,
        decided_at_ms=row.decided_at_ms,
    )
