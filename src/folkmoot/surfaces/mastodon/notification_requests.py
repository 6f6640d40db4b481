"""From whom one wants to be told, and whose news wait for a word.

https://docs.joinmastodon.org/methods/notifications/#get-policy and what follows there.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

import msgspec
from litestar import Request, Response, get, patch, post
from litestar.handlers import HTTPRouteHandler

from folkmoot.gate import Acting, Action, Permit, Refused, Serves, Viewer
from folkmoot.notifications import actions, queries
from folkmoot.notifications.model import Answer, Policy
from folkmoot.notifications.model import Request as Waiting
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon import load_notifications
from folkmoot.surfaces.mastodon.notification_entities import Merged, NotificationRequest
from folkmoot.surfaces.mastodon.notification_entities import Policy as ShownPolicy
from folkmoot.surfaces.mastodon.notifications import LIMIT, LIMIT_MAX, READ, WRITE
from folkmoot.surfaces.mastodon.paging import entity_id, link_header, page, possible_id
from folkmoot.surfaces.services import Services

POLICY = "/api/v2/notifications/policy"
PATH = "/api/v1/notifications/requests"
ONE = f"{PATH}/{{request_id:str}}"
TOGETHER_MAX = 100
_Work = Callable[[Acting, Sequence[Waiting]], Awaitable[None]]


class ChangedPolicy(msgspec.Struct):
    """What is left out stays as it is."""

    for_not_following: Answer | None = None
    for_not_followers: Answer | None = None
    for_new_accounts: Answer | None = None
    for_private_mentions: Answer | None = None
    for_limited_accounts: Answer | None = None


class Which(msgspec.Struct):
    """The ids of requests."""

    id: list[str]


@get(POLICY, opt=serves(Serves.SIGNED_IN, scope=READ))
async def policy(viewer: Viewer, services: Services) -> ShownPolicy:
    """From whom one wants to be told, and how much waits."""
    async with services.database.read() as read:
        return await _policy(read, viewer)


@patch(POLICY, opt=serves(Serves.SIGNED_IN, Action.READ, WRITE))
async def change_policy(request: Request[Any, Any, Any], permit: Permit, services: Services) -> ShownPolicy:
    """Say it anew."""
    asked = await parse(request, ChangedPolicy)
    said = {name: value for name, value in msgspec.structs.asdict(asked).items() if value is not None}

    async def work(acting: Acting) -> None:
        before = await queries.policy_of(acting.tx, acting.actor_id)
        await actions.set_policy(acting, msgspec.structs.replace(before, **said))

    await services.gate.act(permit, work)
    async with services.database.read() as read:
        return await _policy(read, permit.viewer)


@get(PATH, opt=serves(Serves.SIGNED_IN, scope=READ))
async def requests(
    request: Request[Any, Any, Any], viewer: Viewer, services: Services
) -> Response[list[NotificationRequest]]:
    """Those whose news wait, who came last first."""
    asked = page(request, limit=LIMIT, limit_max=LIMIT_MAX)
    async with services.database.read() as read:
        found = await queries.requests(read, viewer.id, asked)
        shown = await load_notifications.requests(read, services, viewer, found)
    headers = link_header(request, services.site.base_url, [one.id for one in found], asked.limit)
    return Response(shown, headers=headers)


@get(f"{PATH}/merged", opt=serves(Serves.SIGNED_IN, scope=READ))
async def merged(viewer: Viewer) -> Merged:  # noqa: ARG001 (checks the token and its scope)
    """Always: what is accepted stands among the others in the same moment."""
    return Merged(merged=True)


@get(ONE, opt=serves(Serves.SIGNED_IN, scope=READ))
async def one_request(request_id: str, viewer: Viewer, services: Services) -> NotificationRequest:
    """One of them."""
    async with services.database.read() as read:
        found = await queries.requests_by_ids(read, viewer.id, [entity_id(request_id)])
        shown = await load_notifications.requests(read, services, viewer, found)
    if not shown:
        raise Refused("not_found", "Record not found.", status=404)
    return shown[0]


def _answering(verb: str, work: _Work, what: str) -> HTTPRouteHandler:
    @post(f"{ONE}/{verb}", opt=serves(Serves.SIGNED_IN, Action.READ, WRITE), status_code=200)
    async def answer(request_id: str, permit: Permit, services: Services) -> dict[str, Any]:
        await _answer(services, permit, [entity_id(request_id)], work)
        return {}

    answer.fn.__name__ = f"{verb}_request"
    answer.fn.__doc__ = what
    return answer


def _answering_many(verb: str, work: _Work, what: str) -> HTTPRouteHandler:
    @post(f"{PATH}/{verb}", opt=serves(Serves.SIGNED_IN, Action.READ, WRITE), status_code=200)
    async def answer_many(request: Request[Any, Any, Any], permit: Permit, services: Services) -> dict[str, Any]:
        ids = [possible_id(one) for one in (await parse(request, Which)).id[:TOGETHER_MAX]]
        await _answer(services, permit, [one for one in ids if one is not None], work)
        return {}

    answer_many.fn.__name__ = f"{verb}_requests"
    answer_many.fn.__doc__ = what
    return answer_many


async def _answer(services: Services, permit: Permit, ids: Collection[int], work: _Work) -> None:
    async def inside(acting: Acting) -> None:
        found = await queries.requests_by_ids(acting.tx, acting.actor_id, ids)
        if not found:
            raise Refused("not_found", "Record not found.", status=404)
        await work(acting, found)

    await services.gate.act(permit, inside)


async def _policy(read: Read, viewer: Viewer) -> ShownPolicy:
    kept: Policy = await queries.policy_of(read, viewer.id)
    people, waiting = await queries.waiting(read, viewer.id)
    said = {name: value.value for name, value in msgspec.structs.asdict(kept).items()}
    return ShownPolicy(**said, summary={"pending_requests_count": people, "pending_notifications_count": waiting})


HANDLERS: list[Any] = [
    policy,
    change_policy,
    requests,
    merged,
    _answering_many("accept", actions.accept, "Let several in."),
    _answering_many("dismiss", actions.refuse, "Forget what waits of several."),
    one_request,
    _answering("accept", actions.accept, "Let somebody's news in, what waits of it and what comes."),
    _answering("dismiss", actions.refuse, "Forget what waits of somebody."),
]
