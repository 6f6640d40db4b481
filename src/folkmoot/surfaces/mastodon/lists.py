"""Mastodon's methods for lists: https://docs.joinmastodon.org/methods/lists/."""

from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post, put

from folkmoot.accounts import queries as accounts
from folkmoot.accounts.model import Page
from folkmoot.gate import Action, Permit, Refused, Serves, Viewer
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon import entities, present
from folkmoot.surfaces.mastodon.paging import entity_id, link_header, page, possible_id
from folkmoot.surfaces.services import Services
from folkmoot.timelines.lists import actions, model, queries
from folkmoot.timelines.lists.rules import MEMBERS_MAX, replies_policy

PATH = "/api/v1/lists"
_ONE = f"{PATH}/{{list_id:str}}"
_READ = serves(Serves.SIGNED_IN, scope="read:lists")
_WRITE = serves(Serves.SIGNED_IN, Action.FOLLOW, "write:lists")


class List(msgspec.Struct):
    """https://docs.joinmastodon.org/entities/List/."""

    id: str
    title: str
    replies_policy: str
    exclusive: bool


class ChangeList(msgspec.Struct):
    """What a list is to be; what is left out stays as it is."""

    title: str | None = None
    replies_policy: str | None = None
    exclusive: bool | None = None


class Members(msgspec.Struct):
    """Accounts, by id."""

    account_ids: list[str | int] = []


@get(PATH, opt=_READ)
async def list_lists(viewer: Viewer, services: Services) -> list[List]:
    """One's lists."""
    async with services.database.read() as read:
        return [_present(one) for one in await queries.of_account(read, viewer.id)]


@get(_ONE, opt=_READ)
async def show_list(list_id: str, viewer: Viewer, services: Services) -> List:
    """One of one's lists."""
    async with services.database.read() as read:
        return _present(_found(await queries.by_id(read, viewer.id, entity_id(list_id))))


@post(PATH, opt=_WRITE, status_code=200)
async def create_list(request: Request[Any, Any, Any], permit: Permit, services: Services) -> List:
    """Make a list. Whose replies it shows: to those in the `list`, to whom one `followed`, or `none`."""
    asked = await parse(request, ChangeList)
    policy = replies_policy(asked.replies_policy or model.RepliesPolicy.LIST)
    title, exclusive = asked.title or "", asked.exclusive or False
    made = await services.gate.act(
        permit, lambda acting: actions.create(acting, title, policy, exclusive=exclusive)
    )
    return _present(made)


@put(_ONE, opt=_WRITE)
async def change_list(request: Request[Any, Any, Any], list_id: str, permit: Permit, services: Services) -> List:
    """Change a list's title, `replies_policy` or `exclusive`."""
    asked = await parse(request, ChangeList)
    policy = replies_policy(asked.replies_policy) if asked.replies_policy else None
    changed = await services.gate.act(
        permit,
        lambda acting: actions.change(
            acting, entity_id(list_id), title=asked.title, policy=policy, exclusive=asked.exclusive
        ),
    )
    return _present(changed)


@delete(_ONE, opt=_WRITE, status_code=200)
async def delete_list(list_id: str, permit: Permit, services: Services) -> dict[str, str]:
    """Delete a list."""
    await services.gate.act(permit, lambda acting: actions.remove(acting, entity_id(list_id)))
    return {}


@get(f"{_ONE}/accounts", opt=_READ)
async def list_members(
    request: Request[Any, Any, Any], list_id: str, viewer: Viewer, services: Services
) -> Response[list[entities.Account]]:
    """Who is in a list, in pages of 40 (80 at most); `limit=0` is all of them."""
    asked = page(request, limit=40, limit_max=80)
    if request.query_params.get("limit") == "0":
        asked = Page(MEMBERS_MAX)
    async with services.database.read() as read:
        found = _found(await queries.by_id(read, viewer.id, entity_id(list_id)))
        ids = await queries.member_ids(read, found.id, asked)
        people = await services.gate.admit(read, viewer, await accounts.by_ids(read, ids))
    headers = link_header(request, services.site.base_url, ids, asked.limit)
    return Response([present.account(one, services.site) for one in people], headers=headers)


@post(f"{_ONE}/accounts", opt=_WRITE, status_code=200)
async def add_members(
    request: Request[Any, Any, Any], list_id: str, permit: Permit, services: Services
) -> dict[str, str]:
    """Put accounts that one follows into a list: all, or none of them."""
    ids = _account_ids(await parse(request, Members))
    await services.gate.act(permit, lambda acting: actions.add(acting, entity_id(list_id), ids))
    return {}


@delete(f"{_ONE}/accounts", opt=_WRITE, status_code=200)
async def remove_members(
    request: Request[Any, Any, Any], list_id: str, permit: Permit, services: Services
) -> dict[str, str]:
    """Take accounts out of a list."""
    ids = _account_ids(await parse(request, Members))
    await services.gate.act(permit, lambda acting: actions.take_out(acting, entity_id(list_id), ids))
    return {}


@get("/api/v1/accounts/{account_id:str}/lists", opt=_READ)
async def lists_with_account(account_id: str, viewer: Viewer, services: Services) -> list[List]:
    """Those of one's lists that an account is in."""
    async with services.database.read() as read:
        found = await accounts.by_ids(read, [entity_id(account_id)])
        member = (await services.gate.admit_one(read, viewer, found[0] if found else None, "Record")).item
        return [_present(one) for one in await queries.with_member(read, viewer.id, member.id)]


def _account_ids(asked: Members) -> list[int]:
    """What is no id is nobody whom one follows: 0. Raises Refused 422 for more than a list holds."""
    if len(asked.account_ids) > MEMBERS_MAX:
        raise Refused("validation_failed", f"A list holds at most {MEMBERS_MAX} accounts.", status=422)
    return [possible_id(str(one)) or 0 for one in asked.account_ids]


def _found(one: model.List | None) -> model.List:
    if one is None:
        raise Refused("not_found", "Record not found", status=404)
    return one


def _present(one: model.List) -> List:
    return List(str(one.id), one.title, one.replies_policy.value, one.exclusive)


HANDLERS: list[Any] = [
    list_lists,
    show_list,
    create_list,
    change_list,
    delete_list,
    list_members,
    add_members,
    remove_members,
    lists_with_account,
]
