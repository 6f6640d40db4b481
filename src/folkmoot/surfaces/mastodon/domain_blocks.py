"""Hosts of other networks that one blocks for oneself: https://docs.joinmastodon.org/methods/domain_blocks/."""

from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post

from folkmoot.accounts.relations import actions, queries
from folkmoot.gate import Action, Permit, Serves, Viewer, invalid
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon.paging import link_header, page
from folkmoot.surfaces.services import Services

PATH = "/api/v1/domain_blocks"
_WRITE = serves(Serves.SIGNED_IN, Action.BLOCK, "write:blocks")


class Domain(msgspec.Struct):
    """Which host."""

    domain: str = ""


@get(PATH, opt=serves(Serves.SIGNED_IN, scope="read:blocks"))
async def domain_blocks(request: Request[Any, Any, Any], viewer: Viewer, services: Services) -> Response[list[str]]:
    """The hosts that one blocks, the last first, in pages of 100 (200 at most)."""
    asked = page(request, limit=100, limit_max=200)
    async with services.database.read() as read:
        found = await queries.blocked_domains(read, viewer.id, asked)
    headers = link_header(request, services.site.base_url, [id_ for id_, _ in found], asked.limit)
    return Response([host for _, host in found], headers=headers)


@post(PATH, opt=_WRITE, status_code=200)
async def block_domain(request: Request[Any, Any, Any], permit: Permit, services: Services) -> dict[str, Any]:
    """See no more of a host's people; those of them who follow one do no longer."""
    asked = await parse(request, Domain)
    if asked.domain.strip().lower() == services.site.domain.lower():
        raise invalid("this is this server")
    await services.gate.act(permit, lambda acting: actions.block_domain(acting, asked.domain))
    return {}


@delete(PATH, opt=_WRITE, status_code=200)
async def unblock_domain(request: Request[Any, Any, Any], permit: Permit, services: Services) -> dict[str, Any]:
    """No longer block a host (`domain`, in the query or the body)."""
    asked = await parse(request, Domain)
    await services.gate.act(permit, lambda acting: actions.unblock_domain(acting, asked.domain))
    return {}


HANDLERS: list[Any] = [domain_blocks, block_domain, unblock_domain]
