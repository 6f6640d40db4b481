"""Writes of accounts: signing up and in, following, blocking, one's profile. Each runs inside `Gate.act`."""

import secrets

import msgspec
from sqlalchemy import delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite

from folkmoot.accounts import deletion, links, rules
from folkmoot.accounts.discovery.actions import learn_names
from folkmoot.accounts.invites import actions as invites
from folkmoot.accounts.invites.rules import Inviting
from folkmoot.accounts.links import Purpose
from folkmoot.gate import Acting, Refused, Role, Standing
from folkmoot.gate import queries as gate_queries
from folkmoot.gate.actions import impose, lift, revoke
from folkmoot.gate.model import ROOM_ONLY, account_subject, token_subject
from folkmoot.storage.database import digest
from folkmoot.storage.events import emit
from folkmoot.storage.tables.credentials import passkeys, tokens
from folkmoot.storage.tables.people import accounts, credentials, retired_usernames

SESSION_SCOPES = "read write follow push admin:read admin:write"
SESSION_LASTS_MS = 30 * 24 * 3600 * 1000
CREDENTIALS_CHANGED = "account.credentials_changed"
ACCOUNT_SIGNED_UP = "account.signed_up"


class Entry(msgspec.Struct, frozen=True):
    """How somebody may come in. `registrations`: open, approval or closed; `invite_id`: of a link they were given,
    which opens the door whatever that says, as long as `inviting` says that its maker may give such links."""

    registrations: str
    inviting: Inviting = "nobody"
    invite_id: int | None = None


class NewAccount(msgspec.Struct, frozen=True):
    """What signing up needs; texts as `rules` cleaned them."""

    username: str
    password_hash: str
    email: str | None = None
    reason: str = ""
    owner_secret: str | None = None


async def make_owner_link(acting: Acting) -> str | None:
    """The secret of the link that makes the owner, in place of an earlier one; None where there is an owner."""
    return None if await _has_owner(acting) else await links.make(acting, Purpose.OWNER)


async def sign_up(acting: Acting, new: NewAccount, entry: Entry) -> int:
    """Make an account and return its id; where registrations need approval it waits, but by an invite.

    Raises Refused: 403 when closed or for a link that is spent, 422 for a name that is taken.
    """
    role = Role.MEMBER
    if new.owner_secret is not None:
        await _use_owner_link(acting, new.owner_secret)
        role = Role.OWNER
    elif entry.registrations == "closed" and entry.invite_id is None:
        raise Refused("registrations_closed", "This server takes no new accounts.")
    account_id = await create_account(acting, new, role)
    if role is Role.MEMBER and entry.invite_id is not None:
        await invites.use(acting, entry.invite_id, account_id, entry.inviting)
    elif role is Role.MEMBER and entry.registrations == "approval":
        await impose(acting, account_id, Standing.AWAITING_APPROVAL, reason=new.reason)
    if role is Role.MEMBER:
        await emit(acting.tx, ACCOUNT_SIGNED_UP, {"account": str(account_id)})
    return account_id


async def create_account(acting: Acting, new: NewAccount, role: Role) -> int:
    """An account in good standing with its password; return its id. Raises Refused 422 for a name that is taken."""
    account_id = await _insert_account(acting, new.username, role)
    await acting.tx.connection.execute(
        credentials.insert().values(
            account_id=account_id,
            password_hash=new.password_hash,
            email=new.email,
            changed_at_ms=acting.now_ms,
        )
    )
    await learn_names(acting, account_id, new.username, "")
    return account_id


async def sign_in(acting: Acting) -> str:
    """A session of the web client for the acting account; return its secret, which is shown to nobody else."""
    return await issue_token(
        acting, acting.actor_id, SESSION_SCOPES, expires_at_ms=acting.now_ms + SESSION_LASTS_MS
    )


async def sign_out(acting: Acting, token_id: int) -> None:
    """End a token and whatever was opened with it."""
    await acting.tx.connection.execute(delete(tokens).where(tokens.c.id == token_id))
    await revoke(acting, token_subject(token_id))


async def change_password(acting: Acting, account_id: int, password_hash: str) -> None:
    """Put a new password in the place of the old one, and end every session, token and stream of the account.
    Whoever knew the old one may have made a passkey: each signs in alone again once it was used with the new one.

    Raises Refused 404 where there is no such account.
    """
    changed = await acting.tx.connection.execute(
        update(credentials)
        .where(credentials.c.account_id == account_id)
        .values(password_hash=password_hash, changed_at_ms=acting.now_ms)
    )
    if not changed.rowcount:
        raise _no_account()
    await acting.tx.connection.execute(
        update(passkeys).where(passkeys.c.account_id == account_id).values(signs_in_alone=False)
    )
    await revoke(acting, account_subject(account_id))
    await emit(acting.tx, CREDENTIALS_CHANGED, {"account": str(account_id)})


async def change_own_password(acting: Acting, password_hash: str) -> str:
    """The same for the acting account; return the secret of a new session, for whoever just changed it."""
    await change_password(acting, acting.actor_id, password_hash)
    return await sign_in(acting)


async def make_password_link(acting: Acting, account_id: int) -> str:
    """The secret of a link by which somebody sets a new password, in place of an earlier one; it works once.

    Raises Refused 404 where there is no such account.
    """
    if await gate_queries.sanction_of(acting.tx, account_id) is None:
        raise _no_account()
    return await links.make(acting, Purpose.RESET, account_id)


async def set_password_by_link(acting: Acting, secret: str, password_hash: str) -> int:
    """Set the password of the account whose link it is, and unlock it; return its id. All else that is decided
    about it stays. Raises Refused 403 for a link that is spent."""
    link = await links.use(acting, Purpose.RESET, secret)
    if link is None or link.account_id is None:
        raise password_link_spent()
    account_id = link.account_id
    await change_password(acting, account_id, password_hash)
    held = (await gate_queries.open_sanctions(acting.tx, [account_id]))[account_id]
    await lift(acting, account_id, [one for one in held if one.standing is Standing.LOCKED])
    return account_id


def password_link_spent() -> Refused:
    return Refused(
        "link_spent", "This link has been used or is too old. Ask this server's moderators for a new one."
    )


async def deactivate(acting: Acting) -> None:
    """Shut one's own account until one comes back: nobody sees it, and whatever it holds open ends at once.

    Raises Refused 422 for the last owner.
    """
    await impose(acting, acting.actor_id, Standing.DEACTIVATED)


async def come_back(acting: Acting) -> None:
    """Open one's own account again, as far as nobody else decided something. Refused 422 if it isn't shut."""
    held = (await gate_queries.open_sanctions(acting.tx, [acting.actor_id]))[acting.actor_id]
    own = [one for one in held if one.standing is Standing.DEACTIVATED]
    if not own:
        raise Refused("not_deactivated", "This account isn't deactivated.", status=422)
    await deletion.forget(acting)
    await lift(acting, acting.actor_id, own)


async def issue_token(
    acting: Acting,
    account_id: int | None,
    scopes: str,
    *,
    application_id: int | None = None,
    expires_at_ms: int | None = None,
    account_counter: int | None = None,
) -> str:
    """Store a new token's digest and return the token: 256 random bits.

    `account_id` None: the application itself. `account_counter`: the one that what it is exchanged for carried;
    by default the account's as it is now. Made for somebody suspended, it opens no more than then, also afterwards.
    Raises Refused 404 where there is no such account (any more).
    """
    if account_counter is None:
        account_counter = 0
        if account_id is not None:
            subject = account_subject(account_id)
            account_counter = (await gate_queries.counters(acting.tx, [subject]))[subject]
    if account_id is not None:
        if await gate_queries.sanction_of(acting.tx, account_id) is None:
            raise _no_account()
        standing = (await gate_queries.standings_of(acting.tx, [account_id]))[account_id]
        scopes += f" {ROOM_ONLY}" if standing is Standing.SUSPENDED else ""
    secret = secrets.token_urlsafe(32)
    await acting.tx.connection.execute(
        tokens.insert().values(
            id=acting.tx.new_id(),
            token_hash=digest(secret),
            application_id=application_id,
            account_id=account_id,
            scopes=scopes,
            account_counter=account_counter,
            created_at_ms=acting.now_ms,
            expires_at_ms=expires_at_ms,
        )
    )
    return secret


async def _insert_account(acting: Acting, username: str, role: Role) -> int:
    retired = select(retired_usernames).where(retired_usernames.c.name_hash == digest(rules.fold(username)))
    if (await acting.tx.connection.execute(retired)).first() is not None:
        raise _name_taken()
    insert = (sqlite if acting.tx.is_sqlite else postgresql).insert(accounts)
    statement = (
        insert.values(
            id=acting.tx.new_id(),
            username=username,
            username_folded=rules.fold(username),
            role=role.value,
            created_at_ms=acting.now_ms,
        )
        .on_conflict_do_nothing(index_elements=["username_folded"])
        .returning(accounts.c.id)
    )
    row = (await acting.tx.connection.execute(statement)).first()
    if row is None:
        raise _name_taken()
    return int(row.id)


def _name_taken() -> Refused:
    return Refused("username_taken", "This username is taken.", status=422)


async def _use_owner_link(acting: Acting, secret: str) -> None:
    if await links.use(acting, Purpose.OWNER, secret) is None or await _has_owner(acting):
        raise Refused(
            "link_spent",
            "This link has been used or is too old. The server prints a new one when it starts without an owner.",
        )


async def _has_owner(acting: Acting) -> bool:
    found = await acting.tx.connection.execute(select(exists().where(accounts.c.role == Role.OWNER.value)))
    return bool(found.scalar_one())


def _no_account() -> Refused:
    return Refused("not_found", "Account not found.", status=404)
