"""One's second factors: a program of codes, passkeys, recovery codes; and what to do when they are lost."""

import base64
import io
from typing import Any

import msgspec
import segno
from litestar import Request, Response, get, patch, post
from litestar.params import JSONBody

from folkmoot.accounts.passkeys import actions as passkeys
from folkmoot.accounts.passkeys import queries as passkey_queries
from folkmoot.accounts.passkeys.model import Passkey as Kept
from folkmoot.accounts.passwords import Passwords
from folkmoot.accounts.second_factor import actions as factors
from folkmoot.accounts.second_factor import codes
from folkmoot.accounts.second_factor.queries import factors_of
from folkmoot.gate import Action, Gate, Permit, Refused, Serves
from folkmoot.gate.standings import MODERATORS
from folkmoot.surfaces.http import require_own_pages, serves
from folkmoot.surfaces.limits import Limits
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.security import NO_STORE
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.session import PATH
from folkmoot.surfaces.sign_in import SignIn, account_of, refuse_other_sites, relying_party, require_own_password

HERE = f"{PATH}/second-factor"
_QR_PIXELS = 5  # a module's


class Password(msgspec.Struct):
    """One's password: a session that somebody left open changes nothing here."""

    password: str


class Code(msgspec.Struct):
    """What the program shows."""

    code: str


class OwnPasskey(msgspec.Struct):
    """`last_used`: when somebody signed in with it. `alone`: it does that without the password, which it doesn't
    between a new password and its first use with that."""

    id: str
    name: str
    created_at: str
    last_used: str | None
    alone: bool


class OwnFactors(msgspec.Struct):
    """`required`: whether this server wants one of this account, a moderator's."""

    totp: bool
    passkeys: list[OwnPasskey]
    recovery_codes_left: int
    required: bool


class NewTotp(msgspec.Struct):
    """For the program: `url` as it stands in the QR code (SVG), `secret` in base 32 for typing."""

    secret: str
    url: str
    qr: str


class RecoveryCodes(msgspec.Struct):
    """Shown this once; empty where the account has some."""

    recovery_codes: list[str]


class NewPasskey(msgspec.Struct):
    """What `navigator.credentials.create` gave, by its `toJSON`; what its owner calls it."""

    passkey: dict[str, Any]
    name: str = ""


class Name(msgspec.Struct):
    """What its owner calls it."""

    name: str


class MadePasskey(msgspec.Struct):
    """`recovery_codes`: with the first second factor; shown this once."""

    passkey: OwnPasskey
    recovery_codes: list[str]


class LostFactors(msgspec.Struct):
    """The secret of a link from a moderator, with name and password: the link alone takes nothing away."""

    secret: str
    username: str
    password: str


@get(HERE, opt=serves(Serves.ROOM, Action.SIGN_IN))
async def show_factors(permit: Permit, services: Services) -> Response[OwnFactors]:
    """Which second factors one has."""
    viewer = permit.viewer
    require_own_pages(viewer)
    async with services.database.read() as read:
        have = await factors_of(read, viewer.id)
        keys = await passkey_queries.of_account(read, viewer.id)
    required = services.site.moderators_second_factor and viewer.role in MODERATORS
    shown = OwnFactors(have.totp, [_passkey(one) for one in keys], have.recovery_codes, required)
    return Response(shown, headers=NO_STORE)


@post(f"{HERE}/totp", opt=serves(Serves.ROOM, Action.SIGN_IN), status_code=200)
async def begin_totp(
    data: JSONBody[Password],
    request: Request[Any, Any, Any],
    permit: Permit,
    services: Services,
    gate: Gate,
    passwords: Passwords,
    limits: Limits,
) -> Response[NewTotp]:
    """A secret for a program of codes (RFC 6238). It counts once the program has shown a code."""
    username = await _require_oneself(data.password, request, permit, services, passwords, limits)
    secret = await gate.act(permit, lambda acting: factors.begin_totp(acting, services.seal))
    url = codes.address(secret, username, services.site.title)
    shown = NewTotp(base64.b32encode(secret).decode(), url, _qr(url))
    return Response(shown, headers=NO_STORE)


@post(f"{HERE}/totp/confirm", opt=serves(Serves.ROOM, Action.SIGN_IN), status_code=200)
async def confirm_totp(
    data: JSONBody[Code], permit: Permit, services: Services, gate: Gate, limits: Limits
) -> Response[RecoveryCodes]:
    """The program's first code: from now on one signs in with codes. Other sessions stay."""
    require_own_pages(permit.viewer)
    limits.second_factor(permit.viewer.id)
    made = await gate.act(
        permit, lambda acting: factors.confirm_totp(acting, services.seal, data.code, services.outbox)
    )
    limits.second_factor_was_right(permit.viewer.id)
    return Response(RecoveryCodes(made), headers=NO_STORE)


@post(f"{HERE}/totp/remove", opt=serves(Serves.ROOM, Action.SIGN_IN), status_code=204)
async def remove_totp(
    data: JSONBody[Password],
    request: Request[Any, Any, Any],
    permit: Permit,
    services: Services,
    gate: Gate,
    passwords: Passwords,
    limits: Limits,
) -> None:
    """Sign in without codes from now on."""
    await _require_oneself(data.password, request, permit, services, passwords, limits)
    await gate.act(permit, lambda acting: factors.remove_totp(acting, services.outbox))


@post(f"{HERE}/recovery-codes", opt=serves(Serves.ROOM, Action.SIGN_IN), status_code=200)
async def new_recovery_codes(
    data: JSONBody[Password],
    request: Request[Any, Any, Any],
    permit: Permit,
    services: Services,
    gate: Gate,
    passwords: Passwords,
    limits: Limits,
) -> Response[RecoveryCodes]:
    """Ten new recovery codes in place of those there were, each good once."""
    await _require_oneself(data.password, request, permit, services, passwords, limits)
    made = await gate.act(permit, lambda acting: factors.new_recovery_codes(acting, services.outbox))
    return Response(RecoveryCodes(made), headers=NO_STORE)


@post(f"{HERE}/passkeys/options", opt=serves(Serves.ROOM, Action.SIGN_IN), status_code=200)
async def passkey_options(
    data: JSONBody[Password],
    request: Request[Any, Any, Any],
    permit: Permit,
    services: Services,
    gate: Gate,
    passwords: Passwords,
    limits: Limits,
) -> Response[dict[str, Any]]:
    """What a browser needs to make a passkey: for `PublicKeyCredential.parseCreationOptionsFromJSON`."""
    username = await _require_oneself(data.password, request, permit, services, passwords, limits)
    party = relying_party(services)
    return Response(
        await gate.act(permit, lambda acting: passkeys.begin(acting, party, username)), headers=NO_STORE
    )


@post(f"{HERE}/passkeys", opt=serves(Serves.ROOM, Action.SIGN_IN), status_code=200)
async def add_passkey(
    data: JSONBody[NewPasskey], permit: Permit, services: Services, gate: Gate
) -> Response[MadePasskey]:
    """Keep a passkey that was just made. From now on it, or another second factor, is needed with the password."""
    require_own_pages(permit.viewer)
    party = relying_party(services)
    made = await gate.act(
        permit, lambda acting: passkeys.add(acting, party, data.passkey, data.name, services.outbox)
    )
    return Response(MadePasskey(_passkey(made.passkey), made.recovery_codes), headers=NO_STORE)


@patch(f"{HERE}/passkeys/{{passkey_id:int}}", opt=serves(Serves.ROOM, Action.SIGN_IN), status_code=204)
async def rename_passkey(passkey_id: int, data: JSONBody[Name], permit: Permit, gate: Gate) -> None:
    """Call one of one's passkeys something else."""
    require_own_pages(permit.viewer)
    await gate.act(permit, lambda acting: passkeys.rename(acting, passkey_id, data.name))


@post(f"{HERE}/passkeys/{{passkey_id:int}}/remove", opt=serves(Serves.ROOM, Action.SIGN_IN), status_code=204)
async def remove_passkey(
    passkey_id: int,
    data: JSONBody[Password],
    request: Request[Any, Any, Any],
    permit: Permit,
    services: Services,
    gate: Gate,
    passwords: Passwords,
    limits: Limits,
) -> None:
    """One of one's passkeys opens nothing any more."""
    await _require_oneself(data.password, request, permit, services, passwords, limits)
    await gate.act(permit, lambda acting: passkeys.remove(acting, passkey_id, services.outbox))


@post(f"{PATH}/second-factor-link", opt=serves(Serves.NOBODY, Action.SIGN_IN), status_code=204)
async def lost_factors(
    data: JSONBody[LostFactors],
    request: Request[Any, Any, Any],
    services: Services,
    gate: Gate,
    passwords: Passwords,
    limits: Limits,
) -> None:
    """Take away second factors that are lost, by a link from a moderator and with the password."""
    refuse_other_sites(request)
    asked = SignIn(data.username, data.password)
    account_id = await account_of(request, services, passwords, limits, asked)
    if account_id is None:
        raise Refused("wrong_credentials", "The username or the password is wrong.", status=401)
    permit = gate.permit_system(Action.SIGN_IN, "second factor lost")
    await gate.act(permit, lambda acting: factors.use_off_link(acting, data.secret, account_id, services.outbox))


async def _require_oneself(
    password: str,
    request: Request[Any, Any, Any],
    permit: Permit,
    services: Services,
    passwords: Passwords,
    limits: Limits,
) -> str:
    """The person themselves, on our own pages, who knows the password; return the username."""
    require_own_pages(permit.viewer)
    return await require_own_password(request, services, passwords, limits, permit.viewer.id, password)


def _passkey(one: Kept) -> OwnPasskey:
    used = None if one.used_at_ms is None else timestamp(one.used_at_ms)
    return OwnPasskey(str(one.id), one.name, timestamp(one.created_at_ms), used, one.signs_in_alone)


def _qr(text: str) -> str:
    made = io.BytesIO()
    segno.make_qr(text).save(made, kind="svg", scale=_QR_PIXELS, xmldecl=False, light="#fff", title="QR code")
    return made.getvalue().decode()


HANDLERS: list[Any] = [
    show_factors,
    begin_totp,
    confirm_totp,
    remove_totp,
    new_recovery_codes,
    passkey_options,
    add_passkey,
    rename_passkey,
    remove_passkey,
    lost_factors,
]
