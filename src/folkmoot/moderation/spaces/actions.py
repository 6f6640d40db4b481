"""Decisions about Spaces. Each runs inside `Gate.act`, with a permit to moderate or one of the system."""

from collections.abc import Mapping

from folkmoot.gate import Acting, Kind, Refused, Standing, Subject, subjects
from folkmoot.gate.actions import impose_on, lift_from
from folkmoot.gate.model import Sanction
from folkmoot.moderation import actions as accounts
from folkmoot.moderation.actions import clean_text
from folkmoot.moderation.reports import actions as reports
from folkmoot.moderation.reports.model import Resolution
from folkmoot.moderation.spaces.model import Becomes, Fate
from folkmoot.spaces import actions as spaces
from folkmoot.spaces import commands as c
from folkmoot.spaces import queries
from folkmoot.spaces.model import EndReason, Role, Space, SpaceState


async def remove_space(acting: Acting, space_id: int, *, reason: str) -> Sanction:
    """Take a Space down: it ends if it is live, and nobody sees or hears anything of it until that is lifted.

    The reason is shown to whoever comes to its page. Raises Refused: no reason; 404 no such Space; one's own, or
    one of somebody above.
    """
    now = await impose_on(
        acting, Subject(Kind.SPACE, space_id), Standing.REMOVED, reason=clean_text(reason, "reason")
    )
    await end_if_live(acting, space_id, EndReason.REMOVED)
    await reports.resolve_about_space(acting, space_id, Resolution.REMOVED)
    return now


async def mute_space(acting: Acting, space_id: int, *, reason: str, until_ms: int | None = None) -> Sanction:
    """Silence a Space's stage for everybody, until a time (Unix ms) or until that is lifted. Nobody loses a seat.

    Raises Refused as `remove_space` does, and for an end that is not ahead or a Space that is over.
    """
    reason = clean_text(reason, "reason")
    space = await queries.by_id(acting.tx, space_id)
    if space is not None and space.state.terminal:
        raise Refused("ended", "This Space is over: there is nothing to mute.", status=422)
    now = await impose_on(acting, Subject(Kind.SPACE, space_id), Standing.MUTED, reason=reason, until_ms=until_ms)
    await spaces.tell_muted(acting, space_id)
    return now


async def lift_space(acting: Acting, space_id: int, standing: Standing | None = None) -> Sanction:
    """Lift everything of one kind from a Space, the strictest by default; return what holds now.

    Raises Refused: 404 no such Space; 422 where there is nothing of the kind; one's own, or one of somebody above.
    """
    subject = Subject(Kind.SPACE, space_id)
    held = [one for one in (await subjects.open_of(acting.tx, [subject]))[subject] if one.in_force(acting.now_ms)]
    kinds = {one.standing for one in held}
    wanted = standing or (Standing.REMOVED if Standing.REMOVED in kinds else Standing.MUTED)
    if wanted not in kinds:
        raise Refused("nothing_to_lift", "Nothing of the kind is on this Space.", status=422)
    now = await lift_from(acting, subject, [one for one in held if one.standing is wanted])
    await spaces.tell_muted(acting, space_id)
    return now


async def end_if_live(acting: Acting, space_id: int, reason: EndReason) -> None:
    """End a Space from outside. One that is not live stays as it is."""
    space = await queries.by_id(acting.tx, space_id)
    if space is not None and space.state is SpaceState.LIVE:
        await spaces.observe(acting, space_id, c.Stop(reason))


async def suspend_host(
    acting: Acting,
    account_id: int,
    *,
    reason: str,
    until_ms: int | None = None,
    fates: Mapping[int, Fate] | None = None,
) -> Sanction:
    """Suspend somebody, and say what becomes of each live Space that they host, by its id.

    Left out: it goes on with its co-hosts, and ends where there are none. One of theirs that ended or was handed
    over while the moderator read stays as it is. All of it happens, or nothing. Raises Refused as `suspend` does,
    and 422 where a Space can't become what is asked.
    """
    fates = fates or {}
    hosted = await queries.by_ids(acting.tx, await queries.live_ids_hosted_by(acting.tx, account_id))
    theirs = [one for one in await queries.by_ids(acting.tx, fates) if account_id in (one.host_id, one.creator_id)]
    strange = fates.keys() - {space.id for space in (*hosted, *theirs)}
    if strange:
        raise Refused("not_hosted", f"This account hosts no live Space {min(strange)}.", status=422)
    now = await accounts.suspend(acting, account_id, reason=reason, until_ms=until_ms)
    for each in hosted:
        space = await spaces.leave_out_lost(acting, each)
        await _become(acting, space, fates.get(space.id) or _default(space))
    return now


def _default(space: Space) -> Fate:
    return Fate(Becomes.GOES_ON if space.co_hosts else Becomes.ENDS)


async def _become(acting: Acting, space: Space, fate: Fate) -> None:
    if fate.becomes is Becomes.ENDS:
        await spaces.observe(acting, space.id, c.Stop(EndReason.HOST_SUSPENDED))
        return
    if fate.becomes is Becomes.GOES_ON and not space.co_hosts:
        sentence = "This Space has no co-host to go on with: hand it over, or end it."
        raise Refused("no_co_host", sentence, status=422)
    if fate.becomes is Becomes.HANDED_OVER:
        await _require_successor(acting, space, fate.to)
    order = c.StandingLost(space.host_id, successor=fate.to, suspended=True)
    await spaces.observe(acting, space.id, order)


async def _require_successor(acting: Acting, space: Space, account_id: int | None) -> None:
    if account_id is None:
        raise Refused("successor_missing", "Say to whom the Space is handed over.", status=422)
    known = (await queries.facts(acting.tx, space, [account_id])).about(account_id)
    if account_id == space.host_id or known is None:
        raise Refused("no_such_successor", "This account can't take part in anything: name another.", status=422)
    if space.member(account_id).role not in (Role.CO_HOST, Role.SPEAKER):
        raise Refused("not_on_stage", "Hand it over to a co-host, or to somebody on stage.", status=422)
