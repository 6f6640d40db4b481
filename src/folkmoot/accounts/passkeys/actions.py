"""Making, using, naming and removing passkeys. Each runs inside `Gate.act`.

A challenge is the secret of a one-time link (accounts/links.py): what was signed for one is good once. The checks
are those of Web Authentication Level 3, 7.1 and 7.2, by the library `webauthn`.
"""

import base64
from typing import Any

import msgspec
import webauthn
from sqlalchemy import delete, insert, select, update
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from folkmoot.accounts import letters, links
from folkmoot.accounts.links import Purpose
from folkmoot.accounts.passkeys import queries
from folkmoot.accounts.passkeys.model import NAME_CHARACTERS_MAX, PASSKEYS_MAX, Passkey, RelyingParty
from folkmoot.accounts.rules import clean_line
from folkmoot.accounts.second_factor.actions import first_recovery_codes, forget_useless_codes
from folkmoot.gate import Acting, Refused
from folkmoot.mail.outbox import Outbox
from folkmoot.storage.tables.credentials import passkeys

Options = dict[str, Any]
"""What `navigator.credentials` takes, as JSON (PublicKeyCredential.parseCreationOptionsFromJSON and …Request…)."""


class Made(msgspec.Struct, frozen=True):
    """A new passkey, and recovery codes if it is the account's first second factor."""

    passkey: Passkey
    recovery_codes: list[str]


async def begin(acting: Acting, party: RelyingParty, username: str) -> Options:
    """What a device needs to make a passkey. Raises Refused 422 for one who has twenty."""
    known = await queries.credential_ids(acting.tx, acting.actor_id)
    if len(known) >= PASSKEYS_MAX:
        raise Refused("too_many_passkeys", f"You have {PASSKEYS_MAX} passkeys: remove one first.", status=422)
    secret = await links.make(acting, Purpose.NEW_PASSKEY, acting.actor_id)
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=party.title,
        user_id=str(acting.actor_id).encode(),
        user_name=username,
        challenge=_challenge(secret),
        exclude_credentials=[PublicKeyCredentialDescriptor(one) for one in known],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
    )
    return _as_json(options)


async def add(acting: Acting, party: RelyingParty, answer: Options, name: str, outbox: Outbox) -> Made:
    """Keep what a device made. Raises Refused 422 for an answer that is none, or to a challenge that is over."""
    secret = challenge_of(answer)
    link = await links.use(acting, Purpose.NEW_PASSKEY, secret)
    if link is None or link.account_id != acting.actor_id:
        raise _wrong(422)
    try:
        found = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=_challenge(secret),
            expected_rp_id=party.id,
            expected_origin=party.origin,
        )
    except _UNREADABLE as error:
        raise _wrong(422) from error
    known = select(passkeys.c.id).where(passkeys.c.credential_id == found.credential_id)
    if (await acting.tx.connection.execute(known)).first() is not None:
        raise Refused("passkey_known", "This passkey is known already.", status=422)
    made = Passkey(acting.tx.new_id(), _clean_name(name), acting.now_ms, None)
    await acting.tx.connection.execute(
        insert(passkeys).values(
            id=made.id,
            account_id=acting.actor_id,
            credential_id=found.credential_id,
            public_key=found.credential_public_key,
            sign_count=found.sign_count,
            name=made.name,
            created_at_ms=made.created_at_ms,
        )
    )
    await letters.tell(acting, outbox, acting.actor_id, "passkey_added")
    return Made(made, await first_recovery_codes(acting))


async def ask(acting: Acting, party: RelyingParty) -> Options:
    """What any passkey of this server can sign in with by itself: the device asks who is there (PIN, finger)."""
    return _request(await links.make(acting, Purpose.PASSKEY), party, [], UserVerificationRequirement.REQUIRED)


async def ask_after_password(acting: Acting, party: RelyingParty, account_id: int, secret: str) -> Options:
    """The same as a second factor, for a sign-in that goes on by the ticket `secret`."""
    known = await queries.credential_ids(acting.tx, account_id)
    return _request(secret, party, known, UserVerificationRequirement.PREFERRED)


async def sign_in(acting: Acting, party: RelyingParty, answer: Options) -> int:
    """Whose passkey signed the challenge; return the account's id. Raises Refused 401."""
    secret = challenge_of(answer, status=401)
    if await links.use(acting, Purpose.PASSKEY, secret) is None:
        raise _wrong()
    return await check(acting, party, answer, secret, alone=True)


async def check(
    acting: Acting, party: RelyingParty, answer: Options, secret: str, *, alone: bool, account_id: int | None = None
) -> int:
    """Whose passkey signed this challenge; only `account_id`'s, if given. `alone`: without a password, so that the
    device has to have asked who is there; not between a new password and the first use with that. Raises Refused
    401."""
    row = (
        await acting.tx.connection.execute(
            select(passkeys).where(passkeys.c.credential_id == _decoded(str(answer.get("rawId", ""))))
        )
    ).first()
    if row is None or account_id not in (None, row.account_id):
        raise _wrong()
    try:
        found = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=_challenge(secret),
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=row.public_key,
            credential_current_sign_count=row.sign_count,
            require_user_verification=alone,
        )
    except _UNREADABLE as error:
        raise _wrong() from error
    if alone and not row.signs_in_alone:
        sentence = "The password was changed since this passkey signed in: sign in with both, once."
        raise Refused("password_needed", sentence, status=401)
    values = {"sign_count": found.new_sign_count, "used_at_ms": acting.now_ms, "signs_in_alone": True}
    await acting.tx.connection.execute(update(passkeys).where(passkeys.c.id == row.id).values(values))
    return int(row.account_id)


async def rename(acting: Acting, passkey_id: int, name: str) -> None:
    """Raises Refused: 404 for none of one's own, 422 for a name that can't be."""
    named = await acting.tx.connection.execute(
        update(passkeys)
        .where(passkeys.c.id == passkey_id, passkeys.c.account_id == acting.actor_id)
        .values(name=_clean_name(name))
    )
    if not named.rowcount:
        raise _no_passkey()


async def remove(acting: Acting, passkey_id: int, outbox: Outbox) -> None:
    """It opens nothing any more. Raises Refused 404 for none of one's own."""
    removed = await acting.tx.connection.execute(
        delete(passkeys).where(passkeys.c.id == passkey_id, passkeys.c.account_id == acting.actor_id)
    )
    if not removed.rowcount:
        raise _no_passkey()
    await forget_useless_codes(acting, acting.actor_id)
    await letters.tell(acting, outbox, acting.actor_id, "passkey_removed")


def challenge_of(answer: Options, status: int = 422) -> str:
    """The challenge that a device says it signed: which one that is, the signature proves later. Raises Refused."""
    try:
        told = msgspec.json.decode(_decoded(answer["response"]["clientDataJSON"]), type=dict[str, Any])
        return str(told["challenge"])
    except (*_UNREADABLE, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise _wrong(status) from error


# What the library raises for answers that are no answers.
_UNREADABLE = (WebAuthnException, KeyError, TypeError, ValueError, AttributeError)


def _request(
    secret: str, party: RelyingParty, known: list[bytes], verification: UserVerificationRequirement
) -> Options:
    return _as_json(
        webauthn.generate_authentication_options(
            rp_id=party.id,
            challenge=_challenge(secret),
            allow_credentials=[PublicKeyCredentialDescriptor(one) for one in known],
            user_verification=verification,
        )
    )


def _as_json(options: Any) -> Options:
    return msgspec.json.decode(webauthn.options_to_json(options), type=dict[str, Any])


def _challenge(secret: str) -> bytes:
    """The bytes of which the secret is the base64url form: what a device says back is the secret itself."""
    return _decoded(secret)


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""


def _clean_name(name: str) -> str:
    return clean_line(name, "name", "A passkey's name", NAME_CHARACTERS_MAX) or "Passkey"


def _wrong(status: int = 401) -> Refused:
    return Refused(
        "wrong_passkey", "This passkey can't be used here, or it took too long. Try again.", status=status
    )


def _no_passkey() -> Refused:
    return Refused("not_found", "There is no such passkey.", status=404)
