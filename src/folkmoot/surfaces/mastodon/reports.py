"""Reporting somebody to the moderators: https://docs.joinmastodon.org/methods/reports/."""

from typing import Any

import msgspec
from litestar import Request, post

from folkmoot.accounts import queries as accounts
from folkmoot.accounts.model import Account
from folkmoot.clips import queries as clips
from folkmoot.gate import Action, Permit, Refused, Serves, Viewer, Visible, invalid
from folkmoot.moderation.reports import actions, queries
from folkmoot.moderation.reports.model import POSTS_MAX, About, Category
from folkmoot.posts import queries as posts
from folkmoot.posts.files import queries as files
from folkmoot.spaces import queries as spaces
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon import admin_entities, load_statuses, present_admin
from folkmoot.surfaces.mastodon.paging import entity_id
from folkmoot.surfaces.services import Services

_MOMENT_MS_MAX = 7 * 24 * 3_600_000


class CreateReport(msgspec.Struct):
    """What is wrong. `space_id`, `at_ms` (a moment of its timeline) and `media_id` (a clip) are Folkmoot's own;
    `forward` and `rule_ids` say nothing here, where there is no other server and no list of rules yet."""

    account_id: str | int | None = None
    status_ids: list[str | int] | None = None
    comment: str | None = None
    category: str | None = None
    space_id: str | int | None = None
    at_ms: int | None = None
    media_id: str | int | None = None
    forward: Any = None
    rule_ids: Any = None


@post("/api/v1/reports", opt=serves(Serves.SIGNED_IN, Action.REPORT, "write:reports"), status_code=200)
async def create_report(
    request: Request[Any, Any, Any], permit: Permit, services: Services
) -> admin_entities.Report:
    """Report an account, with what is meant: its posts, a Space it is in, a clip. One can report what one may see,
    and whoever blocks one, with what everybody sees of theirs.

    Whom it is about is never told who reported.
    """
    asked = await parse(request, CreateReport)
    category = _category(asked.category)
    async with services.database.read() as read:
        target = await _target(read, services, permit.viewer, asked)
        about = await _about(read, services, permit.viewer, asked, target)
    made = await services.gate.act(
        permit, lambda acting: actions.report(acting, target, about, category, asked.comment or "")
    )
    async with services.database.read() as read:
        found = await queries.by_ids(read, [made.id], judge_id=None)
        own = await services.gate.admit_one(read, permit.viewer, found[0], "Report")
    return present_admin.report(own, target, services.site)


async def _target(read: Read, services: Services, viewer: Viewer, asked: CreateReport) -> Visible[Account]:
    if asked.account_id in (None, ""):
        raise invalid("account_id says whom the report is about")
    found = await accounts.by_ids(read, [entity_id(str(asked.account_id))])
    for seen in await services.gate.admit_blocked(read, viewer, found):
        return seen
    return await services.gate.admit_one(read, viewer, found[0] if found else None, "Record")


async def _about(
    read: Read, services: Services, viewer: Viewer, asked: CreateReport, target: Visible[Account]
) -> About:
    post_ids = await _posts(read, services, viewer, asked, target)
    if asked.media_id not in (None, ""):
        return await _clip(read, services, viewer, str(asked.media_id), post_ids)
    if asked.space_id in (None, ""):
        return About(post_ids=post_ids)
    space = await spaces.by_id(read, entity_id(str(asked.space_id)))
    seen = await services.gate.admit_one(read, viewer, space, "Space")
    if asked.at_ms is not None and not 0 <= asked.at_ms <= _MOMENT_MS_MAX:
        raise invalid("at_ms is a moment of the Space, in milliseconds from its start")
    return About(post_ids=post_ids, space_id=seen.item.id, at_ms=asked.at_ms)


async def _posts(
    read: Read, services: Services, viewer: Viewer, asked: CreateReport, target: Visible[Account]
) -> tuple[int, ...]:
    wanted = tuple(dict.fromkeys(entity_id(str(one)) for one in asked.status_ids or []))
    if len(wanted) > POSTS_MAX:
        raise invalid(f"a report holds at most {POSTS_MAX} posts")
    seen = await services.gate.admit_blocked(read, viewer, await posts.by_ids(read, wanted))
    if len(seen) != len(wanted) or any(one.item.account_id != target.item.id for one in seen):
        raise Refused("not_found", "Record not found", status=404)
    return wanted


async def _clip(read: Read, services: Services, viewer: Viewer, media_id: str, post_ids: tuple[int, ...]) -> About:
    found = await files.by_id(read, entity_id(media_id))
    media, _ = await load_statuses.admit_media(read, services, viewer, found)
    clip = await clips.by_id(read, media.item.clip_id) if media.item.clip_id is not None else None
    if clip is None:
        raise invalid("media_id is no clip")
    return About(post_ids=post_ids, space_id=clip.space_id, at_ms=clip.start_ms, clip_id=clip.id)


def _category(given: str | None) -> Category:
    try:
        return Category(given or Category.OTHER)
    except ValueError as error:
        raise invalid("Category is spam, legal, violation or other") from error


HANDLERS: list[Any] = [create_report]
