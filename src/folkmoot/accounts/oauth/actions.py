"""Writes of OAuth: programs, authorization codes, tokens. Each runs inside `Gate.act`."""

import secrets

import msgspec
from sqlalchemy import and_, delete, or_, select

from folkmoot.accounts.actions import issue_token, sign_out
from folkmoot.accounts.oauth import queries
from folkmoot.accounts.oauth.model import Application, AuthorizationRequest, NewApplication
from folkmoot.accounts.oauth.rules import CODE_LASTS_MS, meets_challenge
from folkmoot.gate import Acting, Action, Kind, Refused, Standing, Subject, subjects
from folkmoot.gate import queries as gate_queries
from folkmoot.gate.actions import impose_on, lift_from
from folkmoot.gate.model import account_subject
from folkmoot.gate.standings import TOLD
from folkmoot.storage.database import digest
from folkmoot.storage.tables.credentials import applications, authorization_codes, one_time_links, tokens

APPLICATION_TOKEN_LASTS_MS = 30 * 24 * 3600 * 1000
APPLICATION_TOKENS_MAX = 100
"""Of a program alone, at a time: anybody can ask for one after the other."""


class Grant(msgspec.Struct, frozen=True):
    """A token that was given out: the only place where it stands in the clear."""

    access_token: str
    scopes: str
    created_at_ms: int


async def register(acting: Acting, new: NewApplication) -> tuple[Application, str]:
    """Register a program; return it with its secret."""
    secret = secrets.token_urlsafe(32)
    application = Application(
        id=acting.tx.new_id(),
        client_id=secrets.token_urlsafe(32),
        client_secret_hash=digest(secret),
        name=new.name,
        website=new.website,
        redirect_uris=new.redirect_uris,
        scopes=new.scopes,
    )
    await acting.tx.connection.execute(
        applications.insert().values(
            **msgspec.structs.asdict(application) | {"redirect_uris": list(new.redirect_uris)},
            created_at_ms=acting.now_ms,
        )
    )
    return application, secret


async def make_code(acting: Acting, request: AuthorizationRequest) -> str:
    """The acting account agrees: an authorization code, good for ten minutes and once."""
    await _require_running(acting, request.application.id)
    code = secrets.token_urlsafe(32)
    subject = account_subject(acting.actor_id)
    counters = await gate_queries.counters(acting.tx, [subject])
    await acting.tx.connection.execute(
        delete(authorization_codes).where(authorization_codes.c.expires_at_ms <= acting.now_ms)
    )
    await acting.tx.connection.execute(
        authorization_codes.insert().values(
            code_hash=digest(code),
            application_id=request.application.id,
            account_id=acting.actor_id,
            redirect_uri=request.redirect_uri,
            scopes=request.scopes,
            code_challenge=request.code_challenge,
            account_counter=counters[subject],
            expires_at_ms=acting.now_ms + CODE_LASTS_MS,
        )
    )
    return code


async def exchange_code(
    acting: Acting, application: Application, *, code: str, redirect_uri: str, verifier: str | None
) -> Grant | None:
    """A token for a code; None if the code isn't good for this. Either way the code is spent."""
    await _require_running(acting, application.id)
    spent = (
        delete(authorization_codes)
        .where(
            authorization_codes.c.code_hash == digest(code),
            authorization_codes.c.application_id == application.id,
        )
        .returning(*authorization_codes.c)
    )
    row = (await acting.tx.connection.execute(spent)).first()
    if row is None or row.expires_at_ms <= acting.now_ms or row.redirect_uri != redirect_uri:
        return None
    if not meets_challenge(verifier, row.code_challenge):
        return None
    subject = account_subject(row.account_id)
    if (await gate_queries.counters(acting.tx, [subject]))[subject] > row.account_counter:
        return None
    token = await issue_token(
        acting,
        row.account_id,
        row.scopes,
        application_id=application.id,
        account_counter=row.account_counter,
    )
    return Grant(token, row.scopes, acting.now_ms)


async def grant_to_application(acting: Acting, application: Application, scopes: str) -> Grant:
    """A token for the program itself, for nobody's account. The oldest of its many gives way."""
    await _require_running(acting, application.id)
    own = and_(tokens.c.application_id == application.id, tokens.c.account_id.is_(None))
    too_many = select(tokens.c.id).where(own).order_by(tokens.c.id.desc()).offset(APPLICATION_TOKENS_MAX - 1)
    given_way = list((await acting.tx.connection.execute(too_many.limit(APPLICATION_TOKENS_MAX))).scalars())
    await acting.tx.connection.execute(delete(tokens).where(tokens.c.id.in_(given_way)))
    token = await issue_token(acting, None, scopes, application_id=application.id)
    return Grant(token, scopes, acting.now_ms)


async def revoke_token(acting: Acting, application: Application, token: str) -> bool:
    """End a token of the program and what was opened with it; False if it is another's. Unknown ones are ended."""
    row = (
        await acting.tx.connection.execute(
            select(tokens.c.id, tokens.c.application_id).where(tokens.c.token_hash == digest(token))
        )
    ).first()
    if row is None:
        return True
    if row.application_id != application.id:
        return False
    await sign_out(acting, row.id)
    return True


async def stop(acting: Acting, application_id: int, *, reason: str) -> Application:
    """Stop a program for everybody who uses it: its tokens and codes are gone, what it holds open ends, and it gets
    no new ones. Nobody else is touched. Raises Refused: without a permit to moderate; 404 no such program."""
    application = await _moderated(acting, application_id)
    for table in (tokens, authorization_codes):
        await acting.tx.connection.execute(delete(table).where(table.c.application_id == application_id))
    await impose_on(acting, _subject(application_id), Standing.STOPPED, reason=reason)
    return application


async def allow_again(acting: Acting, application_id: int) -> Application:
    """Let a program that was stopped ask people anew. Its old tokens stay dead. Raises Refused as `stop` does."""
    application = await _moderated(acting, application_id)
    subject = _subject(application_id)
    await lift_from(acting, subject, (await subjects.open_of(acting.tx, [subject]))[subject])
    return application


async def _moderated(acting: Acting, application_id: int) -> Application:
    acting.require(Action.MODERATE)
    found = await queries.application(acting.tx, application_id)
    if found is None:
        raise Refused("not_found", "There is no such program.", status=404)
    return found


async def _require_running(acting: Acting, application_id: int) -> None:
    if not await queries.is_running(acting.tx, application_id):
        raise stopped()


def _subject(application_id: int) -> Subject:
    return Subject(Kind.APPLICATION, application_id)


def stopped() -> Refused:
    return Refused("application_stopped", TOLD[Kind.APPLICATION][Standing.STOPPED])


async def forget_expired(acting: Acting) -> None:
    """Delete what opens nothing any more: expired sessions and codes, one-time links, old tokens of programs alone.

    A program gets itself a new token whenever it likes (RFC 6749, 4.4).
    """
    execute, now_ms = acting.tx.connection.execute, acting.now_ms
    of_a_program_alone = and_(
        tokens.c.account_id.is_(None), tokens.c.created_at_ms <= now_ms - APPLICATION_TOKEN_LASTS_MS
    )
    await execute(delete(tokens).where(or_(tokens.c.expires_at_ms <= now_ms, of_a_program_alone)))
    await execute(delete(authorization_codes).where(authorization_codes.c.expires_at_ms <= now_ms))
    is_spent = one_time_links.c.used_at_ms.is_not(None)
    await execute(delete(one_time_links).where(or_(one_time_links.c.expires_at_ms <= now_ms, is_spent)))
