"""Mastodon's methods for moderating accounts: https://docs.joinmastodon.org/methods/admin/accounts/."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import structlog
from litestar import Request, Response, delete, get, post

from folkmoot.accounts import deletion
from folkmoot.accounts import queries as account_queries
from folkmoot.gate import Acting, Action, Permit, Refused, Role, Serves, Standing, invalid
from folkmoot.gate.standings import MODERATORS
from folkmoot.mail.outbox import Outbox
from folkmoot.moderation import actions
from folkmoot.moderation.evasion.queries import hints_of
from folkmoot.moderation.members import actions as member_actions
from folkmoot.moderation.members import queries
from folkmoot.moderation.members.model import Member, Wanted
from folkmoot.moderation.reports import actions as report_actions
from folkmoot.moderation.reports.model import Resolution
from folkmoot.moderation.spaces.actions import suspend_host
from folkmoot.moderation.spaces.model import Becomes, Fate
from folkmoot.spaces import queries as spaces
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import parse, require_own_pages, serves
from folkmoot.surfaces.mastodon import present, present_admin
from folkmoot.surfaces.mastodon.admin_entities import AccountDetails, AdminAccount
from folkmoot.surfaces.mastodon.paging import entity_id, link_header, page, says
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.times import parse_time

log = structlog.get_logger(__name__)
PATH = "/api/v1/admin/accounts"
LIMIT, LIMIT_MAX = 100, 200
SPACES_MAX = 10
_READ = serves(Serves.MODERATOR, Action.MODERATE, "admin:read:accounts")
_WRITE = serves(Serves.MODERATOR, Action.MODERATE, "admin:write:accounts")
# The words of both versions of the API for what an account stands under.
_STANDINGS = {
    "active": Standing.ACTIVE,
    "pending": Standing.AWAITING_APPROVAL,
    "disabled": Standing.LOCKED,
    "silenced": Standing.LIMITED,
    "suspended": Standing.SUSPENDED,
    "deactivated": Standing.DEACTIVATED,
}
_RESOLUTIONS = {
    Standing.LIMITED: Resolution.LIMITED,
    Standing.SUSPENDED: Resolution.SUSPENDED,
    Standing.LOCKED: Resolution.LOCKED,
}
_TYPES = {"silence": Standing.LIMITED, "suspend": Standing.SUSPENDED, "disable": Standing.LOCKED}


class SpaceFate(msgspec.Struct, forbid_unknown_fields=True):
    """What becomes of one live Space of somebody who is suspended. `to`: the account that hosts it then."""

    id: str
    becomes: Becomes
    to: str | None = None


class Decide(msgspec.Struct):
    """A decision about an account. `until` (RFC 3339) and `spaces` are Folkmoot's own. Where the server sends mail,
    the person is written to, whatever `send_email_notification` says."""

    type: str = "none"
    text: str | None = None
    report_id: str | int | None = None
    until: str | None = None
    spaces: list[SpaceFate] = []
    send_email_notification: Any = None
    warning_preset_id: Any = None


@get([PATH, "/api/v2/admin/accounts"], opt=_READ)
async def list_accounts(
    request: Request[Any, Any, Any], permit: Permit, services: Services
) -> Response[list[AdminAccount]]:
    """Accounts, the newest first, in pages of 100 (200 at most). `q` looks into name, display name and e-mail."""
    asked = page(request, limit=LIMIT, limit_max=LIMIT_MAX)
    async with services.database.read() as read:
        ids = await queries.ids(read, _wanted(request), asked)
        shown = _present(services, permit, await queries.by_ids(read, ids))
    return Response(shown, headers=link_header(request, services.site.base_url, ids, asked.limit))


@get(f"{PATH}/{{account_id:str}}", opt=_READ)
async def show_account(account_id: str, permit: Permit, services: Services) -> AdminAccount:
    """One account, with the history of what was decided about it."""
    return await _one(services, permit, entity_id(account_id))


@post(f"{PATH}/{{account_id:str}}/action", opt=_WRITE, status_code=200)
async def decide(
    request: Request[Any, Any, Any], account_id: str, permit: Permit, services: Services
) -> dict[str, Any]:
    """Suspend, limit (`silence`) or lock (`disable`) an account, or close a report without any of it (`none`).

    A sanction closes every open report about the account. `spaces` says what becomes of the live Spaces that
    somebody hosts who is suspended; left out, each goes on with its co-hosts, or ends without one.
    """
    asked, id_ = await parse(request, Decide), entity_id(account_id)
    report_id = None if asked.report_id in (None, "") else entity_id(str(asked.report_id))
    until_ms = parse_time(asked.until, "until") if asked.until else None
    kind = _kind(asked)
    fates = {entity_id(one.id, "Space"): Fate(one.becomes, _successor(one)) for one in asked.spaces}
    if fates and kind is not Standing.SUSPENDED:
        raise Refused("not_suspended", "What becomes of Spaces is said with a suspension.", status=422)

    async def work(acting: Acting) -> None:
        if kind is Standing.SUSPENDED:
            await suspend_host(acting, id_, reason=asked.text or "", until_ms=until_ms, fates=fates)
        await _decide(acting, id_, kind, asked.text or "", until_ms, report_id)

    await services.gate.act(permit, work)
    return {}


def _successor(fate: SpaceFate) -> int | None:
    return entity_id(fate.to, "Account") if fate.to is not None else None


@post(f"{PATH}/{{account_id:str}}/approve", opt=_WRITE, status_code=200)
async def approve(account_id: str, permit: Permit, services: Services) -> AdminAccount:
    """Let in somebody who signed up and waits."""
    id_ = entity_id(account_id)
    return await _change(services, permit, id_, lambda acting: actions.approve(acting, id_))


@post(f"{PATH}/{{account_id:str}}/reject", opt=_WRITE, status_code=200)
async def reject(account_id: str, permit: Permit, services: Services) -> AdminAccount:
    """Don't let in somebody who waits: the account is removed. The answer is how it was."""
    shown = await _one(services, permit, entity_id(account_id))
    await services.gate.act(permit, lambda acting: member_actions.reject(acting, int(shown.id)))
    return shown


@post(f"{PATH}/{{account_id:str}}/enable", opt=_WRITE, status_code=200)
async def enable(account_id: str, permit: Permit, services: Services) -> AdminAccount:
    """Unlock an account that was locked."""
    return await _lift(services, permit, account_id, Standing.LOCKED)


@post(f"{PATH}/{{account_id:str}}/unsilence", opt=_WRITE, status_code=200)
async def unsilence(account_id: str, permit: Permit, services: Services) -> AdminAccount:
    """Limit an account no longer."""
    return await _lift(services, permit, account_id, Standing.LIMITED)


@post(f"{PATH}/{{account_id:str}}/unsuspend", opt=_WRITE, status_code=200)
async def unsuspend(account_id: str, permit: Permit, services: Services) -> AdminAccount:
    """Lift a suspension. The person signs in anew and has everything back."""
    return await _lift(services, permit, account_id, Standing.SUSPENDED)


@post(f"{PATH}/{{account_id:str}}/unsensitive", opt=_WRITE, status_code=200)
async def unsensitive(account_id: str, permit: Permit, services: Services) -> AdminAccount:
    """The account as it is: here no account's files are all taken for sensitive, so there is nothing to lift."""
    return await _one(services, permit, entity_id(account_id))


@delete(f"{PATH}/{{account_id:str}}", opt=_WRITE, status_code=200)
async def delete_account(account_id: str, permit: Permit, services: Services) -> AdminAccount:
    """Delete a suspended account for good, with all that it published: by an owner, on this server's own pages. The
    answer is how it was."""
    require_own_pages(permit.viewer)
    shown, gate = await _one(services, permit, entity_id(account_id)), services.gate
    id_ = int(shown.id)
    by_id = permit.viewer.id
    as_system = gate.permit_system(Action.LEAVE, f"account {by_id}")
    nobody = Outbox(is_open=False)  # there is no time to take it back in, which is what the letter tells of

    async def delete_it(acting: Acting) -> None:
        await gate.check(acting.tx, permit.viewer.stamps)  # as things are now, like any other act of theirs
        await member_actions.require_deletable(acting, id_, by_id=by_id)
        await deletion.ask(acting, id_, nobody, grace_ms=0)

    await gate.act(as_system, delete_it)
    log.info("account.deletion_asked", account=id_, by=by_id)
    return shown


async def _lift(services: Services, permit: Permit, account_id: str, standing: Standing) -> AdminAccount:
    id_ = entity_id(account_id)
    return await _change(services, permit, id_, lambda acting: actions.reinstate(acting, id_, standing))


async def _decide(
    acting: Acting, account_id: int, kind: Standing | None, reason: str, until_ms: int | None, report_id: int | None
) -> None:
    if kind is Standing.LIMITED:
        await actions.limit(acting, account_id, reason=reason, until_ms=until_ms)
    elif kind is Standing.LOCKED:
        await actions.lock(acting, account_id, reason=reason)
    if kind is not None:
        await report_actions.resolve_about(acting, account_id, _RESOLUTIONS[kind])
    elif report_id is not None:
        await report_actions.resolve(acting, report_id, Resolution.NOTHING)


def _kind(asked: Decide) -> Standing | None:
    """The sanction that is asked for. Raises Refused 422 for what this server can't do."""
    if asked.type == "none":
        if asked.text:
            raise Refused("not_supported", "This server can't send warnings yet: leave the text out.", status=422)
        return None
    if asked.type not in _TYPES:
        raise Refused("not_supported", "The type is none, silence, disable or suspend.", status=422)
    if asked.type == "disable" and asked.until:
        raise Refused("no_end", "This holds until somebody decides otherwise: leave the end out.", status=422)
    return _TYPES[asked.type]


async def _change(
    services: Services, permit: Permit, account_id: int, work: Callable[[Acting], Awaitable[object]]
) -> AdminAccount:
    await services.gate.act(permit, work)
    return await _one(services, permit, account_id)


async def _one(services: Services, permit: Permit, account_id: int) -> AdminAccount:
    async with services.database.read() as read:
        found = await queries.by_ids(read, [account_id])
        if not found:
            raise Refused("not_found", "Record not found", status=404)
        return _present(services, permit, found, await _details(read, services, permit, account_id))[0]


async def _details(read: Read, services: Services, permit: Permit, account_id: int) -> AccountDetails:
    history = await queries.history(read, account_id, judge_id=permit.viewer.id)
    deciders = {one for sanction in history.sanctions for one in (sanction.decided_by, sanction.lifted_by)}
    live = await spaces.by_ids(read, await spaces.live_ids_hosted_by(read, account_id))
    on_stage = {one for space in live for one in space.roster}
    named = await account_queries.by_ids(read, sorted(on_stage.union(one for one in deciders if one is not None)))
    names = {one.item.id: one for one in services.gate.admit_to_moderate(permit, named)}
    opened = await spaces.by_ids(read, await spaces.ids_by_creator(read, account_id, limit=SPACES_MAX))
    hints = await hints_of(read, [account_id])
    others = await account_queries.by_ids(read, sorted({one.other_id for one in hints}))
    alike = {one.item.id: one for one in services.gate.admit_to_moderate(permit, others)}
    return present_admin.account_details(
        history,
        names,
        services.gate.admit_to_moderate(permit, opened),
        services.gate.admit_to_moderate(permit, live),
        [present_admin.signup_hint(one, alike[one.other_id]) for one in hints],
        services.site,
    )


def _present(
    services: Services, permit: Permit, found: Sequence[Member], details: AccountDetails | None = None
) -> list[AdminAccount]:
    members = services.gate.admit_to_moderate(permit, found)
    accounts = services.gate.admit_to_moderate(permit, [one.account for one in found])
    return [
        present_admin.admin_account(member, account, services.site, details)
        for member, account in zip(members, accounts, strict=True)
    ]


def _wanted(request: Request[Any, Any, Any]) -> Wanted:
    """The filters of both versions: `suspended=true` or `status=suspended`; `staff=true` or `permissions=staff`."""
    query = request.query_params
    asked = next((word for word in _STANDINGS if says(request, word)), query.get("status"))
    if asked and asked not in _STANDINGS:
        raise invalid(f"no status is called {asked[:40]}")
    staff = says(request, "staff") or query.get("permissions") == "staff"
    role_ids = set(query.getall("role_ids[]", []))
    origins = {word for word in ("local", "remote") if says(request, word) or query.get("origin") == word}
    # Addresses are kept nowhere, and no account's files are all taken for sensitive.
    is_nobody = bool(query.get("ip")) or says(request, "sensitized")
    return Wanted(
        anything=query.get("q", ""),
        username=query.get("username", ""),
        display_name=query.get("display_name", ""),
        email=query.get("email", ""),
        standing=_STANDINGS[asked] if asked else None,
        roles=frozenset(
            role
            for role in (MODERATORS if staff else Role)
            if not role_ids or present.credential_role(role).id in role_ids
        ),
        local=None if len(origins) != 1 else origins == {"local"},
        host=query.get("by_domain", "").lower(),
        invited_by=entity_id(query["invited_by"]) if query.get("invited_by") else None,
        is_nobody=is_nobody,
    )


HANDLERS: list[Any] = [
    list_accounts,
    show_account,
    decide,
    approve,
    reject,
    enable,
    unsilence,
    unsuspend,
    unsensitive,
    delete_account,
]
