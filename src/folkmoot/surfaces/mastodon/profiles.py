"""One's own account: what it says of one, and what one chose for new posts.

https://docs.joinmastodon.org/methods/accounts/#update_credentials and /methods/preferences/
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, get, patch

from folkmoot.accounts.model import Field
from folkmoot.accounts.oauth.rules import covers
from folkmoot.accounts.portraits.actions import change_portraits
from folkmoot.accounts.portraits.model import Portrait, Which
from folkmoot.accounts.profiles.actions import keep_mentioned, update_profile
from folkmoot.accounts.profiles.model import Changes
from folkmoot.accounts.profiles.queries import defaults_of
from folkmoot.gate import Acting, Action, Gate, Permit, Refused, Serves, Viewer
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.limits import Limits
from folkmoot.surfaces.mastodon import entities
from folkmoot.surfaces.mastodon.accounts import PATH
from folkmoot.surfaces.mastodon.own_account import own_account
from folkmoot.surfaces.mastodon.portraits import taken
from folkmoot.surfaces.mastodon.profile_text import names_in
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.uploads import PICTURES_BYTES_MAX, FileSent


class FieldSent(msgspec.Struct):
    """A row of a profile's table; both empty is none."""

    name: str = ""
    value: str = ""


class SourceSent(msgspec.Struct):
    """What new posts are by default."""

    privacy: str | None = None
    sensitive: bool | None = None
    language: str | None = None
    quote_policy: str | None = None


class UpdateCredentials(msgspec.Struct):
    """What a profile can hold; other fields that clients send are left alone."""

    display_name: str | None = None
    note: str | None = None
    locked: bool | None = None
    bot: bool | None = None
    discoverable: bool | None = None
    indexable: bool | None = None
    hide_collections: bool | None = None
    fields_attributes: list[FieldSent] | dict[str, FieldSent] | None = None
    source: SourceSent | None = None
    avatar: FileSent = None
    header: FileSent = None


@get(f"{PATH}/verify_credentials", opt=serves(Serves.SIGNED_IN))
async def verify_credentials(viewer: Viewer, services: Services) -> entities.CredentialAccount:
    """One's own account. The scopes `read`, `read:accounts` and `profile` all open it."""
    if not covers(viewer.scopes, "read:accounts") and not covers(viewer.scopes, "profile"):
        raise Refused("insufficient_scope", "This action is outside the authorized scopes")
    return await own_account(services, viewer)


@patch(
    f"{PATH}/update_credentials",
    opt=serves(Serves.SIGNED_IN, Action.EDIT_PROFILE, "write:accounts"),
    request_max_body_size=PICTURES_BYTES_MAX,
)
async def update_credentials(
    request: Request[Any, Any, Any], permit: Permit, services: Services, gate: Gate, limits: Limits
) -> entities.CredentialAccount:
    """Change one's profile, its flags, and what new posts are by default. Unlocking lets in everybody who asked."""
    asked = await parse(request, UpdateCredentials)
    changes = _changes(asked)
    chosen = await taken(services, limits, permit.viewer, {"avatar": asked.avatar, "header": asked.header})
    await gate.act(permit, lambda acting: _update(acting, changes, chosen))
    return await own_account(services, permit.viewer)


@get("/api/v1/preferences", opt=serves(Serves.SIGNED_IN, scope="read:accounts"))
async def preferences(viewer: Viewer, services: Services) -> dict[str, Any]:
    """What new posts are by default, as one chose it (`source` of one's account); how to read is the client's."""
    async with services.database.read() as read:
        chosen = await defaults_of(read, viewer.id)
    return {
        "posting:default:visibility": chosen.privacy,
        "posting:default:sensitive": chosen.sensitive,
        "posting:default:language": chosen.language,
        "posting:default:quote_policy": chosen.quote_policy,
        "reading:expand:media": "default",
        "reading:expand:spoilers": False,
        "reading:autoplay:gifs": False,
    }


async def _update(acting: Acting, changes: Changes, chosen: Mapping[Which, Portrait | None]) -> None:
    await update_profile(acting, changes)
    if changes.note is not None or changes.fields is not None:
        await keep_mentioned(acting, names_in)
    await change_portraits(acting, chosen)


def _changes(asked: UpdateCredentials) -> Changes:
    source = asked.source or SourceSent()
    sent = asked.fields_attributes
    fields = None
    if sent is not None:
        rows = sent.values() if isinstance(sent, dict) else sent
        fields = tuple(Field(one.name, one.value) for one in rows)
    return Changes(
        display_name=asked.display_name,
        note=asked.note,
        locked=asked.locked,
        bot=asked.bot,
        discoverable=asked.discoverable,
        indexable=asked.indexable,
        hide_collections=asked.hide_collections,
        fields=fields,
        privacy=source.privacy,
        sensitive=source.sensitive,
        language=source.language,
        quote_policy=source.quote_policy,
    )


HANDLERS: list[Any] = [verify_credentials, update_credentials, preferences]
