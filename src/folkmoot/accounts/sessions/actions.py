"""Ending sessions, naming them, and the days on which they were used. Each runs inside `Gate.act`."""

from collections.abc import Collection

from sqlalchemy import delete, or_, select, update

from folkmoot.gate import Acting, Refused
from folkmoot.gate.actions import revoke
from folkmoot.gate.model import token_subject
from folkmoot.storage.database import digest
from folkmoot.storage.tables.credentials import authorization_codes, tokens

DAY_MS = 86_400_000


async def end(acting: Acting, token_id: int) -> None:
    """Sign one of one's own browsers or programs out, and end what it holds open. Raises Refused 404."""
    found = await acting.tx.connection.execute(
        delete(tokens).where(tokens.c.id == token_id, tokens.c.account_id == acting.actor_id)
    )
    if not found.rowcount:
        raise Refused("not_found", "There is no such session.", status=404)
    await revoke(acting, token_subject(token_id))


async def end_others(acting: Acting) -> int:
    """Sign out everything but what asks; return how many. Codes that nobody has exchanged are void, too."""
    mine = tokens.c.account_id == acting.actor_id
    others = select(tokens.c.id).where(mine, tokens.c.id != acting.viewer.token_id)
    ended = list((await acting.tx.connection.execute(others)).scalars())
    await acting.tx.connection.execute(delete(tokens).where(mine, tokens.c.id != acting.viewer.token_id))
    await acting.tx.connection.execute(
        delete(authorization_codes).where(authorization_codes.c.account_id == acting.actor_id)
    )
    for token_id in ended:
        await revoke(acting, token_subject(token_id))
    return len(ended)


async def name(acting: Acting, secret: str, called: str) -> None:
    """What a new session is called where its owner looks at the list."""
    await acting.tx.connection.execute(
        update(tokens)
        .where(tokens.c.token_hash == digest(secret))
        .values(name=called, used_at_ms=acting.now_ms - acting.now_ms % DAY_MS)
    )


async def were_used(acting: Acting, token_ids: Collection[int]) -> None:
    """That these were used today: one write a day for each, whatever is done with it."""
    today_ms = acting.now_ms - acting.now_ms % DAY_MS
    is_older = or_(tokens.c.used_at_ms.is_(None), tokens.c.used_at_ms < today_ms)
    await acting.tx.connection.execute(
        update(tokens).where(tokens.c.id.in_(token_ids), is_older).values(used_at_ms=today_ms)
    )
