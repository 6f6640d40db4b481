"""Writes of filters."""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Table, delete, func, insert, select, update

from folkmoot.gate import Acting, Refused, Visible, invalid
from folkmoot.posts.model import Post
from folkmoot.storage.events import emit
from folkmoot.storage.tables.reading import filter_keywords, filter_statuses, filters
from folkmoot.storage.upserts import insert_once
from folkmoot.timelines.filters import queries, rules
from folkmoot.timelines.filters.model import Context, Filter, Treatment

FILTERS_CHANGED = "filters.changed"
"""{account}: what their filters find may be different."""


class KeywordChange(msgspec.Struct, frozen=True):
    """A new keyword of a filter, or with `id` one that it has; None leaves something as it is."""

    keyword: str | None = None
    whole_word: bool | None = None
    id: int | None = None
    remove: bool = False


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a filter is to be; None leaves something as it is, `expires_in_s` UNSET does."""

    title: str | None = None
    contexts: tuple[Context, ...] | None = None
    action: Treatment | None = None
    expires_in_s: int | msgspec.UnsetType | None = msgspec.UNSET
    keywords: tuple[KeywordChange, ...] = ()


async def create(acting: Acting, new: Change) -> Filter:
    """Raises Refused 422."""
    own = filters.c.account_id == acting.actor_id
    await _require_room(acting, select(func.count()).select_from(filters).where(own), rules.FILTERS_MAX)
    if new.contexts is None:
        raise invalid("Context can't be blank")
    filter_id = acting.tx.new_id()
    await acting.tx.connection.execute(
        insert(filters).values(
            id=filter_id,
            account_id=acting.actor_id,
            title=rules.clean_title(new.title or ""),
            contexts=[context.value for context in new.contexts],
            action=(new.action or Treatment.WARN).value,
            expires_at_ms=rules.expires_at_ms(acting.now_ms, new.expires_in_s or None),
        )
    )
    await _change_keywords(acting, filter_id, new.keywords)
    return await _changed(acting, filter_id)


async def change(acting: Acting, filter_id: int, wanted: Change) -> Filter:
    """Raises Refused 404, 422."""
    await _own(acting, filter_id)
    values: dict[str, Any] = {}
    if wanted.title is not None:
        values["title"] = rules.clean_title(wanted.title)
    if wanted.contexts is not None:
        values["contexts"] = [context.value for context in wanted.contexts]
    if wanted.action is not None:
        values["action"] = wanted.action.value
    if wanted.expires_in_s is not msgspec.UNSET:
        values["expires_at_ms"] = rules.expires_at_ms(acting.now_ms, wanted.expires_in_s)
    if values:
        await acting.tx.connection.execute(update(filters).where(filters.c.id == filter_id).values(values))
    await _change_keywords(acting, filter_id, wanted.keywords)
    return await _changed(acting, filter_id)


async def remove(acting: Acting, filter_id: int) -> None:
    """Raises Refused 404."""
    await _own(acting, filter_id)
    await acting.tx.connection.execute(delete(filters).where(filters.c.id == filter_id))
    await _tell(acting)


async def add_keyword(acting: Acting, filter_id: int, keyword: str, *, whole_word: bool) -> int:
    """Returns its id. Raises Refused 404, 422."""
    await _own(acting, filter_id)
    made = await _add_keyword(acting, filter_id, KeywordChange(keyword, whole_word))
    await _tell(acting)
    return made


async def change_keyword(acting: Acting, wanted: KeywordChange) -> Filter:
    """Change or remove a keyword of any of the actor's filters. Returns the filter. Raises Refused 404, 422."""
    held = await queries.with_keyword(acting.tx, acting.actor_id, wanted.id or 0)
    if held is None:
        raise _no_record()
    await _change_keywords(acting, held.id, [wanted])
    return await _changed(acting, held.id)


async def add_status(acting: Acting, filter_id: int, shown: Visible[Post]) -> int:
    """Have a filter find one post. Returns the entry's id. Raises Refused 404, 422."""
    await _own(acting, filter_id)
    table = filter_statuses
    this = (table.c.filter_id == filter_id) & (table.c.post_id == shown.item.id)
    await _require_room(acting, _all_of(acting, table), rules.STATUSES_MAX)
    await insert_once(acting.tx, table, id=acting.tx.new_id(), filter_id=filter_id, post_id=shown.item.id)
    await _tell(acting)
    return int((await acting.tx.connection.execute(select(table.c.id).where(this))).scalar_one())


async def remove_status(acting: Acting, entry_id: int) -> None:
    """Raises Refused 404."""
    if await queries.with_status(acting.tx, acting.actor_id, entry_id) is None:
        raise _no_record()
    await acting.tx.connection.execute(delete(filter_statuses).where(filter_statuses.c.id == entry_id))
    await _tell(acting)


async def _change_keywords(acting: Acting, filter_id: int, wanted: Collection[KeywordChange]) -> None:
    for one in wanted:
        if one.id is None:
            if not one.remove:
                await _add_keyword(acting, filter_id, one)
            continue
        this = (filter_keywords.c.id == one.id) & (filter_keywords.c.filter_id == filter_id)
        if not await _change_one(acting, this, one):
            raise _no_record()


async def _change_one(acting: Acting, this: ColumnElement[bool], wanted: KeywordChange) -> bool:
    """Whether it was there."""
    if wanted.remove:
        return bool((await acting.tx.connection.execute(delete(filter_keywords).where(this))).rowcount)
    values: dict[str, Any] = {}
    if wanted.keyword is not None:
        values["keyword"] = rules.clean_keyword(wanted.keyword)
    if wanted.whole_word is not None:
        values["whole_word"] = wanted.whole_word
    if not values:
        return (await acting.tx.connection.execute(select(filter_keywords.c.id).where(this))).first() is not None
    changed = update(filter_keywords).where(this).values(values)
    return bool((await acting.tx.connection.execute(changed)).rowcount)


async def _add_keyword(acting: Acting, filter_id: int, new: KeywordChange) -> int:
    await _require_room(acting, _all_of(acting, filter_keywords), rules.KEYWORDS_MAX)
    keyword_id = acting.tx.new_id()
    await acting.tx.connection.execute(
        insert(filter_keywords).values(
            id=keyword_id,
            filter_id=filter_id,
            keyword=rules.clean_keyword(new.keyword or ""),
            whole_word=True if new.whole_word is None else new.whole_word,
        )
    )
    return keyword_id


def _all_of(acting: Acting, table: Table) -> Any:
    """How many keywords or posts all filters of the actor have."""
    own = filters.c.account_id == acting.actor_id
    return select(func.count()).select_from(table.join(filters, filters.c.id == table.c.filter_id)).where(own)


async def _require_room(acting: Acting, counting: Any, most: int) -> None:
    if (await acting.tx.connection.execute(counting)).scalar_one() >= most:
        raise invalid(f"You have reached the limit of {most}")


async def _own(acting: Acting, filter_id: int) -> None:
    own = select(filters.c.id).where(filters.c.id == filter_id, filters.c.account_id == acting.actor_id)
    if (await acting.tx.connection.execute(own)).first() is None:
        raise _no_record()


async def _changed(acting: Acting, filter_id: int) -> Filter:
    await _tell(acting)
    found = await queries.by_id(acting.tx, acting.actor_id, filter_id)
    assert found is not None
    return found


async def _tell(acting: Acting) -> None:
    await emit(acting.tx, FILTERS_CHANGED, {"account": str(acting.actor_id)})


def _no_record() -> Refused:
    return Refused("not_found", "Record not found", status=404)
