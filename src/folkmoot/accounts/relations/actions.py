"""Writes of what one person decides about another: blocks, mutes, notes, endorsements, hosts that they block."""

from sqlalchemy import and_, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from folkmoot.accounts.relations.following import end, end_requests, no_account, not_oneself
from folkmoot.accounts.relations.rules import clean_note, mute_ends_at_ms
from folkmoot.gate import Acting, invalid
from folkmoot.gate.hosts import canonical
from folkmoot.storage.events import emit
from folkmoot.storage.tables.people import accounts, blocks, follow_requests, follows
from folkmoot.storage.tables.relations import account_notes, domain_blocks, endorsements, mutes
from folkmoot.storage.upserts import insert_once

ACCOUNT_BLOCKED = "account.blocked"  # {"account": id, "blocked": id}


async def block(acting: Acting, account_id: int) -> None:
    """Block an account, which ends follows and requests both ways. Raises Refused: 422 oneself, 404 no account."""
    not_oneself(acting, account_id, "block")
    await _require_account(acting, account_id)
    both = (acting.actor_id, account_id)
    await end(acting, and_(follows.c.follower_id.in_(both), follows.c.followee_id.in_(both)))
    await end_requests(
        acting, and_(follow_requests.c.follower_id.in_(both), follow_requests.c.followee_id.in_(both))
    )
    await insert_once(
        acting.tx, blocks, account_id=acting.actor_id, blocked_id=account_id, created_at_ms=acting.now_ms
    )
    await emit(acting.tx, ACCOUNT_BLOCKED, {"account": str(acting.actor_id), "blocked": str(account_id)})


async def unblock(acting: Acting, account_id: int) -> None:
    await acting.tx.connection.execute(
        delete(blocks).where(blocks.c.account_id == acting.actor_id, blocks.c.blocked_id == account_id)
    )


async def mute(
    acting: Acting, account_id: int, *, notifications: bool = True, duration_s: int | None = None
) -> None:
    """See no more of an account in timelines, nor (`notifications`) there, for a time or without end; a mute that
    there is becomes this one. Raises Refused: 422 oneself, or no duration; 404 no such account."""
    not_oneself(acting, account_id, "mute")
    until_ms = mute_ends_at_ms(acting.now_ms, duration_s)
    await _require_account(acting, account_id)
    chosen = {"notifications": notifications, "until_ms": until_ms}
    insert = (sqlite if acting.tx.is_sqlite else postgresql).insert(mutes)
    await acting.tx.connection.execute(
        insert.values(
            account_id=acting.actor_id, muted_id=account_id, created_at_ms=acting.now_ms, **chosen
        ).on_conflict_do_update(index_elements=["account_id", "muted_id"], set_=chosen)
    )


async def unmute(acting: Acting, account_id: int) -> None:
    await acting.tx.connection.execute(
        delete(mutes).where(mutes.c.account_id == acting.actor_id, mutes.c.muted_id == account_id)
    )


async def forget_mutes(acting: Acting) -> None:
    """Delete those that are over."""
    await acting.tx.connection.execute(delete(mutes).where(mutes.c.until_ms <= acting.now_ms))


async def take_note(acting: Acting, account_id: int, note: str) -> None:
    """Note something about an account, for oneself; nothing, to have no note. Raises Refused: 422 too long, 404."""
    clean = clean_note(note)
    await _require_account(acting, account_id)
    own = (account_notes.c.account_id == acting.actor_id) & (account_notes.c.about_id == account_id)
    await acting.tx.connection.execute(delete(account_notes).where(own))
    if clean:
        await insert_once(acting.tx, account_notes, account_id=acting.actor_id, about_id=account_id, note=clean)


async def endorse(acting: Acting, account_id: int) -> None:
    """Recommend on one's profile an account that one follows. Raises Refused 422 if one doesn't."""
    followed = select(follows.c.followee_id).where(
        follows.c.follower_id == acting.actor_id, follows.c.followee_id == account_id
    )
    if (await acting.tx.connection.execute(followed)).first() is None:
        raise invalid("You must be already following the person you want to endorse")
    await insert_once(
        acting.tx, endorsements, account_id=acting.actor_id, endorsed_id=account_id, created_at_ms=acting.now_ms
    )


async def withdraw_endorsement(acting: Acting, account_id: int) -> None:
    own = (endorsements.c.account_id == acting.actor_id) & (endorsements.c.endorsed_id == account_id)
    await acting.tx.connection.execute(delete(endorsements).where(own))


async def block_domain(acting: Acting, domain: str) -> None:
    """See no more of a host's people; those of them who follow one, or ask to, do no longer. Raises Refused 422."""
    host = canonical(domain)
    there = select(accounts.c.id).where(accounts.c.host == host)
    await end(acting, and_(follows.c.followee_id == acting.actor_id, follows.c.follower_id.in_(there)))
    own = follow_requests.c.followee_id == acting.actor_id
    await end_requests(acting, and_(own, follow_requests.c.follower_id.in_(there)))
    await insert_once(acting.tx, domain_blocks, id=acting.tx.new_id(), account_id=acting.actor_id, host=host)


async def unblock_domain(acting: Acting, domain: str) -> None:
    """Raises Refused 422 for what is no host's name."""
    own = domain_blocks.c.account_id == acting.actor_id
    this = domain_blocks.c.host == canonical(domain)
    await acting.tx.connection.execute(delete(domain_blocks).where(own & this))


async def _require_account(acting: Acting, account_id: int) -> None:
    found = await acting.tx.connection.execute(select(accounts.c.id).where(accounts.c.id == account_id))
    if found.first() is None:
        raise no_account()
