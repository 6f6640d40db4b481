"""From ids of Spaces to their JSON for one viewer: find, load, admit, present, in a fixed number of statements."""

from collections.abc import Sequence

from folkmoot.accounts import queries as accounts
from folkmoot.gate import Action, Kind, Refused, Subject, Viewer, Visible, subjects
from folkmoot.recordings import queries as recordings
from folkmoot.recordings.model import Recording
from folkmoot.spaces import queries
from folkmoot.spaces.calls import call_key
from folkmoot.spaces.listening import require_not_removed
from folkmoot.spaces.model import Audience, EndReason, Facts, Space, SpaceState
from folkmoot.storage.database import Read
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces import present, schema

REDACTIONS_LISTED_MAX = 50
"""So many of each Space stand in a list; all of them where one Space is asked for."""


async def visible(read: Read, services: Services, viewer: Viewer, space_id: int) -> Visible[Space]:
    """One Space, or Refused 404: what the viewer may not see does not exist. 410, with the reason, where everybody
    who could see it is told that it is gone."""
    return await _admitted(read, services, viewer, await queries.by_id(read, space_id))


async def _admitted(read: Read, services: Services, viewer: Viewer, found: Space | None) -> Visible[Space]:
    try:
        return await services.gate.admit_one(read, viewer, found, "Space")
    except Refused:
        _say_if_ended_with_its_host(found)
        raise


def _say_if_ended_with_its_host(space: Space | None) -> None:
    """Everybody could hear it a moment ago: they are told why they can't. Raises Refused 410."""
    if space is not None and space.ended_reason is EndReason.HOST_SUSPENDED and space.audience is Audience.PUBLIC:
        sentence = "This Space has ended: its host was suspended by this server's moderators."
        raise Refused("host_suspended", sentence, status=410)


async def for_listening(
    read: Read, services: Services, viewer: Viewer, space_id: int, browser: bytes | None = None
) -> Visible[Space]:
    """The Space of which the viewer wants to hear something. Refused 404 as above, and 403 if removed.

    `browser`: the mark of theirs (surfaces/browser.py).
    """
    space = await queries.by_id(read, space_id)
    if space is not None and viewer.account_id is not None and space.member(viewer.account_id).removed:
        services.visits.note(space, viewer.account_id)  # also where they are told that there is no such Space
    found = await _admitted(read, services, viewer, space)
    require_not_removed(found.item, viewer.account_id)
    services.visits.note(found.item, viewer.account_id, browser)
    return found


async def people(
    read: Read, services: Services, viewer: Viewer, account_ids: Sequence[int] | set[int]
) -> present.People:
    """The accounts that the viewer may see, by id."""
    found = await accounts.by_ids(read, sorted(account_ids))
    return {seen.item.id: seen for seen in await services.gate.admit(read, viewer, found)}


async def to_moderate(read: Read, services: Services, viewer: Viewer, space_id: int) -> schema.Space:
    """One Space for a moderator, whoever may see it. Refused 404, and for who is no moderator."""
    permit = services.gate.permit(viewer, Action.MODERATE)
    found = await queries.by_ids(read, [space_id])
    if not found:
        raise _not_found()
    (admitted,) = services.gate.admit_to_moderate(permit, found)
    named = await accounts.by_ids(read, sorted(_shown(admitted.item)))
    known = {one.item.id: one for one in services.gate.admit_to_moderate(permit, named)}
    kept = services.gate.admit_to_moderate(permit, await recordings.of_spaces(read, found))
    return (await _present(read, services, viewer, [admitted], known, kept, redactions_max=None))[0]


async def present_all(
    read: Read,
    services: Services,
    viewer: Viewer,
    space_ids: Sequence[int],
    *,
    public: bool = False,
    redactions_max: int | None = REDACTIONS_LISTED_MAX,
) -> list[schema.Space]:
    """The Spaces that the viewer may see, in the order asked for. `public`: as a public list, in which not
    everybody stands whom the viewer may see elsewhere."""
    gate = services.gate
    found = await queries.by_ids(read, space_ids)
    admitted = await gate.admit(read, viewer, await gate.listed(read, found) if public else found)
    shown = {account_id for one in admitted for account_id in _shown(one.item)}
    known = await people(read, services, viewer, shown)
    kept = await recordings.of_spaces(read, [one.item for one in admitted if one.item.state.terminal])
    replays = await gate.admit(read, viewer, kept)
    return await _present(read, services, viewer, admitted, known, replays, redactions_max=redactions_max)


async def present_one(read: Read, services: Services, viewer: Viewer, space_id: int) -> schema.Space:
    """One Space, with all that was taken out of it, or Refused 404."""
    found = await present_all(read, services, viewer, [space_id], redactions_max=None)
    if not found:
        await visible(read, services, viewer, space_id)
        raise _not_found()
    return found[0]


async def _present(
    read: Read,
    services: Services,
    viewer: Viewer,
    admitted: Sequence[Visible[Space]],
    known: present.People,
    kept: Sequence[Visible[Recording]],
    *,
    redactions_max: int | None,
) -> list[schema.Space]:
    replays = {one.item.space.id: one for one in kept}
    ids = [one.item.id for one in admitted]
    taken_out = await recordings.redactions_of(read, ids, redactions_max)
    spoken = await queries.spoken_in(read, viewer.account_id, ids) if viewer.account_id is not None else set()
    decided = await subjects.held(read, [Subject(Kind.SPACE, id_) for id_ in ids])
    counts, estimated = services.listening.counts(), services.listening.estimated()
    return [
        present.space(
            one,
            known,
            replays.get(one.item.id),
            await _facts(read, viewer, one.item),
            taken_out[one.item.id],
            decided[Subject(Kind.SPACE, one.item.id)],
            has_spoken=one.item.id in spoken,
            call_key=_call_key(services, viewer, one.item),
            listeners=counts.get(one.item.id, 0),
            listeners_estimated=estimated.get(one.item.id, 0),
            reactions=services.stages.reactions(one.item.id),
            tape_full=services.stages.tape_full(one.item.id),
            site=services.site,
            now_ms=read.now_ms,
        )
        for one in admitted
        if one.item.host_id in known
    ]


def _not_found() -> Refused:
    return Refused("not_found", "Space not found.", status=404)


async def _facts(read: Read, viewer: Viewer, space: Space) -> Facts:
    if viewer.account_id is None or space.state.terminal:
        return Facts(accounts={})
    return await queries.facts(read, space, [viewer.account_id])


def _call_key(services: Services, viewer: Viewer, space: Space) -> str | None:
    if viewer.account_id is None or space.state is not SpaceState.LIVE:
        return None
    return call_key(services.ticket_key, space.id, viewer.account_id).hex()


def _shown(space: Space) -> set[int]:
    """Whose names a Space shows: its people, and nobody of whom it only remembers something."""
    named = {m.account_id for m in space.members.values() if m.on_stage or m.asking or m.role.commands}
    return named | {space.host_id}
