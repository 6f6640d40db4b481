"""Mastodon's methods for filters, version 2: https://docs.joinmastodon.org/methods/filters/."""

from typing import Any

import msgspec
from litestar import Request, delete, get, post, put

from folkmoot.gate import Action, Permit, Refused, Serves, Viewer, invalid
from folkmoot.posts import queries as posts
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon import filter_entities
from folkmoot.surfaces.mastodon.filter_entities import Filter, FilterKeyword, FilterStatus
from folkmoot.surfaces.mastodon.paging import entity_id, possible_id
from folkmoot.surfaces.services import Services
from folkmoot.timelines.filters import actions, model, queries, rules
from folkmoot.timelines.filters.actions import Change, KeywordChange

PATH = "/api/v2/filters"
_ONE = f"{PATH}/{{filter_id:str}}"
_READ = serves(Serves.SIGNED_IN, scope="read:filters")
_WRITE = serves(Serves.SIGNED_IN, Action.READ, "write:filters")
_Request = Request[Any, Any, Any]


class KeywordAttributes(msgspec.Struct):
    """A keyword to add, or with `id` one to change, or to remove (`_destroy`)."""

    keyword: str | None = None
    whole_word: bool | None = None
    id: str | int | None = None
    destroy: bool | None = msgspec.field(default=None, name="_destroy")


class ChangeFilter(msgspec.Struct):
    """What a filter is to be. `expires_in` is in seconds; nothing or an empty string: never."""

    title: str | None = None
    context: list[str] | None = None
    filter_action: str | None = None
    expires_in: int | str | msgspec.UnsetType | None = msgspec.UNSET
    keywords_attributes: list[KeywordAttributes] | dict[str, KeywordAttributes] = []


class NewStatus(msgspec.Struct):
    """A post, by id."""

    status_id: str | int = ""


@get(PATH, opt=_READ)
async def list_filters(viewer: Viewer, services: Services) -> list[Filter]:
    """One's filters, with all that they look for."""
    async with services.database.read() as read:
        return [filter_entities.whole(one) for one in await queries.of_account(read, viewer.id)]


@get(_ONE, opt=_READ)
async def show_filter(filter_id: str, viewer: Viewer, services: Services) -> Filter:
    """One of one's filters."""
    return filter_entities.whole(await _own(services, viewer, filter_id))


@post(PATH, opt=_WRITE, status_code=200)
async def create_filter(request: _Request, permit: Permit, services: Services) -> Filter:
    """Make a filter: `title`, `context[]`, `filter_action` (`warn`, `hide`, `blur`), `expires_in` and keywords."""
    wanted = _change(await parse(request, ChangeFilter))
    return filter_entities.whole(await services.gate.act(permit, lambda acting: actions.create(acting, wanted)))


@put(_ONE, opt=_WRITE)
async def change_filter(request: _Request, filter_id: str, permit: Permit, services: Services) -> Filter:
    """Change a filter; keywords by their `id`, `_destroy` removes one."""
    wanted = _change(await parse(request, ChangeFilter))
    changed = await services.gate.act(permit, lambda acting: actions.change(acting, entity_id(filter_id), wanted))
    return filter_entities.whole(changed)


@delete(_ONE, opt=_WRITE, status_code=200)
async def delete_filter(filter_id: str, permit: Permit, services: Services) -> dict[str, str]:
    """Delete a filter."""
    await services.gate.act(permit, lambda acting: actions.remove(acting, entity_id(filter_id)))
    return {}


@get(f"{_ONE}/keywords", opt=_READ)
async def list_keywords(filter_id: str, viewer: Viewer, services: Services) -> list[FilterKeyword]:
    """The words that a filter looks for."""
    return filter_entities.whole(await _own(services, viewer, filter_id)).keywords


@post(f"{_ONE}/keywords", opt=_WRITE, status_code=200)
async def add_keyword(request: _Request, filter_id: str, permit: Permit, services: Services) -> FilterKeyword:
    """Have a filter look for a word; `whole_word` unless that is said to be false."""
    asked = await parse(request, KeywordAttributes)
    keyword, whole_word = asked.keyword or "", asked.whole_word is not False
    made = await services.gate.act(
        permit, lambda acting: actions.add_keyword(acting, entity_id(filter_id), keyword, whole_word=whole_word)
    )
    return await _keyword(services, permit.viewer, made)


@get(f"{PATH}/keywords/{{keyword_id:str}}", opt=_READ)
async def show_keyword(keyword_id: str, viewer: Viewer, services: Services) -> FilterKeyword:
    """A word that one of one's filters looks for."""
    return await _keyword(services, viewer, entity_id(keyword_id))


@put(f"{PATH}/keywords/{{keyword_id:str}}", opt=_WRITE)
async def change_keyword(request: _Request, keyword_id: str, permit: Permit, services: Services) -> FilterKeyword:
    """Change a word, or whether it has to be a whole one."""
    asked = await parse(request, KeywordAttributes)
    wanted = KeywordChange(asked.keyword, asked.whole_word, entity_id(keyword_id))
    await services.gate.act(permit, lambda acting: actions.change_keyword(acting, wanted))
    return await _keyword(services, permit.viewer, entity_id(keyword_id))


@delete(f"{PATH}/keywords/{{keyword_id:str}}", opt=_WRITE, status_code=200)
async def delete_keyword(keyword_id: str, permit: Permit, services: Services) -> dict[str, str]:
    """Have a filter look for a word no longer."""
    wanted = KeywordChange(id=entity_id(keyword_id), remove=True)
    await services.gate.act(permit, lambda acting: actions.change_keyword(acting, wanted))
    return {}


@get(f"{_ONE}/statuses", opt=_READ)
async def list_filtered_statuses(filter_id: str, viewer: Viewer, services: Services) -> list[FilterStatus]:
    """The posts that a filter finds whatever is in them."""
    return filter_entities.whole(await _own(services, viewer, filter_id)).statuses


@post(f"{_ONE}/statuses", opt=_WRITE, status_code=200)
async def filter_status(request: _Request, filter_id: str, permit: Permit, services: Services) -> FilterStatus:
    """Have a filter find one post (`status_id`)."""
    asked = await parse(request, NewStatus)
    async with services.database.read() as read:
        found = await posts.by_id(read, entity_id(str(asked.status_id)))
        shown = await services.gate.admit_one(read, permit.viewer, found, "Record")
    made = await services.gate.act(permit, lambda acting: actions.add_status(acting, entity_id(filter_id), shown))
    return await _status(services, permit.viewer, made)


@get(f"{PATH}/statuses/{{entry_id:str}}", opt=_READ)
async def show_filtered_status(entry_id: str, viewer: Viewer, services: Services) -> FilterStatus:
    """A post that one of one's filters finds."""
    return await _status(services, viewer, entity_id(entry_id))


@delete(f"{PATH}/statuses/{{entry_id:str}}", opt=_WRITE, status_code=200)
async def unfilter_status(entry_id: str, permit: Permit, services: Services) -> dict[str, str]:
    """Have a filter find one post no longer."""
    await services.gate.act(permit, lambda acting: actions.remove_status(acting, entity_id(entry_id)))
    return {}


def _change(asked: ChangeFilter) -> Change:
    given = asked.keywords_attributes
    keywords = list(given.values()) if isinstance(given, dict) else given
    return Change(
        title=asked.title,
        contexts=None if asked.context is None else rules.clean_contexts(asked.context),
        action=rules.treatment(asked.filter_action) if asked.filter_action else None,
        expires_in_s=seconds(asked.expires_in),
        keywords=tuple(
            KeywordChange(one.keyword, one.whole_word, _known(one.id), one.destroy or False) for one in keywords
        ),
    )


def seconds(given: int | str | msgspec.UnsetType | None) -> int | msgspec.UnsetType | None:
    """A time as clients send it. Raises Refused 422."""
    if not isinstance(given, str):
        return given
    if not given:
        return None
    number = possible_id(given)
    if number is None:
        raise invalid("expires_in is a number of seconds")
    return number


def _known(given: str | int | None) -> int | None:
    """The id of a keyword; nothing or an empty string: it is a new one. What can't be an id is nobody's."""
    return None if given in (None, "") else possible_id(str(given)) or 0


async def _own(services: Services, viewer: Viewer, filter_id: str) -> model.Filter:
    async with services.database.read() as read:
        return _there(await queries.by_id(read, viewer.id, entity_id(filter_id)))


async def _keyword(services: Services, viewer: Viewer, keyword_id: int) -> FilterKeyword:
    async with services.database.read() as read:
        held = _there(await queries.with_keyword(read, viewer.id, keyword_id))
    return next(filter_entities.keyword(one) for one in held.keywords if one.id == keyword_id)


async def _status(services: Services, viewer: Viewer, entry_id: int) -> FilterStatus:
    async with services.database.read() as read:
        held = _there(await queries.with_status(read, viewer.id, entry_id))
    return next(filter_entities.status(entry) for entry in held.statuses if entry[0] == entry_id)


def _there(found: model.Filter | None) -> model.Filter:
    if found is None:
        raise Refused("not_found", "Record not found", status=404)
    return found


HANDLERS: list[Any] = [
    list_filters,
    show_filter,
    create_filter,
    change_filter,
    delete_filter,
    list_keywords,
    add_keyword,
    show_keyword,
    change_keyword,
    delete_keyword,
    list_filtered_statuses,
    filter_status,
    show_filtered_status,
    unfilter_status,
]
