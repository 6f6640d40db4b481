"""Reads of reports. Each is one statement, whatever the size of a page.

`judge_id` is who will decide: reports about themselves are not among theirs. None: the system, which has them all.
"""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, func, select, true

from folkmoot.accounts.model import Page
from folkmoot.moderation.reports.model import NO_EVIDENCE, About, Category, Evidence, Report, Resolution
from folkmoot.storage.database import Read
from folkmoot.storage.tables.moderation import reports


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which reports: open or resolved ones, by somebody, about somebody."""

    resolved: bool = False
    reporter_id: int | None = None
    target_id: int | None = None


async def ids(read: Read, wanted: Wanted, page: Page, *, judge_id: int | None) -> list[int]:
    """A page of reports, the newest first."""
    closed = reports.c.resolved_at_ms.is_not(None) if wanted.resolved else reports.c.resolved_at_ms.is_(None)
    statement = select(reports.c.id).where(closed, _judged_by(judge_id)).limit(page.limit)
    if wanted.reporter_id is not None:
        statement = statement.where(reports.c.reporter_id == wanted.reporter_id)
    if wanted.target_id is not None:
        statement = statement.where(reports.c.target_id == wanted.target_id)
    if page.max_id is not None:
        statement = statement.where(reports.c.id < page.max_id)
    newer_than = page.min_id if page.min_id is not None else page.since_id
    if newer_than is not None:
        statement = statement.where(reports.c.id > newer_than)
    upwards = page.min_id is not None
    rows = await read.connection.execute(statement.order_by(reports.c.id.asc() if upwards else reports.c.id.desc()))
    found = [int(row.id) for row in rows]
    return found[::-1] if upwards else found


async def by_ids(read: Read, report_ids: Collection[int], *, judge_id: int | None) -> list[Report]:
    """The reports that exist, in the order asked for."""
    if not report_ids:
        return []
    rows = await read.connection.execute(select(reports).where(reports.c.id.in_(report_ids), _judged_by(judge_id)))
    found = {row.id: _report(row) for row in rows}
    return [found[id_] for id_ in report_ids if id_ in found]


async def open_between(read: Read, reporter_id: int, target_id: int) -> list[Report]:
    """What somebody reported of an account and nobody has decided yet."""
    rows = await read.connection.execute(
        select(reports).where(
            reports.c.reporter_id == reporter_id,
            reports.c.target_id == target_id,
            reports.c.resolved_at_ms.is_(None),
        )
    )
    return [_report(row) for row in rows]


async def counts_about(read: Read, target_id: int, *, judge_id: int | None) -> tuple[int, int]:
    """How many reports about an account are open, and how many there are."""
    counted = select(func.count(), func.count(reports.c.resolved_at_ms)).where(
        reports.c.target_id == target_id, _judged_by(judge_id)
    )
    every, closed = (await read.connection.execute(counted)).one()
    return every - closed, every


def columns(report: Report) -> dict[str, Any]:
    """A report as a row."""
    values = msgspec.structs.asdict(report)
    about: About = values.pop("about")
    resolution = report.resolution.value if report.resolution is not None else None
    return {
        **values,
        **msgspec.structs.asdict(about),
        "post_ids": list(about.post_ids),
        "evidence": msgspec.to_builtins(report.evidence),
        "category": report.category.value,
        "resolution": resolution,
    }


def _judged_by(judge_id: int | None) -> ColumnElement[bool]:
    return true() if judge_id is None else reports.c.target_id != judge_id


def _report(row: Row[Any]) -> Report:
    return Report(
        id=row.id,
        reporter_id=row.reporter_id,
        target_id=row.target_id,
        about=About(post_ids=tuple(row.post_ids), space_id=row.space_id, at_ms=row.at_ms, clip_id=row.clip_id),
        category=Category(row.category),
        comment=row.comment,
        assigned_to=row.assigned_to,
        resolution=Resolution(row.resolution) if row.resolution is not None else None,
        resolved_by=row.resolved_by,
        resolved_at_ms=row.resolved_at_ms,
        created_at_ms=row.created_at_ms,
        changed_at_ms=row.changed_at_ms,
        evidence=msgspec.convert(row.evidence, Evidence) if row.evidence is not None else NO_EVIDENCE,
    )
