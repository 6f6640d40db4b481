"""Reads of accounts for moderators."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, exists, false, func, or_, select

from folkmoot.accounts import queries as account_queries
from folkmoot.accounts.model import Page
from folkmoot.accounts.paging import rows_of_page
from folkmoot.gate import Standing
from folkmoot.gate import queries as gate_queries
from folkmoot.gate.model import Sanction, account_subject
from folkmoot.gate.standings import holding
from folkmoot.moderation.members.model import History, Member, Wanted
from folkmoot.moderation.reports import queries as report_queries
from folkmoot.storage.database import Read
from folkmoot.storage.tables.credentials import tokens
from folkmoot.storage.tables.joining import invited
from folkmoot.storage.tables.people import accounts, credentials, sanctions


async def ids(read: Read, wanted: Wanted, page: Page) -> list[int]:
    """A page of accounts, the newest first. One statement."""
    joined = accounts.outerjoin(credentials, credentials.c.account_id == accounts.c.id)
    statement = select(accounts.c.id).select_from(joined).where(*_conditions(read, wanted))
    return [int(row.id) for row in await rows_of_page(read, statement, accounts.c.id, page)]


async def by_ids(read: Read, account_ids: Collection[int]) -> list[Member]:
    """The accounts that exist, in the order asked for. Three statements."""
    if not account_ids:
        return []
    found = await account_queries.by_ids(read, account_ids)
    held = await gate_queries.open_sanctions(read, account_ids)
    rows = await read.connection.execute(
        select(credentials.c.account_id, credentials.c.email).where(credentials.c.account_id.in_(account_ids))
    )
    emails = {row.account_id: row.email for row in rows}
    return [
        Member(one, emails.get(one.id), holding(held[one.id], read.now_ms), _kinds(held[one.id], read.now_ms))
        for one in found
    ]


async def history(read: Read, account_id: int, *, judge_id: int | None) -> History:
    """What is told of one account besides; `judge_id`: who looks, as in `reports.queries`."""
    subject = account_subject(account_id)
    counter = (await gate_queries.counters(read, [subject]))[subject]
    alive = (
        tokens.c.account_id == account_id,
        tokens.c.account_counter >= counter,
        or_(tokens.c.expires_at_ms.is_(None), tokens.c.expires_at_ms > read.now_ms),
    )
    counted = select(func.count(), func.count(tokens.c.application_id.distinct())).where(*alive)
    programs_tokens = select(func.count(tokens.c.application_id)).where(*alive)
    every, programs = (await read.connection.execute(counted)).one()
    of_programs = (await read.connection.execute(programs_tokens)).scalar_one()
    open_reports, reports = await report_queries.counts_about(read, account_id, judge_id=judge_id)
    return History(
        sanctions=await gate_queries.sanctions_of(read, account_id),
        sessions=every - of_programs,
        programs=programs,
        open_reports=open_reports,
        reports=reports,
    )


def _conditions(read: Read, wanted: Wanted) -> list[ColumnElement[bool]]:
    names = (accounts.c.username_folded, func.lower(accounts.c.display_name), func.lower(credentials.c.email))
    parts = (wanted.username, wanted.display_name, wanted.email)
    conditions = [
        name.contains(part.removeprefix("@").lower(), autoescape=True)
        for name, part in zip(names, parts, strict=True)
        if part
    ]
    if wanted.anything:
        part = wanted.anything.removeprefix("@").lower()
        conditions.append(or_(*(name.contains(part, autoescape=True) for name in names)))
    conditions.append(accounts.c.role.in_([role.value for role in wanted.roles]))
    if wanted.local is not None:
        conditions.append(accounts.c.host.is_(None) if wanted.local else accounts.c.host.is_not(None))
    if wanted.host:
        conditions.append(accounts.c.host == wanted.host)
    if wanted.invited_by is not None:
        brought = select(invited.c.account_id).where(invited.c.inviter_id == wanted.invited_by)
        conditions.append(accounts.c.id.in_(brought))
    if wanted.is_nobody:
        conditions.append(false())
    if wanted.standing is not None:
        conditions.append(_stands(read, wanted.standing))
    return conditions


def _stands(read: Read, standing: Standing) -> ColumnElement[bool]:
    in_force = select(sanctions.c.id).where(
        sanctions.c.account_id == accounts.c.id,
        sanctions.c.lifted_at_ms.is_(None),
        or_(sanctions.c.until_ms.is_(None), sanctions.c.until_ms > read.now_ms),
    )
    if standing is Standing.ACTIVE:
        return ~exists(in_force)
    return exists(in_force.where(sanctions.c.standing == standing.value))


def _kinds(held: list[Sanction], now_ms: int) -> frozenset[Standing]:
    return frozenset(one.standing for one in held if one.in_force(now_ms))
