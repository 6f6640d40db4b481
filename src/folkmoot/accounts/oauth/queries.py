"""Reads of registered programs."""

import re
from typing import Any

from sqlalchemy import ColumnElement, select

from folkmoot.accounts.oauth.model import Application
from folkmoot.storage.database import Read
from folkmoot.storage.tables import applications

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


async def application(read: Read, application_id: int) -> Application | None:
    return await _one(read, applications.c.id == application_id)


async def by_client_id(read: Read, client_id: str) -> Application | None:
    if not _CLIENT_ID.fullmatch(client_id):  # also keeps out what PostgreSQL has no text for
        return None
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
