"""Writes of notifications. Each runs inside `Gate.act`; those without an actor are the worker's."""

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from folkmoot.gate import Acting
from folkmoot.notifications import queries, rules
from folkmoot.notifications.model import FROM_STRANGERS, KEPT_MS, NEWEST_ONLY, Answer, Kind, News, Policy, Request
from folkmoot.storage.events import emit
from folkmoot.storage.tables.notifications import notification_permissions, notification_policies, notifications
from folkmoot.storage.upserts import batches, insert_once

NOTIFIED = "notification.created"
"""{"told": [[account id, notification id], …]}"""
NOTIFICATIONS_MERGED = "notification.merged"
"""{"account": …}: what had waited as requests stands among the others now."""
_FORGOTTEN_AT_ONCE = 5_000
_T = notifications.c


async def tell(acting: Acting, news: Sequence[News]) -> list[tuple[int, int]]:
    """Tell people, each once, as far as they want to hear of it. Returns (account id, notification id) for each who
    is told now, and not asked first."""
    answers = await _answers(acting, news)
    rows = [
        _row(acting, one, is_filtered=answer is Answer.FILTER)
        for one, answer in zip(news, answers, strict=True)
        if answer is not Answer.DROP
    ]
    told: list[tuple[int, int]] = []
    for some in batches(rows):
        part = await _insert(acting, some)
        told += part
        if part:
            pairs = [[str(account_id), str(id_)] for account_id, id_ in part]
            await emit(acting.tx, NOTIFIED, {"told": pairs})
    return told


async def withdraw(acting: Acting, *which: ColumnElement[bool]) -> None:
    """What was undone is news no more."""
    await acting.tx.connection.execute(delete(notifications).where(*which))


def of_doing(kind: Kind, from_id: int, post_id: int) -> list[ColumnElement[bool]]:
    """What was told of somebody's doing with a post."""
    return [_T.post_id == post_id, _T.from_id == from_id, _T.kind == kind.value]


def of_following(follower_id: int, followed_id: int) -> list[ColumnElement[bool]]:
    """What was told of who follows, or asked to."""
    kinds = [Kind.FOLLOW.value, Kind.FOLLOW_REQUEST.value]
    return [_T.account_id == followed_id, _T.from_id == follower_id, _T.kind.in_(kinds)]


def of_asking(follower_id: int, followed_id: int) -> list[ColumnElement[bool]]:
    """What was told of who asked to follow: it is answered."""
    return [_T.account_id == followed_id, _T.from_id == follower_id, _T.kind == Kind.FOLLOW_REQUEST.value]


def of_post(post_id: int) -> list[ColumnElement[bool]]:
    return [_T.post_id == post_id]


async def clear(acting: Acting) -> None:
    """Forget everything that the actor was told."""
    await withdraw(acting, _T.account_id == acting.actor_id)


async def dismiss(acting: Acting, notification_id: int) -> None:
    """Forget one. Raises nothing, also where there is none."""
    await withdraw(acting, _T.account_id == acting.actor_id, _T.id == notification_id)


async def dismiss_group(acting: Acting, group_key: str) -> None:
    await withdraw(acting, _T.account_id == acting.actor_id, _T.group_key == group_key)


async def set_policy(acting: Acting, policy: Policy) -> None:
    """From whom the actor wants to be told from now on."""
    await acting.tx.connection.execute(
        delete(notification_policies).where(notification_policies.c.account_id == acting.actor_id)
    )
    kept = msgspec.to_builtins(policy)
    await acting.tx.connection.execute(
        notification_policies.insert().values(account_id=acting.actor_id, policy=kept)
    )


async def accept(acting: Acting, requests: Collection[Request]) -> None:
    """Let these people's news in, what waits of it and what comes."""
    from_ids = [request.from_id for request in requests]
    for from_id in from_ids:
        await insert_once(
            acting.tx,
            notification_permissions,
            account_id=acting.actor_id,
            from_id=from_id,
            created_at_ms=acting.now_ms,
        )
    await acting.tx.connection.execute(
        update(notifications)
        .where(_T.account_id == acting.actor_id, _T.from_id.in_(from_ids), _T.filtered)
        .values(filtered=False)
    )
    await emit(acting.tx, NOTIFICATIONS_MERGED, {"account": str(acting.actor_id)})


async def refuse(acting: Acting, requests: Collection[Request]) -> None:
    """Forget what waits of these people. What comes waits again."""
    from_ids = [request.from_id for request in requests]
    await withdraw(acting, _T.account_id == acting.actor_id, _T.from_id.in_(from_ids), _T.filtered)


async def forget_old(acting: Acting) -> None:
    """The oldest of what has been kept long enough."""
    old = select(_T.id).where(_T.created_at_ms < acting.now_ms - KEPT_MS).limit(_FORGOTTEN_AT_ONCE)
    await withdraw(acting, _T.id.in_(old))


async def _answers(acting: Acting, news: Sequence[News]) -> list[Answer]:
    strangers = sorted((one for one in news if one.kind in FROM_STRANGERS), key=lambda one: one.from_id)
    answers: dict[News, Answer] = {}
    for _, some in groupby(strangers, lambda one: one.from_id):
        of_one = list(some)
        known = await queries.senders(acting.tx, of_one)
        answers |= {one: rules.answer(one.kind, *known[one.account_id]) for one in of_one}
    return [answers.get(one, Answer.ACCEPT) for one in news]


def _row(acting: Acting, one: News, *, is_filtered: bool) -> dict[str, Any]:
    id_ = acting.tx.new_id()
    return {
        "id": id_,
        "account_id": one.account_id,
        "kind": one.kind.value,
        "from_id": one.from_id,
        "post_id": one.post_id,
        "about_id": one.about_id,
        "key": one.key,
        "group_key": rules.group_key(one, id_, acting.now_ms),
        "filtered": is_filtered,
        "created_at_ms": acting.now_ms,
    }


async def _insert(acting: Acting, rows: Sequence[dict[str, Any]]) -> list[tuple[int, int]]:
    """Returns those that are new and don't wait."""
    tx = acting.tx
    replaced = [row for row in rows if row["kind"] in NEWEST_ONLY]
    if replaced:
        people = [row["account_id"] for row in replaced]
        await withdraw(acting, _T.account_id.in_(people), _T.key.in_({row["key"] for row in replaced}))
    # The two dialects' statements have the same methods, and no common type that says so.
    inserting: Any = (sqlite if tx.is_sqlite else postgresql).insert(notifications).values(list(rows))
    made = await tx.connection.execute(
        inserting.on_conflict_do_nothing().returning(_T.account_id, _T.id, _T.filtered)
    )
    return [(row.account_id, row.id) for row in made if not row.filtered]
