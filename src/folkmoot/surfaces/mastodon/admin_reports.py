"""Mastodon's methods for moderating reports: https://docs.joinmastodon.org/methods/admin/reports/."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import msgspec
from litestar import Request, Response, get, post, put

from folkmoot.accounts.model import Account
from folkmoot.gate import Acting, Action, Permit, Refused, Serves
from folkmoot.moderation.members import queries as members
from folkmoot.moderation.members.model import Member
from folkmoot.moderation.reports import actions, queries
from folkmoot.moderation.reports.model import Category, Report, Resolution
from folkmoot.posts import edits
from folkmoot.posts import queries as posts
from folkmoot.spaces import queries as spaces
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon import load_statuses, present_admin
from folkmoot.surfaces.mastodon.admin_entities import AdminReport
from folkmoot.surfaces.mastodon.paging import entity_id, link_header, page, says
from folkmoot.surfaces.services import Services

PATH = "/api/v1/admin/reports"
LIMIT, LIMIT_MAX = 100, 200
_READ = serves(Serves.MODERATOR, Action.MODERATE, "admin:read:reports")
_WRITE = serves(Serves.MODERATOR, Action.MODERATE, "admin:write:reports")


class ChangeReport(msgspec.Struct):
    """What is left out stays as it is. There is no list of rules here that `rule_ids` could name."""

    category: Category | None = None
    rule_ids: list[str | int] | None = None


@get(PATH, opt=_READ)
async def list_reports(
    request: Request[Any, Any, Any], permit: Permit, services: Services
) -> Response[list[AdminReport]]:
    """Open reports (`resolved=true`: closed ones), the newest first, in pages of 100 (200 at most).

    One that is about the moderator who asks is for the others.
    """
    asked = page(request, limit=LIMIT, limit_max=LIMIT_MAX)
    async with services.database.read() as read:
        ids = await queries.ids(read, _wanted(request), asked, judge_id=permit.viewer.id)
        shown = await _present(read, services, permit, ids)
    return Response(shown, headers=link_header(request, services.site.base_url, ids, asked.limit))


@get(f"{PATH}/{{report_id:str}}", opt=_READ)
async def show_report(report_id: str, permit: Permit, services: Services) -> AdminReport:
    """One report."""
    return await _one(services, permit, entity_id(report_id))


@put(f"{PATH}/{{report_id:str}}", opt=_WRITE)
async def change_report(
    request: Request[Any, Any, Any], report_id: str, permit: Permit, services: Services
) -> AdminReport:
    """Change its category."""
    asked = await parse(request, ChangeReport)
    if asked.rule_ids:
        raise Refused("not_supported", "This server has no list of rules yet: leave rule_ids out.", status=422)
    if asked.category is None:
        return await _one(services, permit, entity_id(report_id))
    return await _change(services, permit, report_id, partial(actions.categorize, category=asked.category))


@post(f"{PATH}/{{report_id:str}}/assign_to_self", opt=_WRITE, status_code=200)
async def assign_to_self(report_id: str, permit: Permit, services: Services) -> AdminReport:
    """Say that one looks at it."""
    return await _change(services, permit, report_id, partial(actions.assign, to_oneself=True))


@post(f"{PATH}/{{report_id:str}}/unassign", opt=_WRITE, status_code=200)
async def unassign(report_id: str, permit: Permit, services: Services) -> AdminReport:
    """Say that nobody looks at it any more."""
    return await _change(services, permit, report_id, partial(actions.assign, to_oneself=False))


@post(f"{PATH}/{{report_id:str}}/resolve", opt=_WRITE, status_code=200)
async def resolve(report_id: str, permit: Permit, services: Services) -> AdminReport:
    """Close it without a sanction."""
    return await _change(services, permit, report_id, partial(actions.resolve, resolution=Resolution.NOTHING))


@post(f"{PATH}/{{report_id:str}}/reopen", opt=_WRITE, status_code=200)
async def reopen(report_id: str, permit: Permit, services: Services) -> AdminReport:
    """Put it back into the queue."""
    return await _change(services, permit, report_id, actions.reopen)


async def _change(
    services: Services, permit: Permit, report_id: str, work: Callable[[Acting, int], Awaitable[None]]
) -> AdminReport:
    id_ = entity_id(report_id)
    await services.gate.act(permit, lambda acting: work(acting, id_))
    return await _one(services, permit, id_)


async def _one(services: Services, permit: Permit, report_id: int) -> AdminReport:
    async with services.database.read() as read:
        shown = await _present(read, services, permit, [report_id])
    if not shown:
        raise Refused("not_found", "Record not found", status=404)
    return shown[0]


async def _present(read: Read, services: Services, permit: Permit, ids: Sequence[int]) -> list[AdminReport]:
    found = await queries.by_ids(read, ids, judge_id=permit.viewer.id)
    around = await _around(read, services, permit, found)
    admitted = services.gate.admit_to_moderate(permit, found)
    return [present_admin.admin_report(one, around, services.site) for one in admitted]


async def _around(read: Read, services: Services, permit: Permit, found: Sequence[Report]) -> present_admin.Around:
    abouts = [one.about for one in found]
    people = {
        account_id
        for one in found
        for account_id in (one.reporter_id, one.target_id, one.assigned_to, one.resolved_by)
        if account_id is not None
    }
    known: list[Member] = await members.by_ids(read, sorted(people))
    accounts: list[Account] = [one.account for one in known]
    rooms = await spaces.by_ids(read, {about.space_id for about in abouts if about.space_id is not None})
    reported = sorted({id_ for about in abouts for id_ in about.post_ids})
    meant = await posts.by_ids(read, reported)
    admit = services.gate.admit_to_moderate
    return present_admin.Around(
        members={one.item.account.id: one for one in admit(permit, known)},
        accounts={one.item.id: one for one in admit(permit, accounts)},
        spaces={one.item.id: one for one in admit(permit, rooms)},
        statuses={int(one.id): one for one in await load_statuses.reported(read, services, permit, meant)},
        versions={one.id: one.edited_at_ms or one.created_at_ms for one in meant},
        said=await edits.earlier(read, reported),
    )


def _wanted(request: Request[Any, Any, Any]) -> queries.Wanted:
    def person(name: str) -> int | None:
        text = request.query_params.get(name)
        return entity_id(text) if text else None

    return queries.Wanted(
        resolved=says(request, "resolved"),
        reporter_id=person("account_id"),
        target_id=person("target_account_id"),
    )


HANDLERS: list[Any] = [list_reports, show_report, change_report, assign_to_self, unassign, resolve, reopen]
