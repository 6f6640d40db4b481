"""Mastodon's trends for moderators: https://docs.joinmastodon.org/methods/admin/trends/.

Nobody reviews them here, so they are those that everybody sees: who is limited or suspended stands in none.
"""

from typing import Any

import msgspec
from litestar import Request, Response, get

from folkmoot.gate import Action, Permit, Serves
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon import trends
from folkmoot.surfaces.mastodon.present_tags import Tag
from folkmoot.surfaces.mastodon.status_entities import Status
from folkmoot.surfaces.mastodon.trending import Trending
from folkmoot.surfaces.services import Services

PATH = "/api/v1/admin/trends"
_READ = serves(Serves.MODERATOR, Action.MODERATE, "admin:read")


class AdminTag(Tag, kw_only=True):
    """https://docs.joinmastodon.org/entities/Tag/#admin. A tag is known by its name; nobody has to let it in."""

    id: str
    trendable: bool = True
    usable: bool = True
    requires_review: bool = False


@get(f"{PATH}/tags", opt=_READ)
async def list_tags(
    request: Request[Any, Any, Any], permit: Permit, services: Services, trending: Trending
) -> Response[list[AdminTag]]:
    """Tags that several people use now, the strongest first; 10, and from `offset` on."""
    found = await trends.tags_answer(request, permit.viewer, services, trending)
    shown = [AdminTag(**msgspec.structs.asdict(one), id=one.name) for one in found.content]
    return Response(shown, headers=found.headers)


@get(f"{PATH}/statuses", opt=_READ)
async def list_statuses(
    request: Request[Any, Any, Any], permit: Permit, services: Services, trending: Trending
) -> Response[list[Status]]:
    """Posts that are boosted and favourited most now, the strongest first; 20, and from `offset` on."""
    return await trends.statuses_answer(request, permit.viewer, services, trending)


@get(f"{PATH}/links", opt=_READ)
async def list_links(
    request: Request[Any, Any, Any],
    permit: Permit,  # noqa: ARG001 (asks who is there)
    services: Services,
    trending: Trending,
) -> Response[list[trends.TrendingLink]]:
    """Links that several people posted, the strongest first; 10, and from `offset` on."""
    return await trends.links_answer(request, services, trending)


HANDLERS: list[Any] = [list_tags, list_statuses, list_links]
