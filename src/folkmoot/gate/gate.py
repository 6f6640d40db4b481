"""The one gate: who somebody is, what they may see, what they may do, what may stay open.

Every surface asks here and nowhere else. Seeing: `admit` turns items into `Visible`. Acting: `permit` makes a
`Permit` from the viewer's standing, and `act` reads the standing again inside the write transaction. Staying:
`stamps` are what a ticket, a link or a lease carries.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from folkmoot.gate import queries, subjects
from folkmoot.gate.hosts import canonical
from folkmoot.gate.model import (
    ANONYMOUS,
    ROOM_ONLY,
    Action,
    Facts,
    Gated,
    Kind,
    Reach,
    Refused,
    Stamp,
    Standing,
    Subject,
    Viewer,
    account_subject,
    application_subject,
    token_subject,
)
from folkmoot.gate.standings import REASONS, TABLE, Shown, is_hidden, keeps, may
from folkmoot.gate.visible import _MAKER, Acting, Contact, Permit, Visible
from folkmoot.storage.database import Database, Read, Write, digest

Item = TypeVar("Item", bound=Gated)
Result = TypeVar("Result")


class Gate:
    """Wired once per process; holds nothing but the database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    # --- who ---

    async def identify(self, secret: str) -> Viewer:
        """The viewer that a bearer token or session stands for, as things are now.

        Raises Refused 401 (`invalid_token`) for a token that is unknown, expired, revoked, or older than its
        account's counter. A suspended account that signed in anew *is* identified: `permit` decides what it opens.
        What it signed in with ends with the suspension (401, `sign_in_anew`): a lift gives rights back, to who they
        are, and never widens a credential.
        """
        async with self.database.read() as read:
            return _identified(await queries.token(read, digest(secret)), read.now_ms)

    async def as_token(self, read: Read, token_id: int) -> Viewer:
        """Whom a token stands for now, for a job that was asked for with it. Raises Refused 401 as `identify`."""
        return _identified(await queries.token_by_id(read, token_id), read.now_ms)

    async def as_account(self, read: Read, account_id: int) -> Viewer:
        """An account as a viewer, for programs that act in its name (the command line, a job)."""
        standing = (await queries.standings_of(read, [account_id]))[account_id]
        counters = await queries.counters(read, [account_subject(account_id)])
        return Viewer(
            account_id=account_id,
            role=await queries.role_of(read, account_id),
            standing=standing,
            stamps=tuple(Stamp(subject, counter) for subject, counter in counters.items()),
        )

    # --- acting ---

    def permit(self, viewer: Viewer, action: Action) -> Permit:
        """Permit an action, or raise Refused with the reason and the way out."""
        if viewer.account_id is None:
            raise Refused("sign_in_first", "Sign in first.", status=401)
        _require(viewer.standing, viewer, action)
        return Permit(viewer, action, "account", _MAKER)

    def permit_system(self, action: Action, by: str) -> Permit:
        """A permit for the system itself (`by` says which part): holds that run out, the command line."""
        return Permit(ANONYMOUS, action, by, _MAKER)

    async def act(self, permit: Permit, work: Callable[[Acting], Awaitable[Result]]) -> Result:
        """Run `work` in one write transaction, in which the actor's standing and role are first read again.

        `work` sees them as they are now, not as the request found them.
        """

        async def inside(tx: Write) -> Result:
            viewer = await _confirm(tx, permit) if permit.viewer.account_id is not None else permit.viewer
            return await work(Acting(tx, Permit(viewer, permit.action, permit.by, _MAKER), _MAKER))

        return await self.database.write(inside)

    # --- seeing ---

    async def admit(self, read: Read, viewer: Viewer, items: Sequence[Item]) -> list[Visible[Item]]:
        """The items that the viewer may see, in order; the others are absent. Two statements a batch."""
        seen = await self._decide(read, viewer, items)
        return [
            Visible(item, viewer, _MAKER, is_open=shown is Shown.EVERYONE)
            for item, shown in zip(items, seen, strict=True)
            if shown is not Shown.NOBODY
        ]

    async def admit_each(
        self, read: Read, viewers: Sequence[Viewer], items: Sequence[Item]
    ) -> list[tuple[list[Viewer], list[Visible[Item]]]]:
        """What each of many viewers may see of a few items; those to whom that is the same things are together, so
        that what is made of it is made once. A bounded number of statements, however many they are.

        `Visible.viewer` is the first of them: whoever makes something that is a viewer's own (signs a link) asks
        for one viewer at a time.
        """
        facts = [item.gate_facts() for item in items]
        standings, hidden = await _stand(read, facts)
        owners = {owner for fact in facts for owner in fact.owner_ids}
        known = await queries.relations_of_many(read, [viewer.id for viewer in viewers], owners)
        named = owners.union(*(fact.named_ids | fact.barred_ids for fact in facts))
        alike: dict[Any, list[Viewer]] = {}
        found: dict[Any, queries.Relations] = {}
        for viewer in viewers:
            relations = known.get(viewer.id, _NO_RELATIONS)
            key = (id(relations), viewer.id if viewer.id in named else None, viewer.standing)
            alike.setdefault(key, []).append(viewer)
            found[key] = relations
        return [
            (
                those,
                [
                    Visible(item, those[0], _MAKER, is_open=_owners_shown(fact, standings) is Shown.EVERYONE)
                    for item, fact in zip(items, facts, strict=True)
                    if _opens(those[0])
                    and hidden.isdisjoint(fact.subjects)
                    and _sees(those[0], fact, standings, found[key])
                ],
            )
            for key, those in alike.items()
        ]

    async def admit_one(self, read: Read, viewer: Viewer, item: Item | None, what: str) -> Visible[Item]:
        """One item, or Refused 404: what may not be seen does not exist."""
        admitted = await self.admit(read, viewer, [item]) if item is not None else []
        if not admitted:
            raise await self._tombstone(read, viewer, item) or Refused(
                "not_found", f"{what} not found.", status=404
            )
        return admitted[0]

    async def _tombstone(self, read: Read, viewer: Viewer, item: Gated | None) -> Refused | None:
        """What is said, with the reason, to who would see a thing if it had not been removed."""
        facts = item.gate_facts() if item is not None else None
        if facts is None or not facts.subjects:
            return None
        (seen,) = await self._decide(read, viewer, [_Bare(msgspec.structs.replace(facts, subjects=()))])
        if seen is Shown.NOBODY:
            return None
        now = await subjects.held(read, facts.subjects)
        return next(
            (
                subjects.refusal(one.kind, now[one])
                for one in facts.subjects
                if is_hidden(one.kind, now[one].standing)
            ),
            None,
        )

    def admit_to_moderate(self, permit: Permit, items: Sequence[Item]) -> list[Visible[Item]]:
        """All of the items, whoever published them and however they stand: what moderators have to judge.

        Raises Refused without a permit to moderate.
        """
        if permit.action is not Action.MODERATE:
            raise Refused("not_permitted", "This needs a permit to moderate.")
        return [Visible(item, permit.viewer, _MAKER) for item in items]

    async def listed(self, read: Read, items: Sequence[Item]) -> list[Item]:
        """What may stand in a public list, whoever reads it: whose owners are shown to everybody. One statement.

        A list is admitted afterwards like anything else.
        """
        facts = [item.gate_facts() for item in items]
        standings, hidden = await _stand(read, facts)
        return [
            item
            for item, fact in zip(items, facts, strict=True)
            if _owners_shown(fact, standings) is Shown.EVERYONE and hidden.isdisjoint(fact.subjects)
        ]

    async def admit_to_export(self, read: Read, permit: Permit, items: Sequence[Item]) -> list[Visible[Item]]:
        """What goes into somebody's own data: what is theirs, and of others what they would see in good standing.

        Raises Refused without a permit to export.
        """
        if permit.action is not Action.EXPORT:
            raise Refused("not_permitted", "This needs a permit to export.")
        viewer = msgspec.structs.replace(permit.viewer, standing=Standing.ACTIVE)
        seen = await self._decide(read, viewer, items)
        return [
            Visible(item, permit.viewer, _MAKER)
            for item, shown in zip(items, seen, strict=True)
            if shown is not Shown.NOBODY or viewer.account_id in item.gate_facts().owner_ids
        ]

    async def admit_blocked(self, read: Read, viewer: Viewer, items: Sequence[Item]) -> list[Visible[Item]]:
        """As if neither blocked the other: for the lists where the viewer takes back what they decided about
        somebody, and for reports, which whoever insults and then blocks must not prevent."""
        seen = await self._decide(read, viewer, items, despite_blocks=True)
        return [
            Visible(item, viewer, _MAKER, is_open=shown is Shown.EVERYONE)
            for item, shown in zip(items, seen, strict=True)
            if shown is not Shown.NOBODY
        ]

    async def _decide(
        self, read: Read, viewer: Viewer, items: Sequence[Item], *, despite_blocks: bool = False
    ) -> list[Shown]:
        """To whom the owners of each thing are shown; NOBODY where the viewer may not see it."""
        if not _opens(viewer):
            return [Shown.NOBODY] * len(items)
        facts = [item.gate_facts() for item in items]
        owners = {owner for fact in facts for owner in fact.owner_ids}
        standings, hidden = await _stand(read, facts)
        relations = (
            await queries.relations(read, viewer.account_id, owners)
            if viewer.account_id is not None and owners
            else queries.Relations()
        )
        if despite_blocks:
            relations = msgspec.structs.replace(relations, blocked=frozenset())
        return [
            _owners_shown(fact, standings)
            if hidden.isdisjoint(fact.subjects) and _sees(viewer, fact, standings, relations)
            else Shown.NOBODY
            for fact in facts
        ]

    # --- other networks ---

    async def contact(self, read: Read, host: str) -> Contact:
        """A host of another network, by its name as somebody wrote it. Raises Refused: 422 for what is no host's
        name, 404 for one with which moderators let nobody deal."""
        name = canonical(host)
        now = (await subjects.hosts_held(read, [name]))[name]
        if not keeps(Kind.HOST, now.standing, Action.READ):
            raise Refused("host_suspended", subjects.sentence(Kind.HOST, now), status=404)
        return Contact(name, now.standing, _MAKER)

    # --- staying ---

    async def stamps(self, read: Read, viewer: Viewer, besides: Iterable[str] = ()) -> tuple[Stamp, ...]:
        """The stamps of something that the viewer is about to hold: their own and those of the subjects `besides`.

        The viewer's own are those their credential was checked under, so that what happened since ends it.
        """
        counters = await queries.counters(read, list(besides))
        return viewer.stamps + tuple(Stamp(subject, counter) for subject, counter in counters.items())

    async def check(self, read: Read, stamps: Sequence[Stamp]) -> None:
        """Whether what was granted under these stamps (a ticket, a signed link) still holds.

        Raises Refused (`revoked`) if not. A `LeaseBook` knows only what it heard: what comes back from outside is
        checked here first, also after every process was restarted.
        """
        if _is_stale(stamps, await queries.counters(read, [stamp.subject for stamp in stamps])):
            raise Refused("revoked", "The right to this has ended.")


class _Bare(msgspec.Struct, frozen=True):
    """A thing as it would be judged if nothing had been decided about it."""

    facts: Facts

    def gate_facts(self) -> Facts:
        return self.facts


async def _stand(read: Read, facts: Sequence[Facts]) -> tuple[dict[int, Standing], frozenset[Subject]]:
    """How the owners of some things stand, and which Spaces and clips behind them are shown to nobody. One
    statement."""
    owners = {owner for fact in facts for owner in fact.owner_ids}
    standings, now = await queries.stand(read, owners, {subject for fact in facts for subject in fact.subjects})
    return standings, frozenset(thing for thing, standing in now.items() if is_hidden(thing.kind, standing))


def shown_to_others(standing: Standing) -> bool:
    """Whether what an account of this standing published is shown to anybody at all."""
    return TABLE[standing].shown is not Shown.NOBODY


_NO_RELATIONS = queries.Relations()


def _opens(viewer: Viewer) -> bool:
    return viewer.account_id is None or Action.READ in TABLE[viewer.standing].actions


def _owners_shown(facts: Facts, standings: dict[int, Standing]) -> Shown:
    """Of a thing that is seen: whether all its owners are shown to everybody."""
    for owner in facts.owner_ids:
        if TABLE[standings[owner]].shown is not Shown.EVERYONE:
            return Shown.FOLLOWERS
    return Shown.EVERYONE


def _sees(viewer: Viewer, facts: Facts, standings: dict[int, Standing], relations: queries.Relations) -> bool:
    if viewer.account_id is not None and viewer.account_id in facts.barred_ids:
        return False
    for owner in facts.owner_ids:  # a page asks for fifty things: loops, for each generator costs what it says
        if not _owner_is_shown(viewer, owner, standings[owner], relations):
            return False
    return _reaches(viewer, facts, relations)


def _owner_is_shown(viewer: Viewer, owner: int, standing: Standing, relations: queries.Relations) -> bool:
    if owner == viewer.account_id:
        return True
    if owner in relations.blocked:
        return False
    shown = TABLE[standing].shown
    return shown is Shown.EVERYONE or (shown is Shown.FOLLOWERS and owner in relations.follows)


def _reaches(viewer: Viewer, facts: Facts, relations: queries.Relations) -> bool:
    if facts.reach in (Reach.PUBLIC, Reach.UNLISTED):
        return True
    if viewer.account_id is None:
        return False
    first = facts.owner_ids[0]
    # Who is only quoted in it is no reader of it by that.
    if viewer.account_id == first or viewer.account_id in facts.named_ids:
        return True
    return (facts.reach is Reach.FOLLOWERS and first in relations.follows) or (
        facts.reach is Reach.FOLLOWED and first in relations.followed_by
    )


def _identified(row: queries.TokenRow | None, now_ms: int) -> Viewer:
    if row is None or (row.expires_at_ms is not None and row.expires_at_ms <= now_ms):
        raise _invalid_token()
    made_under: tuple[Stamp, ...] = (Stamp(token_subject(row.id), 0),)
    if row.account_id is not None:
        made_under += (Stamp(account_subject(row.account_id), row.account_counter),)
    if row.application_id is not None:
        # Its tokens are deleted when it is stopped: what is open by them now hangs on the counter as it is.
        subject = application_subject(row.application_id)
        made_under += (Stamp(subject, row.counters[subject]),)
    if _is_stale(made_under, row.counters):
        raise _invalid_token()
    scopes = frozenset(row.scopes.split())
    if ROOM_ONLY in scopes and Action.READ in TABLE[row.standing].actions:
        raise Refused("sign_in_anew", "Your account is open again. Sign in anew.", status=401)
    return Viewer(
        account_id=row.account_id,
        role=row.role,
        standing=row.standing,
        scopes=scopes,
        token_id=row.id,
        application_id=row.application_id,
        stamps=made_under,
        expires_at_ms=row.expires_at_ms,
    )


async def _confirm(tx: Write, permit: Permit) -> Viewer:
    """Inside the transaction: the viewer as things are now. Raises Refused if the permit would not be given now."""
    viewer = msgspec.structs.replace(
        permit.viewer,
        standing=(await queries.standings_of(tx, [permit.viewer.id]))[permit.viewer.id],
        role=await queries.role_of(tx, permit.viewer.id),
    )
    if _is_stale(viewer.stamps, await queries.counters(tx, [stamp.subject for stamp in viewer.stamps])):
        raise _invalid_token()
    _require(viewer.standing, viewer, permit.action)
    return viewer


def _is_stale(stamps: Iterable[Stamp], counters: Mapping[str, int]) -> bool:
    return any(counters[stamp.subject] > stamp.counter for stamp in stamps)


def _require(standing: Standing, viewer: Viewer, action: Action) -> None:
    if may(standing, viewer.role, action):
        return
    if action is Action.MODERATE and action in TABLE[standing].actions:
        raise Refused("not_a_moderator", "Only moderators can do that.")
    raise Refused(standing.value, REASONS.get(standing, "This account may not do that."))


def _invalid_token() -> Refused:
    return Refused("invalid_token", "The access token is invalid", status=401)
