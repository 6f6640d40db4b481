"""Reads of subscriptions."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, select

from folkmoot.notifications.push.model import From, Keys, Subscription
from folkmoot.storage.among import among
from folkmoot.storage.database import Read
from folkmoot.storage.tables.notifications import push_subscriptions

_T = push_subscriptions.c


async def of_token(read: Read, token_id: int) -> Subscription | None:
    row = (await read.connection.execute(select(push_subscriptions).where(_T.token_id == token_id))).first()
    return None if row is None else _subscription(row)


async def by_id(read: Read, subscription_id: int) -> Subscription | None:
    row = (await read.connection.execute(select(push_subscriptions).where(_T.id == subscription_id))).first()
    return None if row is None else _subscription(row)


async def of_accounts(read: Read, account_ids: Collection[int]) -> list[Subscription]:
    """Those of all of some people."""
    theirs = select(push_subscriptions).where(among(read, _T.account_id, account_ids))
    return [_subscription(row) for row in await read.connection.execute(theirs)]


def _subscription(row: Row[Any]) -> Subscription:
    return Subscription(
        id=row.id,
        token_id=row.token_id,
        account_id=row.account_id,
        endpoint=row.endpoint,
        keys=Keys(row.p256dh, row.auth),
        standard=row.standard,
        policy=From(row.policy),
        alerts=row.alerts,
    )
