"""Web Push: https://docs.joinmastodon.org/methods/push/. One subscription for each token."""

from typing import Any

import msgspec
from litestar import Request, delete, get, post, put

from folkmoot.gate import Action, Permit, Refused, Serves, Viewer, invalid
from folkmoot.notifications.push import actions, queries
from folkmoot.notifications.push.model import ALERTS, From, Keys, Subscription
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.services import Services

PATH = "/api/v1/push/subscription"
SCOPE = "push"


class Where(msgspec.Struct):
    """What a browser's `PushSubscription` says, and whether it knows RFC 8291 rather than the draft."""

    endpoint: str
    keys: Keys
    standard: bool = False


class Wanted(msgspec.Struct):
    """Of what, and of whom."""

    alerts: dict[str, bool] = {}
    policy: From | None = None


class Subscribe(msgspec.Struct):
    subscription: Where
    data: Wanted = msgspec.field(default_factory=Wanted)


class Change(msgspec.Struct):
    data: Wanted = msgspec.field(default_factory=Wanted)
    policy: From | None = None


_ID_MAX = 2**31 - 1


class WebPushSubscription(msgspec.Struct, kw_only=True):
    """A subscription. `server_key`: by which the push service knows this server. `id`: a number, unlike all others;
    programs for telephones read it into 32 bits, and nothing is asked by it."""

    id: int
    endpoint: str
    standard: bool
    policy: str
    alerts: dict[str, bool]
    server_key: str


@post(PATH, opt=serves(Serves.SIGNED_IN, Action.READ, SCOPE), status_code=200)
async def subscribe(request: Request[Any, Any, Any], permit: Permit, services: Services) -> WebPushSubscription:
    """Have what one is told pushed to a program, instead of where it was pushed to for this token."""
    asked = await parse(request, Subscribe)
    where, wanted = asked.subscription, asked.data
    if not where.endpoint.startswith(("https://", "http://")):
        raise invalid("Endpoint is an address")
    made = await services.gate.act(
        permit,
        lambda acting: actions.subscribe(
            acting,
            _token_id(permit.viewer),
            where.endpoint,
            where.keys,
            standard=where.standard,
            policy=wanted.policy or From.ALL,
            alerts=_alerts(wanted),
        ),
    )
    return _shown(made, services)


@get(PATH, opt=serves(Serves.SIGNED_IN, Action.READ, SCOPE))
async def subscription(viewer: Viewer, services: Services) -> WebPushSubscription:
    """The one of this token."""
    async with services.database.read() as read:
        found = await queries.of_token(read, _token_id(viewer))
    if found is None:
        raise Refused("not_found", "Record not found", status=404)
    return _shown(found, services)


@put(PATH, opt=serves(Serves.SIGNED_IN, Action.READ, SCOPE))
async def change(request: Request[Any, Any, Any], permit: Permit, services: Services) -> WebPushSubscription:
    """Ask for other news."""
    asked = await parse(request, Change)
    policy = asked.policy or asked.data.policy or From.ALL
    changed = await services.gate.act(
        permit, lambda acting: actions.change(acting, _token_id(permit.viewer), policy, _alerts(asked.data))
    )
    return _shown(changed, services)


@delete(PATH, opt=serves(Serves.SIGNED_IN, Action.READ, SCOPE), status_code=200)
async def unsubscribe(permit: Permit, services: Services) -> dict[str, Any]:
    """Have nothing pushed for this token any more."""
    await services.gate.act(permit, lambda acting: actions.unsubscribe(acting, _token_id(permit.viewer)))
    return {}


def _alerts(wanted: Wanted) -> dict[str, bool]:
    return {name: wanted.alerts.get(name, False) for name in ALERTS}


def _token_id(viewer: Viewer) -> int:
    assert viewer.token_id is not None, "whoever is signed in shows a token"
    return viewer.token_id


def _shown(found: Subscription, services: Services) -> WebPushSubscription:
    return WebPushSubscription(
        id=found.id & _ID_MAX,
        endpoint=found.endpoint,
        standard=found.standard,
        policy=found.policy.value,
        alerts=found.alerts,
        server_key=services.site.vapid_key,
    )


HANDLERS: list[Any] = [subscribe, subscription, change, unsubscribe]
