"""Decisions about Spaces and clips, for moderators: what was decided, removing, muting a Space, lifting that."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.params import JSONBody

from folkmoot.accounts import queries as accounts
from folkmoot.clips import queries as clips
from folkmoot.gate import Acting, Action, Kind, Permit, Refused, Serves, Standing, Subject, subjects
from folkmoot.moderation.clips.actions import lift_clip, remove_clip
from folkmoot.moderation.spaces.actions import lift_space, mute_space, remove_space
from folkmoot.spaces import queries as spaces
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon import present_admin
from folkmoot.surfaces.mastodon.admin_entities import Sanction
from folkmoot.surfaces.mastodon.paging import entity_id
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.security import NO_STORE
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.session import PATH
from folkmoot.surfaces.times import parse_time

SPACE = f"{PATH}/moderation/spaces/{{space_id:str}}"
CLIP = f"{PATH}/moderation/clips/{{clip_id:str}}"
_READ = serves(Serves.MODERATOR, Action.MODERATE, "admin:read:reports")
_WRITE = serves(Serves.MODERATOR, Action.MODERATE, "admin:write:reports")
Work = Callable[[Acting], Awaitable[object]]


class Moderated(msgspec.Struct):
    """How a Space or a clip stands, and all that was decided about it, the newest first. `title` is the Space's."""

    id: str
    title: str
    url: str
    standing: str
    reason: str
    until: str | None
    sanctions: list[Sanction]


class DecideSpace(msgspec.Struct, forbid_unknown_fields=True):
    """`until` (RFC 3339) only where it is muted. The reason is shown to everybody who comes to its page."""

    type: Literal["remove", "mute"]
    reason: str
    until: str | None = None


class LiftSpace(msgspec.Struct, forbid_unknown_fields=True):
    """Left out: whatever is strictest."""

    standing: Literal["removed", "muted"] | None = None


class RemoveClip(msgspec.Struct, forbid_unknown_fields=True):
    """The reason stands where the clip was."""

    reason: str


@get(SPACE, opt=_READ)
async def show_space(space_id: str, permit: Permit, services: Services) -> Response[Moderated]:
    """What was decided about one Space."""
    return await _space(services, permit, entity_id(space_id, "Space"))


@post(f"{SPACE}/action", opt=_WRITE, status_code=200)
async def decide_space(
    space_id: str, data: JSONBody[DecideSpace], permit: Permit, services: Services
) -> Response[Moderated]:
    """Remove a Space (it ends, and its page says why), or mute its stage for everybody, for a time."""
    id_ = entity_id(space_id, "Space")
    until_ms = parse_time(data.until, "until") if data.until else None
    if data.type == "remove" and until_ms is not None:
        raise Refused("no_end", "This holds until somebody decides otherwise: leave the end out.", status=422)

    async def work(acting: Acting) -> None:
        if data.type == "remove":
            await remove_space(acting, id_, reason=data.reason)
        else:
            await mute_space(acting, id_, reason=data.reason, until_ms=until_ms)

    await services.gate.act(permit, work)
    return await _space(services, permit, id_)


@post(f"{SPACE}/lift", opt=_WRITE, status_code=200)
async def lift_from_space(
    space_id: str, data: JSONBody[LiftSpace], permit: Permit, services: Services
) -> Response[Moderated]:
    """Lift what is on a Space: it has back whatever it had."""
    id_ = entity_id(space_id, "Space")
    standing = Standing(data.standing) if data.standing is not None else None
    await services.gate.act(permit, lambda acting: lift_space(acting, id_, standing))
    return await _space(services, permit, id_)


@get(CLIP, opt=_READ)
async def show_clip(clip_id: str, permit: Permit, services: Services) -> Response[Moderated]:
    """What was decided about one clip."""
    return await _clip(services, permit, entity_id(clip_id, "Clip"))


@post(f"{CLIP}/action", opt=_WRITE, status_code=200)
async def decide_clip(
    clip_id: str, data: JSONBody[RemoveClip], permit: Permit, services: Services
) -> Response[Moderated]:
    """Remove one clip: its post stays, with the reason in place of the sound."""
    id_ = entity_id(clip_id, "Clip")
    await services.gate.act(permit, lambda acting: remove_clip(acting, id_, reason=data.reason))
    return await _clip(services, permit, id_)


@post(f"{CLIP}/lift", opt=_WRITE, status_code=200)
async def lift_from_clip(clip_id: str, permit: Permit, services: Services) -> Response[Moderated]:
    """Bring a clip back as it was."""
    id_ = entity_id(clip_id, "Clip")
    await services.gate.act(permit, lambda acting: lift_clip(acting, id_))
    return await _clip(services, permit, id_)


async def _space(services: Services, permit: Permit, space_id: int) -> Response[Moderated]:
    async with services.database.read() as read:
        return await _shown(read, services, permit, Subject(Kind.SPACE, space_id), space_id)


async def _clip(services: Services, permit: Permit, clip_id: int) -> Response[Moderated]:
    async with services.database.read() as read:
        found = await clips.by_id(read, clip_id)
        if found is None:
            raise Refused("not_found", "Clip not found.", status=404)
        return await _shown(read, services, permit, Subject(Kind.CLIP, clip_id), found.space_id)


async def _shown(
    read: Read, services: Services, permit: Permit, subject: Subject, space_id: int
) -> Response[Moderated]:
    """A Space, or a clip of it."""
    found = await spaces.by_ids(read, [space_id])
    if not found:
        raise Refused("not_found", "Space not found.", status=404)
    (space,) = services.gate.admit_to_moderate(permit, found)
    history = await subjects.sanctions_about(read, subject)
    now = (await subjects.held(read, [subject]))[subject]
    deciders = {one for decided in history for one in (decided.decided_by, decided.lifted_by) if one is not None}
    named = await accounts.by_ids(read, sorted(deciders))
    names = {one.item.id: one for one in services.gate.admit_to_moderate(permit, named)}
    body = Moderated(
        id=str(subject.id),
        title=space.item.title,
        url=f"{services.site.base_url}/spaces/{space_id}",
        standing=now.standing.value,
        reason=now.reason,
        until=None if now.until_ms is None else timestamp(now.until_ms),
        sanctions=[present_admin.sanction(one, names) for one in history],
    )
    return Response(body, headers=NO_STORE)


HANDLERS: list[Any] = [show_space, decide_space, lift_from_space, show_clip, decide_clip, lift_from_clip]
