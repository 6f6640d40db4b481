"""Signing up past what is known of others, and what is remembered for that. Each runs inside `Gate.act`."""

from collections.abc import Collection, Sequence

from sqlalchemy import delete, insert, select, union_all, update
from sqlalchemy.dialects import postgresql, sqlite

from folkmoot.accounts import actions as accounts
from folkmoot.accounts import confirmation
from folkmoot.accounts.actions import NewAccount
from folkmoot.accounts.marks import Marks
from folkmoot.gate import Acting, Refused, Standing
from folkmoot.gate.actions import impose
from folkmoot.mail.outbox import Outbox
from folkmoot.moderation.evasion import mail, queries
from folkmoot.moderation.evasion.model import Arriving, Kind, Match
from folkmoot.moderation.evasion.rules import ADDRESSES_KEPT_MS, BROWSERS_KEPT_MS, HINTS_KEPT_MS, worth_a_look
from folkmoot.spaces.actions import SPACE_CHANGED
from folkmoot.spaces.model import SpaceState
from folkmoot.storage.events import emit
from folkmoot.storage.tables.joining import ignored_hints, signup_hints, space_visits, traces
from folkmoot.storage.tables.people import credentials
from folkmoot.storage.tables.posts import posts
from folkmoot.storage.tables.spaces import space_members, spaces
from folkmoot.storage.upserts import insert_new, insert_once

_FILLED_AT_ONCE = 500


async def sign_up(
    acting: Acting, new: NewAccount, arriving: Arriving, entry: accounts.Entry, *, held: bool = False
) -> int:
    """Make an account and return its id; it waits for a person where something asks for a look.

    `held`: for a reason of the caller's, such as the network it comes from. Raises Refused as `accounts.sign_up`
    does, and 422 for a mailbox or a domain of mail that is blocked.
    """
    is_owner = new.owner_secret is not None
    if new.email is not None and not is_owner:
        held = await mail.require_allowed(acting.tx, new.email, arriving.mailbox) or held
    found = [] if is_owner else worth_a_look(await queries.matches(acting.tx, arriving), acting.now_ms)
    account_id = await accounts.sign_up(acting, new, entry)
    await _remember_mailbox(acting, account_id, arriving)
    await remember(acting, account_id, arriving)
    if found:
        await _hint(acting, account_id, found)
    if (found or held) and not is_owner:
        await impose(acting, account_id, Standing.AWAITING_APPROVAL, reason=new.reason)
    return account_id


async def change_email(acting: Acting, email: str, mailbox: bytes, outbox: Outbox) -> None:
    """Give one's account another address (accounts/confirmation.py). Raises Refused 422 for one that is blocked."""
    await mail.require_allowed(acting.tx, email, mailbox)
    await confirmation.change(acting, email, mailbox, outbox)


async def remember(acting: Acting, account_id: int, arriving: Arriving) -> bool:
    """That the account was used from there, just now. Whether this browser is a new one beside others of it."""
    is_new = await queries.is_new_browser(acting.tx, account_id, arriving.browser)
    seen = [(Kind.ADDRESS, arriving.address)]
    if arriving.browser is not None:
        seen.append((Kind.BROWSER, arriving.browser))
    statement = (sqlite if acting.tx.is_sqlite else postgresql).insert(traces)
    await acting.tx.connection.execute(
        statement.on_conflict_do_update(
            index_elements=["account_id", "kind", "mark"], set_={"seen_at_ms": statement.excluded.seen_at_ms}
        ),
        [
            {"account_id": account_id, "kind": kind.value, "mark": mark, "seen_at_ms": acting.now_ms}
            for kind, mark in seen
        ],
    )
    return is_new


async def came(
    acting: Acting, *, space_id: int, account_ids: Collection[int], browsers: Collection[bytes] = ()
) -> bool:
    """Of those who came to listen to a Space, remember who was removed from it, who shares a browser with one of
    these, and by whose browser somebody came without an account: of them its hosts are told. Of the others nothing
    is kept. `browsers`: the marks of those who came without an account.

    True where it is news that somebody who was removed had come: then all others are to be compared anew.
    """
    were_removed = select(space_members.c.account_id).where(
        space_members.c.space_id == space_id, space_members.c.removed
    )
    removed = set((await acting.tx.connection.execute(were_removed)).scalars())
    if not removed:
        return False
    has_news = bool(await _visited(acting, space_id, sorted(removed.intersection(account_ids))))
    others = set(account_ids) - removed
    alike = [one.account_id for one in await queries.same_browsers(acting.tx, space_id, others)]
    signed_out = await queries.removed_by_browser(acting.tx, space_id, browsers) if browsers else []
    news = await _visited(acting, space_id, alike) + await _signed_out(acting, space_id, signed_out)
    if news:
        await _tell_hosts(acting, space_id, "came_back", news)
    return has_news


async def _visited(acting: Acting, space_id: int, account_ids: Sequence[int]) -> list[int]:
    """Those of them who were not known to have come."""
    visits = [
        {"space_id": space_id, "account_id": account_id, "came_at_ms": acting.now_ms} for account_id in account_ids
    ]
    return [row.account_id for row in await insert_new(acting.tx, space_visits, visits)]


async def _signed_out(acting: Acting, space_id: int, account_ids: Sequence[int]) -> list[int]:
    """Those of them of whom it was not known that a browser of theirs listens without an account."""
    if not account_ids:
        return []
    await _visited(acting, space_id, account_ids)
    noted = await acting.tx.connection.execute(
        update(space_visits)
        .where(
            space_visits.c.space_id == space_id,
            space_visits.c.account_id.in_(account_ids),
            space_visits.c.without_account_at_ms.is_(None),
        )
        .values(without_account_at_ms=acting.now_ms)
        .returning(space_visits.c.account_id)
    )
    return list(noted.scalars())


async def _tell_hosts(acting: Acting, space_id: int, change: str, account_ids: Sequence[int]) -> None:
    changes = [{"change": change, "account_id": str(account_id)} for account_id in account_ids]
    await emit(acting.tx, SPACE_CHANGED, {"space": str(space_id), "changes": changes})


async def ignore_in_space(acting: Acting, space_id: int, account_id: int) -> None:
    """Tell the hosts of a Space no more of what this account has in common with whom they removed.

    Raises Refused 404 for an account that has no part in the Space. Hosts only: the caller has looked.
    """
    near = [
        select(table.c.account_id).where(table.c.space_id == space_id, table.c.account_id == account_id)
        for table in (space_members, space_visits)
    ]
    near.append(
        select(posts.c.account_id)
        .join(spaces, spaces.c.announcement_post_id == posts.c.conversation_id)
        .where(spaces.c.id == space_id, posts.c.account_id == account_id)
    )
    if (await acting.tx.connection.execute(union_all(*near))).first() is None:
        raise Refused("not_found", "Account not found.", status=404)
    row = {"account_id": account_id, "ignored_by": acting.actor_id, "ignored_at_ms": acting.now_ms}
    await insert_once(acting.tx, ignored_hints, space_id=space_id, **row)
    await _tell_hosts(acting, space_id, "hint_ignored", [account_id])


async def forget_old(acting: Acting) -> None:
    """Delete traces and hints whose time is over, and who came back to Spaces that are."""
    execute, now_ms = acting.tx.connection.execute, acting.now_ms
    for kind, kept_ms in ((Kind.BROWSER, BROWSERS_KEPT_MS), (Kind.ADDRESS, ADDRESSES_KEPT_MS)):
        await execute(delete(traces).where(traces.c.kind == kind.value, traces.c.seen_at_ms <= now_ms - kept_ms))
    await execute(delete(signup_hints).where(signup_hints.c.made_at_ms <= now_ms - HINTS_KEPT_MS))
    over = [state.value for state in SpaceState if state.terminal]
    await execute(
        delete(space_visits).where(space_visits.c.space_id.in_(select(spaces.c.id).where(spaces.c.state.in_(over))))
    )


async def fill_mailboxes(acting: Acting, marks: Marks) -> int:
    """Mark the mailboxes of accounts that are older than the marks; return how many were done, 500 at most."""
    rows = (
        await acting.tx.connection.execute(
            select(credentials.c.account_id, credentials.c.email)
            .where(credentials.c.email.is_not(None), credentials.c.email_mark.is_(None))
            .limit(_FILLED_AT_ONCE)
        )
    ).all()
    for row in rows:
        await acting.tx.connection.execute(
            update(credentials)
            .where(credentials.c.account_id == row.account_id)
            .values(email_mark=marks.mailbox(row.email))
        )
    return len(rows)


async def _remember_mailbox(acting: Acting, account_id: int, arriving: Arriving) -> None:
    if arriving.mailbox is not None:
        await acting.tx.connection.execute(
            update(credentials).where(credentials.c.account_id == account_id).values(email_mark=arriving.mailbox)
        )


async def _hint(acting: Acting, account_id: int, found: list[Match]) -> None:
    await acting.tx.connection.execute(
        insert(signup_hints),
        [
            {
                "account_id": account_id,
                "other_id": match.account_id,
                "kind": match.kind.value,
                "seen_at_ms": match.seen_at_ms,
                "made_at_ms": acting.now_ms,
            }
            for match in found
        ],
    )
