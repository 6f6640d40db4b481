"""Writes of profiles. Each runs inside `Gate.act`."""

from collections.abc import Callable, Collection

import msgspec
from sqlalchemy import delete, select, update

from folkmoot.accounts.discovery.actions import learn_names
from folkmoot.accounts.profiles.model import Changes, PostingDefaults
from folkmoot.accounts.profiles.queries import defaults_of
from folkmoot.accounts.profiles.rules import account_columns, changed_defaults
from folkmoot.accounts.relations import following
from folkmoot.accounts.rules import fold
from folkmoot.gate import Acting
from folkmoot.storage.events import emit
from folkmoot.storage.tables.people import accounts
from folkmoot.storage.tables.relations import posting_defaults
from folkmoot.storage.upserts import insert_once

ACCOUNT_UPDATED = "account.updated"  # {"account": id}: how it looks to others


async def update_profile(acting: Acting, changes: Changes) -> None:
    """Change what is given. Who asked to follow an account that is no longer locked does. Raises Refused 422."""
    columns = account_columns(changes)
    before = await defaults_of(acting.tx, acting.actor_id)
    defaults = changed_defaults(before, changes)
    if columns:
        await _change_account(acting, columns)
    if defaults != before:
        await _keep(acting, defaults)


async def _change_account(acting: Acting, columns: dict[str, object]) -> None:
    own = accounts.c.id == acting.actor_id
    await acting.tx.connection.execute(update(accounts).where(own).values(columns))
    if "display_name" in columns:
        row = (await acting.tx.connection.execute(select(accounts).where(own))).one()
        await learn_names(acting, acting.actor_id, row.username, row.display_name)
    if columns.get("locked") is False:
        await following.authorize_all(acting)
    await emit(acting.tx, ACCOUNT_UPDATED, {"account": str(acting.actor_id)})


async def keep_mentioned(acting: Acting, names_in: Callable[[str], Collection[str]]) -> None:
    """Which accounts note and fields name is found out when they are written, not each time that they are shown.

    `names_in`: the usernames that a text mentions, whether or not somebody has them.
    """
    own = accounts.c.id == acting.actor_id
    row = (await acting.tx.connection.execute(select(accounts.c.note, accounts.c.fields).where(own))).one()
    folded = {fold(name) for text in (row.note, *(one["value"] for one in row.fields)) for name in names_in(text)}
    named = select(accounts.c.username).where(accounts.c.username_folded.in_(folded), accounts.c.host.is_(None))
    found = sorted((await acting.tx.connection.execute(named)).scalars()) if folded else []
    await acting.tx.connection.execute(update(accounts).where(own).values(mentioned=found))


async def _keep(acting: Acting, defaults: PostingDefaults) -> None:
    own = posting_defaults.c.account_id == acting.actor_id
    await acting.tx.connection.execute(delete(posting_defaults).where(own))
    await insert_once(acting.tx, posting_defaults, account_id=acting.actor_id, **msgspec.structs.asdict(defaults))
