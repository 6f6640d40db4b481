"""Writes of avatars and headers. Each runs inside `Gate.act`."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import null, select, update

from folkmoot.accounts.portraits.model import Portrait, Which
from folkmoot.accounts.profiles.actions import ACCOUNT_UPDATED
from folkmoot.gate import Acting
from folkmoot.storage.discarding import discard
from folkmoot.storage.events import emit
from folkmoot.storage.tables.people import accounts


async def change_portraits(acting: Acting, chosen: Mapping[Which, Portrait | None]) -> None:
    """Show the actor with these pictures from now on; None takes one away. Those before are deleted."""
    own = accounts.c.id == acting.actor_id
    former = (await acting.tx.connection.execute(select(accounts.c.avatar, accounts.c.header).where(own))).one()
    if not any(one is not None or getattr(former, which) is not None for which, one in chosen.items()):
        return
    written = {which: null() if one is None else msgspec.to_builtins(one) for which, one in chosen.items()}
    await acting.tx.connection.execute(update(accounts).where(own).values(written))
    for which in chosen:
        replaced = getattr(former, which)
        if replaced is not None:
            await discard(acting.tx, msgspec.convert(replaced, Portrait).keys)
    await emit(acting.tx, ACCOUNT_UPDATED, {"account": str(acting.actor_id)})
