"""Making an account from a program, as Mastodon has it (POST /api/v1/accounts)."""

from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.openapi import ResponseSpec

from folkmoot.accounts import actions
from folkmoot.accounts.passwords import Passwords
from folkmoot.gate import Acting, Action, Gate, Refused, Serves, Viewer
from folkmoot.moderation.evasion import actions as evasion
from folkmoot.surfaces.browser import arriving_from
from folkmoot.surfaces.http import parse, require_scope, serves
from folkmoot.surfaces.limits import Limits
from folkmoot.surfaces.mastodon import entities
from folkmoot.surfaces.security import NO_STORE
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.sign_up import SignUp, make_account

# Which of Mastodon's words for what is wrong a refusal of ours is: by the end of its code.
_KINDS = {"taken": "ERR_TAKEN", "reserved": "ERR_RESERVED", "short": "ERR_TOO_SHORT", "long": "ERR_TOO_LONG"}


class NewAccount(msgspec.Struct):
    """`agreement`: to this server's rules. `locale` and `date_of_birth` are taken and not kept."""

    username: str = ""
    email: str = ""
    password: str = ""
    agreement: bool = False
    reason: str = ""
    locale: str | None = None
    date_of_birth: str | None = None


class Wrong(msgspec.Struct):
    """What is wrong with one field."""

    error: str
    description: str


class Invalid(msgspec.Struct):
    """Mastodon's form of an error in a form."""

    error: str
    details: dict[str, list[Wrong]]


_ANSWERS = {200: ResponseSpec(entities.Token), 422: ResponseSpec(Invalid)}


@post("/api/v1/accounts", opt=serves(Serves.NOBODY, Action.SIGN_IN), status_code=200, responses=_ANSWERS)
async def register(
    request: Request[Any, Any, Any],
    viewer: Viewer,
    services: Services,
    gate: Gate,
    passwords: Passwords,
    limits: Limits,
) -> Response[entities.Token] | Response[Invalid]:
    """Make an account with a program's own token (`write:accounts`), and get a token for it. A letter goes out to
    confirm its address; the account can be used meanwhile."""
    application_id = viewer.application_id
    if application_id is None or viewer.account_id is not None:
        raise Refused("invalid_token", "This method requires a program's own access token", status=401)
    require_scope(viewer, "write:accounts")
    asked = await parse(request, NewAccount)
    missing = [name for name in ("username", "email", "password") if not getattr(asked, name)]
    missing += [] if asked.agreement else ["agreement"]
    if missing:
        return _invalid({name: Wrong("ERR_BLANK", "can't be blank") for name in missing})
    new = SignUp(asked.username, asked.password, asked.email, asked.reason)
    try:
        account_id = await make_account(new, request, services, passwords, limits)
    except Refused as refusal:
        field, _, kind = refusal.code.partition("_")
        if refusal.status != 422 or field not in NewAccount.__struct_fields__:
            raise
        wrong = Wrong(_KINDS.get(kind.rpartition("_")[2], "ERR_INVALID"), refusal.sentence)
        return _invalid({field: wrong})
    scopes = " ".join(sorted(viewer.scopes))
    arriving = arriving_from(request, services)

    async def give(acting: Acting) -> str:
        await gate.check(acting.tx, viewer.stamps)  # the program may have been stopped meanwhile
        made = await actions.issue_token(acting, account_id, scopes, application_id=application_id)
        await evasion.remember(acting, account_id, arriving)
        return made

    token = await gate.act(gate.permit_system(Action.AUTHORIZE, "registration"), give)
    shown = entities.Token(access_token=token, scope=scopes, created_at=services.clock_ms() // 1000)
    return Response(shown, headers=NO_STORE)


def _invalid(wrong: dict[str, Wrong]) -> Response[Invalid]:
    what = ", ".join(f"{name.capitalize()} {one.description}" for name, one in wrong.items())
    details = {name: [one] for name, one in wrong.items()}
    return Response(Invalid(f"Validation failed: {what}", details), status_code=422)


HANDLERS: list[Any] = [register]
