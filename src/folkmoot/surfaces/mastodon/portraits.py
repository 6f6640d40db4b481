"""Avatars and headers: as they come in with a profile, how they are taken away, and where they are fetched from.

https://docs.joinmastodon.org/methods/profile/
"""

import re
from typing import Any

from litestar import Request, Response, delete, get

from folkmoot.accounts import queries
from folkmoot.accounts.portraits.actions import change_portraits
from folkmoot.accounts.portraits.model import Portrait, Which, folder_of
from folkmoot.gate import Action, Permit, Refused, Serves, Viewer, invalid
from folkmoot.media.model import Purpose
from folkmoot.surfaces import uploads
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.limits import Limits
from folkmoot.surfaces.mastodon import entities, media_files, present
from folkmoot.surfaces.mastodon.own_account import own_account
from folkmoot.surfaces.mastodon.paging import entity_id
from folkmoot.surfaces.services import Services

# Anybody may see most of them, and what is at an address never changes: a page of posts doesn't ask again for each
# author. Whoever is suspended or limited is gone from such caches within this time.
CACHED = "public, max-age=300"
_NAME = re.compile(r"(?P<which>avatar|header)-(?P<version>[0-9]{1,19})(?P<still>-static)?\.(?P<extension>[a-z]+)")
_PURPOSES: dict[Which, Purpose] = {"avatar": Purpose.AVATAR, "header": Purpose.HEADER}
_EDIT = serves(Serves.SIGNED_IN, Action.EDIT_PROFILE, "write:accounts")


async def taken(
    services: Services, limits: Limits, viewer: Viewer, sent: dict[Which, Any]
) -> dict[Which, Portrait | None]:
    """The pictures in a form, processed and stored. Raises Refused 422 for what is no picture."""
    chosen: dict[Which, Portrait | None] = {}
    for which, value in sent.items():
        upload = uploads.sent_file(value)
        if upload is not None:
            limits.upload(viewer.id)
            version = services.database.ids.next()
            folder = folder_of(viewer.id, which, version)
            made = await uploads.picture(services, upload, _PURPOSES[which], folder)
            chosen[which] = Portrait(version, made.original, made.small)
        elif value and isinstance(value, str):
            raise invalid(f"{which.capitalize()} is a picture, sent as a file of a form")
    return chosen


@get(f"{present.PORTRAITS}/{{account_id:str}}/{{name:str}}", opt=serves(Serves.ANYONE))
async def fetch_portrait(
    request: Request[Any, Any, Any], account_id: str, name: str, viewer: Viewer, services: Services
) -> media_files.Bytes:
    """An avatar or a header; of a limited account for its followers, who ask as themselves. Apps ask as nobody, and
    are sent to the picture of those without one: the same of whoever isn't shown, or isn't there."""
    named = _NAME.fullmatch(name)
    if named is None:
        raise _not_found()
    async with services.database.read() as read:
        found = await queries.by_ids(read, [entity_id(account_id)])
        admitted = await services.gate.admit(read, viewer, found)
    if not admitted:
        return _default(services, named["which"])
    (visible,) = admitted
    portrait = visible.item.avatar if named["which"] == "avatar" else visible.item.header
    if portrait is None or portrait.version != int(named["version"]):
        raise _not_found()
    cached = CACHED if visible.is_open else media_files.FOR_THE_VIEWER
    stored = (portrait.still or portrait.original) if named["still"] else portrait.original
    return await media_files.send(request, services.objects, stored, name, cached)


@delete("/api/v1/profile/avatar", opt=_EDIT, status_code=200)
async def delete_avatar(permit: Permit, services: Services) -> entities.CredentialAccount:
    """Show no avatar of one's own any more."""
    await services.gate.act(permit, lambda acting: change_portraits(acting, {"avatar": None}))
    return await own_account(services, permit.viewer)


@delete("/api/v1/profile/header", opt=_EDIT, status_code=200)
async def delete_header(permit: Permit, services: Services) -> entities.CredentialAccount:
    """Show no header of one's own any more."""
    await services.gate.act(permit, lambda acting: change_portraits(acting, {"header": None}))
    return await own_account(services, permit.viewer)


def _default(services: Services, which: str) -> Response[bytes]:
    address = services.site.base_url + (present.AVATAR_PATH if which == "avatar" else present.HEADER_PATH)
    return Response(b"", status_code=302, headers={"Location": address, "Cache-Control": "private, no-cache"})


def _not_found() -> Refused:
    return Refused("not_found", "Picture not found.", status=404)


HANDLERS: list[Any] = [fetch_portrait, delete_avatar, delete_header]
