"""Setting up, using and taking away second factors. Each runs inside `Gate.act`."""

import structlog
from sqlalchemy import delete, insert, select, update

from folkmoot.accounts import letters, links
from folkmoot.accounts.links import Purpose
from folkmoot.accounts.second_factor import codes, queries
from folkmoot.accounts.second_factor.codes import Seal
from folkmoot.gate import Acting, Refused
from folkmoot.gate import queries as gate_queries
from folkmoot.mail.outbox import Outbox
from folkmoot.storage.database import digest
from folkmoot.storage.tables.credentials import passkeys, recovery_codes, totp_secrets

log = structlog.get_logger(__name__)


async def begin_totp(acting: Acting, seal: Seal) -> bytes:
    """A new secret for a program of codes; it counts once the program has shown a code. Raises Refused 422 where
    there is one already."""
    account_id = acting.actor_id
    if (await queries.factors_of(acting.tx, account_id)).totp:
        raise Refused("totp_is_on", "Codes are on already. Take the old program away first.", status=422)
    secret = codes.new_secret()
    await acting.tx.connection.execute(delete(totp_secrets).where(totp_secrets.c.account_id == account_id))
    await acting.tx.connection.execute(
        insert(totp_secrets).values(
            account_id=account_id, sealed=seal.close(account_id, secret), made_at_ms=acting.now_ms
        )
    )
    return secret


async def confirm_totp(acting: Acting, seal: Seal, code: str, outbox: Outbox) -> list[str]:
    """The program's first code: from now on signing in needs one. Return new recovery codes, if there were none.

    Raises Refused 422 for a wrong code, or where nothing was begun.
    """
    account_id = acting.actor_id
    if (await queries.factors_of(acting.tx, account_id)).totp or not await _use_totp(
        acting, account_id, code, seal
    ):
        raise wrong_code(status=422)
    await acting.tx.connection.execute(
        update(totp_secrets).where(totp_secrets.c.account_id == account_id).values(confirmed_at_ms=acting.now_ms)
    )
    await letters.tell(acting, outbox, account_id, "totp_on")
    return await first_recovery_codes(acting)


async def remove_totp(acting: Acting, outbox: Outbox) -> None:
    """Without codes from now on. Raises Refused 404 where there are none."""
    account_id = acting.actor_id
    removed = await acting.tx.connection.execute(
        delete(totp_secrets).where(totp_secrets.c.account_id == account_id)
    )
    if not removed.rowcount:
        raise Refused("not_found", "This account has no program for codes.", status=404)
    await forget_useless_codes(acting, account_id)
    await letters.tell(acting, outbox, account_id, "totp_off")


async def new_recovery_codes(acting: Acting, outbox: Outbox) -> list[str]:
    """Ten codes in place of those there were. Raises Refused 422 without a second factor to recover."""
    if not (await queries.factors_of(acting.tx, acting.actor_id)).any:
        raise Refused("no_second_factor", "Set up a second factor first.", status=422)
    await letters.tell(acting, outbox, acting.actor_id, "recovery_made")
    return await _replace_codes(acting, acting.actor_id)


async def first_recovery_codes(acting: Acting) -> list[str]:
    """With the first second factor; none where there are some."""
    if (await queries.factors_of(acting.tx, acting.actor_id)).recovery_codes:
        return []
    return await _replace_codes(acting, acting.actor_id)


async def use_code(acting: Acting, account_id: int, code: str, seal: Seal, outbox: Outbox) -> None:
    """Spend a code of the program, or a recovery code. Raises Refused 401 for a wrong one, or one that was used."""
    plain = codes.plain_code(code)
    if len(plain) == codes.DIGITS:
        confirmed = (await queries.factors_of(acting.tx, account_id)).totp
        if confirmed and await _use_totp(acting, account_id, plain, seal):
            return
        raise wrong_code()
    spent = await acting.tx.connection.execute(
        delete(recovery_codes).where(
            recovery_codes.c.account_id == account_id, recovery_codes.c.code_hash == digest(plain)
        )
    )
    if not spent.rowcount:
        raise wrong_code()
    await letters.tell(acting, outbox, account_id, "recovery_used")


async def make_off_link(acting: Acting, account_id: int) -> str:
    """The secret of a link by which somebody who knows the password takes away second factors that are lost.

    Raises Refused: 404 where there is no such account, 422 where it has none.
    """
    if await gate_queries.sanction_of(acting.tx, account_id) is None:
        raise Refused("not_found", "Account not found.", status=404)
    if not (await queries.factors_of(acting.tx, account_id)).any:
        raise Refused("no_second_factor", "This account has no second factor.", status=422)
    return await links.make(acting, Purpose.FACTORS_OFF, account_id)


async def use_off_link(acting: Acting, secret: str, account_id: int, outbox: Outbox) -> None:
    """Take away every second factor of the account, whose link this is. Raises Refused 403."""
    link = await links.use(acting, Purpose.FACTORS_OFF, secret)
    if link is None or link.account_id != account_id:
        raise Refused(
            "link_spent", "This link has been used or is too old. Ask this server's moderators for a new one."
        )
    await remove_all(acting, account_id)
    await letters.tell(acting, outbox, account_id, "factors_off")
    log.info("second_factor.taken_away_by_link", account=account_id)


async def remove_all(acting: Acting, account_id: int) -> None:
    for table in (totp_secrets, recovery_codes, passkeys):
        await acting.tx.connection.execute(delete(table).where(table.c.account_id == account_id))


async def forget_useless_codes(acting: Acting, account_id: int) -> None:
    """Recovery codes recover a second factor: without one they would be passwords that nobody knows of."""
    if not (await queries.factors_of(acting.tx, account_id)).any:
        await acting.tx.connection.execute(delete(recovery_codes).where(recovery_codes.c.account_id == account_id))


def wrong_code(status: int = 401) -> Refused:
    return Refused("wrong_code", "This code is wrong, or was used already. Wait for the next one.", status=status)


async def _use_totp(acting: Acting, account_id: int, code: str, seal: Seal) -> bool:
    row = (
        await acting.tx.connection.execute(select(totp_secrets).where(totp_secrets.c.account_id == account_id))
    ).first()
    secret = None if row is None else seal.open(account_id, row.sealed)
    if row is None or secret is None:
        return False
    step = codes.step_of(secret, codes.plain_code(code), acting.now_ms, row.last_step)
    if step is None:
        return False
    # Of two at once with the same code one is first.
    used = await acting.tx.connection.execute(
        update(totp_secrets)
        .where(totp_secrets.c.account_id == account_id, totp_secrets.c.last_step < step)
        .values(last_step=step)
    )
    return bool(used.rowcount)


async def _replace_codes(acting: Acting, account_id: int) -> list[str]:
    made = codes.new_recovery_codes()
    await acting.tx.connection.execute(delete(recovery_codes).where(recovery_codes.c.account_id == account_id))
    await acting.tx.connection.execute(
        insert(recovery_codes),
        [
            {"account_id": account_id, "code_hash": digest(codes.plain_code(code)), "made_at_ms": acting.now_ms}
            for code in made
        ],
    )
    return made
