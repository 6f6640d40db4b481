"""What every part of somebody's own data is made of: rows, a page at a time."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from folkmoot.accounts import queries as accounts
from folkmoot.gate import Permit
from folkmoot.storage.database import Read
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.services import Services

PAGE = 200
Row = dict[str, Any]
# A page of rows, newest first, that follow an id (None: from the newest), and the id to go on from.
Section = Callable[[Read, Services, Permit, int | None], Awaitable[tuple[list[Row], int | None]]]


def go_on_from(ids: Sequence[int]) -> int | None:
    """The id after which the next page begins, of those on this one; None where this was the last."""
    return ids[-1] if len(ids) == PAGE else None


def time_or_none(unix_ms: int | None) -> str | None:
    return None if unix_ms is None else timestamp(unix_ms)


async def people(
    read: Read, services: Services, permit: Permit, ids: Sequence[int]
) -> tuple[list[Row], int | None]:
    """With their names, as far as those are shown."""
    shown = await services.gate.admit_to_export(read, permit, await accounts.by_ids(read, ids))
    names = {one.item.id: one.item.username for one in shown}
    return [{"id": str(id_), "username": names.get(id_)} for id_ in ids], go_on_from(ids)
