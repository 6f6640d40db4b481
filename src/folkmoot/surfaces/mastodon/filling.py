"""Pages that are full although much of what is read for them may not be shown."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import msgspec
from msgspec.structs import replace

from folkmoot.accounts.model import Page

Item = TypeVar("Item")
ROUNDS_MAX = 4


class Filled(msgspec.Struct, Generic[Item], frozen=True):
    """A page: what is shown, and the ids that were read for it, newest first."""

    shown: list[Item]
    read_ids: list[int]


async def filled(
    page: Page,
    look: Callable[[Page], Awaitable[tuple[list[int], list[Item]]]],
    id_of: Callable[[Item], int],
    *,
    growth: int = 1,
) -> Filled[Item]:
    """A page of what `look` finds: the ids that it read, and what of them is shown. Where hardly anything is
    (somebody who wrote much is suspended), more is read, a bounded number of times, `growth` times as much each
    time: an empty page would look like the end."""
    shown: list[Item] = []
    read_ids: list[int] = []
    wanted = page
    upwards = page.min_id is not None
    for _ in range(ROUNDS_MAX):
        ids, found = await look(wanted)
        shown, read_ids = (found + shown, ids + read_ids) if upwards else (shown + found, read_ids + ids)
        if len(ids) < wanted.limit or len(shown) > page.limit // 2:
            break
        further = {"min_id": ids[0]} if upwards else {"max_id": ids[-1]}
        wanted = replace(wanted, limit=wanted.limit * growth, **further)
    return _cut(shown, read_ids, page, id_of)


def _cut(shown: list[Item], read_ids: list[int], page: Page, id_of: Callable[[Item], int]) -> Filled[Item]:
    """At most a page of it, and the ids only as far as that goes."""
    if len(shown) <= page.limit:
        return Filled(shown, read_ids)
    if page.min_id is not None:
        kept = shown[-page.limit :]
        return Filled(kept, [id_ for id_ in read_ids if id_ <= id_of(kept[0])])
    kept = shown[: page.limit]
    return Filled(kept, [id_ for id_ in read_ids if id_ >= id_of(kept[-1])])
