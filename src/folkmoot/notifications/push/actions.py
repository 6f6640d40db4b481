"""Writes of subscriptions, and what is enqueued for them."""

from collections.abc import Sequence
from urllib.parse import urlsplit
from zlib import crc32

from sqlalchemy import delete, select, update

from folkmoot.gate import Acting, Refused, invalid
from folkmoot.gate.queries import Relations, relations_of_many
from folkmoot.notifications import queries as notifications
from folkmoot.notifications.model import Notification
from folkmoot.notifications.push import queries
from folkmoot.notifications.push.model import ENDPOINT_CHARACTERS_MAX, From, Keys, Subscription
from folkmoot.notifications.push.sealing import public_key, secret_of
from folkmoot.storage.jobs import enqueue_all
from folkmoot.storage.tables.notifications import push_subscriptions
from folkmoot.storage.upserts import batches

PUSH = "notifications.push"
_T = push_subscriptions.c
SUBSCRIPTIONS_MAX = 40
"""Of an account. Programs forget theirs without a word: the oldest gives way."""
QUEUES = 8
_PLACES = 3
_STRANGER = Relations()


async def subscribe(
    acting: Acting,
    token_id: int,
    endpoint: str,
    keys: Keys,
    *,
    standard: bool,
    policy: From,
    alerts: dict[str, bool],
) -> Subscription:
    """Push what the actor is told to here, instead of where this token had it pushed to. Raises Refused 422."""
    if len(endpoint) > ENDPOINT_CHARACTERS_MAX:
        raise invalid("Endpoint is too long")
    try:
        public_key(keys.p256dh)
        secret_of(keys.auth)
    except ValueError as error:
        raise invalid("Keys are not those of a browser") from error
    await unsubscribe(acting, token_id)
    await _make_room(acting)
    made = Subscription(
        id=acting.tx.new_id(),
        token_id=token_id,
        account_id=acting.actor_id,
        endpoint=endpoint,
        keys=keys,
        standard=standard,
        policy=policy,
        alerts=alerts,
    )
    await acting.tx.connection.execute(
        push_subscriptions.insert().values(
            id=made.id,
            token_id=token_id,
            account_id=made.account_id,
            endpoint=endpoint,
            p256dh=keys.p256dh,
            auth=keys.auth,
            standard=standard,
            policy=policy.value,
            alerts=alerts,
            created_at_ms=acting.now_ms,
        )
    )
    return made


async def change(acting: Acting, token_id: int, policy: From, alerts: dict[str, bool]) -> Subscription:
    """Ask for other news. Raises Refused 404 where this token has no subscription."""
    values = {"policy": policy.value, "alerts": alerts}
    await acting.tx.connection.execute(update(push_subscriptions).where(_T.token_id == token_id).values(values))
    changed = await queries.of_token(acting.tx, token_id)
    if changed is None:
        raise Refused("not_found", "Record not found", status=404)
    return changed


async def unsubscribe(acting: Acting, token_id: int) -> None:
    """Raises nothing, also where there was none."""
    await acting.tx.connection.execute(delete(push_subscriptions).where(_T.token_id == token_id))


async def forget(acting: Acting, subscription_id: int) -> None:
    """Nobody is there any more, says the push service."""
    await acting.tx.connection.execute(delete(push_subscriptions).where(_T.id == subscription_id))


async def send_to(acting: Acting, told: Sequence[tuple[int, int]]) -> None:
    """Enqueue what people have just been told for those of their subscriptions that want it: (account id,
    notification id). A few statements for each few hundred people."""
    for some in batches(told):
        await _send_some(acting, some)


async def _send_some(acting: Acting, told: Sequence[tuple[int, int]]) -> None:
    subscriptions = await queries.of_accounts(acting.tx, {account_id for account_id, _ in told})
    if not subscriptions:
        return
    subscribed = {one.account_id for one in subscriptions}
    news: dict[int, list[Notification]] = {}
    ids = [id_ for account_id, id_ in told if account_id in subscribed]
    for row in await notifications.of_anybody(acting.tx, ids):
        news.setdefault(row.account_id, []).append(row)
    from_ids = {row.from_id for rows in news.values() for row in rows}
    known = await relations_of_many(acting.tx, list(news), from_ids)
    wanted = [
        (_queue(one.endpoint), {"subscription": str(one.id), "notification": str(row.id)})
        for one in subscriptions
        for row in news.get(one.account_id, [])
        if one.alerts.get(row.kind.type, False) and _wants(one, row, known.get(one.account_id, _STRANGER))
    ]
    await enqueue_all(acting.tx, PUSH, wanted)


def places_of(queue: str) -> int:
    """How many jobs of a queue run at a time: a host's thousand followers wait for few push services."""
    return _PLACES if queue.startswith("push ") else 1


def _queue(endpoint: str) -> str:
    """A few for all hosts, whoever names however many: those that never answer would hold every place there is."""
    return f"push {crc32((urlsplit(endpoint).hostname or '').encode()) % QUEUES}"


async def _make_room(acting: Acting) -> None:
    own = _T.account_id == acting.actor_id
    kept = select(_T.id).where(own).order_by(_T.id.desc()).limit(SUBSCRIPTIONS_MAX - 1)
    await acting.tx.connection.execute(delete(push_subscriptions).where(own, _T.id.not_in(kept)))


def _wants(one: Subscription, row: Notification, known: Relations) -> bool:
    if one.policy in (From.ALL, From.NONE):
        return one.policy is From.ALL
    return row.from_id in (known.follows if one.policy is From.FOLLOWED else known.followed_by)
