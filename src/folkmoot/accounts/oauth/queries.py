"""Reads of registered programs."""

import re
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select

from folkmoot.accounts.oauth.model import Application, Registered
from folkmoot.gate import Action, Kind, Subject, subjects
from folkmoot.gate.standings import keeps
from folkmoot.storage.database import Read
from folkmoot.storage.tables.credentials import applications, tokens

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


async def application(read: Read, application_id: int) -> Application | None:
    return await _one(read, applications.c.id == application_id)


async def by_client_id(read: Read, client_id: str) -> Application | None:
    if not _CLIENT_ID.fullmatch(client_id):  # also keeps out what PostgreSQL has no text for
        return None
    return await _one(read, applications.c.client_id == client_id)


async def is_running(read: Read, application_id: int) -> bool:
    """Whether there is such a program, and moderators have not stopped it."""
    subject = Subject(Kind.APPLICATION, application_id)
    now = (await subjects.held(read, [subject]))[subject]
    return (
        keeps(subject.kind, now.standing, Action.AUTHORIZE) and await application(read, application_id) is not None
    )


async def listed(read: Read, limit: int) -> list[Registered]:
    """The programs that are stopped, and those to which most people gave a token. Three statements."""
    held = (
        select(func.count())
        .select_from(tokens)
        .where(tokens.c.application_id == applications.c.id, tokens.c.account_id.is_not(None))
        .scalar_subquery()
    )
    stopped = await subjects.ids_under(read, Kind.APPLICATION)
    statement = (
        select(applications, held.label("tokens"))
        .order_by(applications.c.id.not_in(stopped), held.desc(), applications.c.id)
        .limit(limit)
    )
    rows = (await read.connection.execute(statement)).all()
    now = await subjects.held(read, [Subject(Kind.APPLICATION, row.id) for row in rows])
    return [
        Registered(_application(row), row.created_at_ms, row.tokens, now[Subject(Kind.APPLICATION, row.id)])
        for row in rows
    ]


async def _one(read: Read, where: ColumnElement[bool]) -> Application | None:
    row = (await read.connection.execute(select(applications).where(where))).first()
    return None if row is None else _application(row)


def _application(row: Row[Any]) -> Application:
    return Application(
        id=row.id,
        client_id=row.client_id,
        client_secret_hash=row.client_secret_hash,
        name=row.name,
        website=row.website,
        redirect_uris=tuple(row.redirect_uris),
        scopes=row.scopes,
    )
