"""Writes of lists."""

from collections.abc import Collection

from msgspec.structs import replace
from sqlalchemy import delete, func, insert, select, update

from folkmoot.gate import Acting, Refused, invalid
from folkmoot.storage.events import emit
from folkmoot.storage.tables.people import follows
from folkmoot.storage.tables.reading import list_members, lists
from folkmoot.timelines.lists import queries
from folkmoot.timelines.lists.model import List, RepliesPolicy
from folkmoot.timelines.lists.rules import LISTS_MAX, MEMBERS_MAX, clean_title

LIST_CHANGED = "list.changed"
"""{account, list}: who is in it or how it is read is different, or it is gone."""


async def create(acting: Acting, title: str, policy: RepliesPolicy, *, exclusive: bool) -> List:
    """Make a list with nobody in it. Raises Refused 422."""
    made = List(acting.tx.new_id(), acting.actor_id, clean_title(title), policy, exclusive)
    own = select(func.count()).where(lists.c.account_id == acting.actor_id)
    if (await acting.tx.connection.execute(own)).scalar_one() >= LISTS_MAX:
        raise invalid("You have reached the maximum number of lists")
    await acting.tx.connection.execute(
        insert(lists).values(
            id=made.id,
            account_id=made.account_id,
            title=made.title,
            replies_policy=made.replies_policy.value,
            exclusive=made.exclusive,
        )
    )
    return made


async def change(
    acting: Acting,
    list_id: int,
    *,
    title: str | None = None,
    policy: RepliesPolicy | None = None,
    exclusive: bool | None = None,
) -> List:
    """Change what is given. Raises Refused 404, 422."""
    before = await _own(acting, list_id)
    changed = replace(
        before,
        title=before.title if title is None else clean_title(title),
        replies_policy=policy or before.replies_policy,
        exclusive=before.exclusive if exclusive is None else exclusive,
    )
    await acting.tx.connection.execute(
        update(lists)
        .where(lists.c.id == list_id)
        .values(title=changed.title, replies_policy=changed.replies_policy.value, exclusive=changed.exclusive)
    )
    await _tell(acting, list_id)
    return changed


async def remove(acting: Acting, list_id: int) -> None:
    """Raises Refused 404."""
    await _own(acting, list_id)
    await acting.tx.connection.execute(delete(lists).where(lists.c.id == list_id))
    await _tell(acting, list_id)


async def add(acting: Acting, list_id: int, account_ids: Collection[int]) -> None:
    """Put accounts into a list: all of them or, refused, none. Raises Refused 404: no such list, or somebody whom
    the actor doesn't follow; 422: somebody who is in it already, or too many."""
    await _own(acting, list_id)
    wanted = set(account_ids)
    following = select(follows.c.followee_id).where(
        follows.c.follower_id == acting.actor_id, follows.c.followee_id.in_(wanted)
    )
    followed = set((await acting.tx.connection.execute(following)).scalars())
    if wanted - followed - {acting.actor_id}:
        raise Refused("not_found", "You don't follow one of these accounts: follow it first.", status=404)
    held = select(list_members.c.account_id).where(list_members.c.list_id == list_id)
    members = set((await acting.tx.connection.execute(held)).scalars())
    if members & wanted:
        raise invalid("Account has already been taken")
    if len(members | wanted) > MEMBERS_MAX:
        raise invalid(f"A list holds at most {MEMBERS_MAX} accounts")
    rows = [
        {"list_id": list_id, "account_id": id_, "follower_id": acting.actor_id if id_ in followed else None}
        for id_ in wanted
    ]
    if rows:
        await acting.tx.connection.execute(insert(list_members), rows)
        await _tell(acting, list_id)


async def take_out(acting: Acting, list_id: int, account_ids: Collection[int]) -> None:
    """Take accounts out of a list, as far as they are in it. Raises Refused 404."""
    await _own(acting, list_id)
    these = (list_members.c.list_id == list_id) & list_members.c.account_id.in_(set(account_ids))
    await acting.tx.connection.execute(delete(list_members).where(these))
    await _tell(acting, list_id)


async def _own(acting: Acting, list_id: int) -> List:
    found = await queries.by_id(acting.tx, acting.actor_id, list_id)
    if found is None:
        raise Refused("not_found", "Record not found", status=404)
    return found


async def _tell(acting: Acting, list_id: int) -> None:
    await emit(acting.tx, LIST_CHANGED, {"account": str(acting.actor_id), "list": str(list_id)})
