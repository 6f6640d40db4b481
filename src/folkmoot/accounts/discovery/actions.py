"""Writes of what people are found by, and of whom nobody has to be shown again."""

from sqlalchemy import delete, insert, select

from folkmoot.accounts.discovery.rules import words_of_account
from folkmoot.gate import Acting
from folkmoot.storage.tables.people import accounts
from folkmoot.storage.tables.relations import account_words, dismissed_suggestions
from folkmoot.storage.upserts import insert_once


async def learn_names(acting: Acting, account_id: int, username: str, display_name: str) -> None:
    """Have an account be found by these names, and no longer by those that it had."""
    await acting.tx.connection.execute(delete(account_words).where(account_words.c.account_id == account_id))
    rows = [{"account_id": account_id, "word": word} for word in words_of_account(username, display_name)]
    await acting.tx.connection.execute(insert(account_words), rows)


async def dismiss_suggestion(acting: Acting, account_id: int) -> None:
    """Be suggested an account no more. Raises nothing, also where there is none."""
    if (
        await acting.tx.connection.execute(select(accounts.c.id).where(accounts.c.id == account_id))
    ).first() is None:
        return
    await insert_once(
        acting.tx,
        dismissed_suggestions,
        account_id=acting.actor_id,
        dismissed_id=account_id,
        created_at_ms=acting.now_ms,
    )
