"""Reads of registered programs."""

from typing import Any

from sqlalchemy import ColumnElement, select

from folkmoot.accounts.oauth.model import Application
from folkmoot.storage.database import Read
from folkmoot.storage.tables import applications


async def application(read: Read, application_id: int) -> Application | None:
    return await _one(read, applications.c.id == application_id)


async def by_client_id(read: Read, client_id: str) -> Application | None:
    return await _one(read, applications.c.client_id == client_id)


async def _one(read: Read, where: ColumnElement[bool]) -> Application | None:
    row: Any = (await read.connection.execute(select(applications).where(where))).first()
    if row is None:
        return None
    return Application(
        id=row.id,
        client_id=row.client_id,
        client_secret_hash=row.client_secret_hash,
        name=row.name,
        website=row.website,
        redirect_uris=tuple(row.redirect_uris),
        scopes=row.scopes,
    )
