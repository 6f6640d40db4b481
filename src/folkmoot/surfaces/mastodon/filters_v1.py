"""Mastodon's methods for filters, version 1, where each keyword is a filter of its own:
https://docs.joinmastodon.org/methods/filters/#v1."""

from typing import Any

import msgspec
from litestar import Request, delete, get, post, put

from folkmoot.gate import Action, Permit, Refused, Serves, Viewer, invalid
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon import filter_entities
from folkmoot.surfaces.mastodon.filter_entities import FilterV1
from folkmoot.surfaces.mastodon.filters import seconds
from folkmoot.surfaces.mastodon.paging import entity_id
from folkmoot.surfaces.services import Services
from folkmoot.timelines.filters import actions, queries, rules
from folkmoot.timelines.filters.actions import Change, KeywordChange
from folkmoot.timelines.filters.model import Filter, Treatment

PATH = "/api/v1/filters"
_ONE = f"{PATH}/{{keyword_id:str}}"
_READ = serves(Serves.SIGNED_IN, scope="read:filters")
_WRITE = serves(Serves.SIGNED_IN, Action.READ, "write:filters")


class ChangeFilterV1(msgspec.Struct):
    """A phrase, and what happens where it is found: hidden if `irreversible`, else behind a warning."""

    phrase: str | None = None
    context: list[str] | None = None
    irreversible: bool | None = None
    whole_word: bool | None = None
    expires_in: int | str | msgspec.UnsetType | None = msgspec.UNSET


@get(PATH, opt=_READ)
async def list_filters_v1(viewer: Viewer, services: Services) -> list[FilterV1]:
    """The words that one's filters look for."""
    async with services.database.read() as read:
        found = await queries.of_account(read, viewer.id)
    return [filter_entities.v1(one, keyword) for one in found for keyword in one.keywords]


@get(_ONE, opt=_READ)
async def show_filter_v1(keyword_id: str, viewer: Viewer, services: Services) -> FilterV1:
    """One of these words."""
    async with services.database.read() as read:
        return _shown(await queries.with_keyword(read, viewer.id, entity_id(keyword_id)), entity_id(keyword_id))


@post(PATH, opt=_WRITE, status_code=200)
async def create_filter_v1(request: Request[Any, Any, Any], permit: Permit, services: Services) -> FilterV1:
    """Make a filter of one phrase."""
    asked = await parse(request, ChangeFilterV1)
    keyword = KeywordChange(asked.phrase, asked.whole_word or False)
    wanted = msgspec.structs.replace(_change(asked), keywords=(keyword,))
    made = await services.gate.act(permit, lambda acting: actions.create(acting, wanted))
    return filter_entities.v1(made, made.keywords[0])


@put(_ONE, opt=_WRITE)
async def change_filter_v1(
    request: Request[Any, Any, Any], keyword_id: str, permit: Permit, services: Services
) -> FilterV1:
    """Change it. Of a filter of several keywords only the phrase and `whole_word` can be changed so."""
    asked = await parse(request, ChangeFilterV1)
    id_ = entity_id(keyword_id)
    async with services.database.read() as read:
        held = _there(await queries.with_keyword(read, permit.viewer.id, id_))
    wanted = _change(asked)
    if len(held.keywords) > 1:
        if (wanted.contexts or held.contexts, wanted.action or held.action) != (held.contexts, held.action):
            raise invalid("This filter has several keywords: change it where filters of version 2 are")
        wanted = Change()
    keyword = KeywordChange(asked.phrase, asked.whole_word, id_)
    wanted = msgspec.structs.replace(wanted, keywords=(keyword,))
    changed = await services.gate.act(permit, lambda acting: actions.change(acting, held.id, wanted))
    return _shown(changed, id_)


@delete(_ONE, opt=_WRITE, status_code=200)
async def delete_filter_v1(keyword_id: str, permit: Permit, services: Services) -> dict[str, str]:
    """Delete it; with its last keyword a filter is gone."""
    id_ = entity_id(keyword_id)
    async with services.database.read() as read:
        held = _there(await queries.with_keyword(read, permit.viewer.id, id_))
    if len(held.keywords) > 1 or held.statuses:
        gone = KeywordChange(id=id_, remove=True)
        await services.gate.act(permit, lambda acting: actions.change_keyword(acting, gone))
    else:
        await services.gate.act(permit, lambda acting: actions.remove(acting, held.id))
    return {}


def _change(asked: ChangeFilterV1) -> Change:
    action = None
    if asked.irreversible is not None:
        action = Treatment.HIDE if asked.irreversible else Treatment.WARN
    return Change(
        title=asked.phrase,
        contexts=None if asked.context is None else rules.clean_contexts(asked.context),
        action=action,
        expires_in_s=seconds(asked.expires_in),
    )


def _shown(held: Filter | None, keyword_id: int) -> FilterV1:
    there = _there(held)
    return next(filter_entities.v1(there, one) for one in there.keywords if one.id == keyword_id)


def _there(found: Filter | None) -> Filter:
    if found is None:
        raise Refused("not_found", "Record not found", status=404)
    return found


HANDLERS: list[Any] = [
    list_filters_v1,
    show_filter_v1,
    create_filter_v1,
    change_filter_v1,
    delete_filter_v1,
]
