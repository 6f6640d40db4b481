"""What the server says of itself: https://docs.joinmastodon.org/methods/instance/. Everything in it is true.

What a list is empty for does not exist here (yet): clients hide the matching buttons.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.enums import MediaType
from litestar.openapi import ResponseSpec

from folkmoot.accounts import queries
from folkmoot.accounts.model import Account, Counts
from folkmoot.accounts.profiles.rules import FIELD_CHARACTERS_MAX, FIELDS_MAX
from folkmoot.accounts.rules import DISPLAY_NAME_CHARACTERS_MAX, NOTE_CHARACTERS_MAX
from folkmoot.gate import Serves, Viewer, Visible
from folkmoot.media.model import (
    FILE_BYTES_MAX,
    IMAGE_BYTES_MAX,
    IMAGE_PIXELS_MAX,
    VIDEO_FRAMES_PER_S_MAX,
    VIDEO_PIXELS_MAX,
)
from folkmoot.media.sniffing import MIME_TYPES
from folkmoot.posts.marks.model import PINS_MAX
from folkmoot.posts.model import CHARACTERS_MAX, MEDIA_MAX, URL_CHARACTERS
from folkmoot.posts.rules import (
    DESCRIPTION_CHARACTERS_MAX,
    POLL_LASTS_S_MAX,
    POLL_LASTS_S_MIN,
    POLL_OPTION_CHARACTERS_MAX,
    POLL_OPTIONS_MAX,
)
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon import entities, present
from folkmoot.surfaces.services import Services, Site
from folkmoot.timelines.tags.rules import FEATURED_MAX

# Clients read from these which of Mastodon's methods they can expect: 7 is that of 4.5, with quotes.
COMPATIBLE_WITH = "4.5.0"
API_VERSION = 7
NODEINFO = "http://nodeinfo.diaspora.software/ns/schema/2.1"  # a name, which nobody opens
_FEEDS = ("live_feeds", "hashtag_feeds", "trending_link_feeds")  # anybody may read all of them
DESCRIPTION = "A public square with live audio: people post, anyone opens a Space, a few speak, everyone listens."


@get("/api/v2/instance", opt=serves(Serves.ALIKE), responses={200: ResponseSpec(entities.Instance)})
async def instance(request: Request[Any, Any, Any], viewer: Viewer, services: Services) -> Response[bytes]:
    """The server and what it can do."""
    return await _alike(request, viewer, services, _instance)


@get("/api/v1/instance", opt=serves(Serves.ALIKE), responses={200: ResponseSpec(dict[str, Any])})
async def instance_v1(request: Request[Any, Any, Any], viewer: Viewer, services: Services) -> Response[bytes]:
    """The same for older clients."""
    return await _alike(request, viewer, services, _instance_v1)


async def _alike(
    request: Request[Any, Any, Any],
    viewer: Viewer,
    services: Services,
    made: Callable[[Site, Counts, entities.Account | None], Any],
) -> Response[bytes]:
    """Every client asks at every start, and all are told the same."""

    async def find() -> bytes:
        return msgspec.json.encode(made(services.site, *await _facts(services, viewer)))

    body = await services.shared.get(request.scope["path"], find)
    return Response(body, media_type=MediaType.JSON)


def _instance(site: Site, counts: Counts, contact: entities.Account | None) -> entities.Instance:
    return entities.Instance(
        domain=site.domain,
        title=site.title,
        version=_version(site),
        source_url=site.source_url,
        description=DESCRIPTION,
        usage={"users": {"active_month": counts.active_in_month}},
        thumbnail={"url": site.base_url + present.HEADER_PATH},
        configuration=_configuration(site),
        registrations=_registrations(site),
        api_versions={"mastodon": API_VERSION},
        contact={"email": site.contact, "account": contact},
    )


def _instance_v1(site: Site, counts: Counts, contact: entities.Account | None) -> dict[str, Any]:
    return {
        "uri": site.domain,
        "title": site.title,
        "short_description": DESCRIPTION,
        "description": DESCRIPTION,
        "email": site.contact,
        "version": _version(site),
        "urls": {"streaming_api": streaming(site)},
        "stats": {"user_count": counts.accounts, "status_count": counts.posts, "domain_count": 0},
        "thumbnail": site.base_url + present.HEADER_PATH,
        "languages": [],
        "registrations": site.registrations != "closed",
        "approval_required": site.registrations == "approval",
        "invites_enabled": site.inviting == "everybody",
        "configuration": _configuration(site),
        "contact_account": contact,
        "rules": [],
    }


@get("/.well-known/nodeinfo", opt=serves(Serves.NOBODY))
async def nodeinfo_links(services: Services) -> dict[str, Any]:
    """Where NodeInfo is: clients look there for what a server runs."""
    return {"links": [{"rel": NODEINFO, "href": f"{services.site.base_url}/nodeinfo/2.1"}]}


@get("/nodeinfo/2.1", opt=serves(Serves.NOBODY))
async def nodeinfo(services: Services) -> dict[str, Any]:
    """NodeInfo 2.1: which software this is, and how many use it."""
    return await _nodeinfo(services)


@get("/nodeinfo/2.0", opt=serves(Serves.NOBODY))
async def nodeinfo_2_0(services: Services) -> dict[str, Any]:
    """The same as NodeInfo 2.0, for who asks without looking where it is. It has no link: clients that read no
    newer one go by its name then, rather than by what `version` of the instance says it can do."""
    said = await _nodeinfo(services)
    software = {name: value for name, value in said["software"].items() if name != "repository"}
    return said | {"version": "2.0", "software": software}


async def _nodeinfo(services: Services) -> dict[str, Any]:
    site = services.site
    async with services.database.read() as read:
        counts = await services.counts.get(read)
    return {
        "version": "2.1",
        "software": {"name": "folkmoot", "version": site.version, "repository": site.source_url},
        "protocols": [],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": site.registrations != "closed",
        "usage": {
            "users": {"total": counts.accounts, "activeMonth": counts.active_in_month},
            "localPosts": counts.posts,
        },
        "metadata": {"nodeName": site.title, "nodeDescription": DESCRIPTION},
    }


async def _facts(services: Services, viewer: Viewer) -> tuple[Counts, entities.Account | None]:
    async with services.database.read() as read:
        counts = await services.counts.get(read)
        owner = await queries.owner_id(read)
        found = await queries.by_ids(read, [owner]) if owner is not None else []
        admitted: list[Visible[Account]] = await services.gate.admit(read, viewer, found)
    return counts, present.account(admitted[0], services.site) if admitted else None


def _version(site: Site) -> str:
    """Mastodon's, then ours as build metadata (Semantic Versioning 2.0.0, 10): clients compare it."""
    return f"{COMPATIBLE_WITH}+folkmoot.{site.version}"


def _registrations(site: Site) -> dict[str, Any]:
    return {
        "enabled": site.registrations != "closed",
        "approval_required": site.registrations == "approval",
        "reason_required": False,
        "message": None,
        "min_age": None,
        "url": f"{site.base_url}/sign-up",
    }


def streaming(site: Site) -> str:
    """Where streams are: clients add the path."""
    return site.base_url.replace("http", "ws", 1)


def _configuration(site: Site) -> dict[str, Any]:
    return {
        "urls": {"streaming": streaming(site), "about": f"{site.base_url}/about"},
        "vapid": {"public_key": site.vapid_key},
        "accounts": {
            "max_featured_tags": FEATURED_MAX,
            "max_pinned_statuses": PINS_MAX,
            "max_display_name_length": DISPLAY_NAME_CHARACTERS_MAX,
            "max_note_length": NOTE_CHARACTERS_MAX,
            "max_profile_fields": FIELDS_MAX,
            "profile_field_name_limit": FIELD_CHARACTERS_MAX,
            "profile_field_value_limit": FIELD_CHARACTERS_MAX,
        },
        "statuses": {
            "max_characters": CHARACTERS_MAX,
            "max_media_attachments": MEDIA_MAX,
            "characters_reserved_per_url": URL_CHARACTERS,
        },
        "media_attachments": {
            "supported_mime_types": list(MIME_TYPES),
            "description_limit": DESCRIPTION_CHARACTERS_MAX,
            "image_size_limit": IMAGE_BYTES_MAX,
            "image_matrix_limit": IMAGE_PIXELS_MAX,
            "video_size_limit": FILE_BYTES_MAX,
            "video_frame_rate_limit": VIDEO_FRAMES_PER_S_MAX,
            "video_matrix_limit": VIDEO_PIXELS_MAX,
        },
        "polls": {
            "max_options": POLL_OPTIONS_MAX,
            "max_characters_per_option": POLL_OPTION_CHARACTERS_MAX,
            "min_expiration": POLL_LASTS_S_MIN,
            "max_expiration": POLL_LASTS_S_MAX,
        },
        "timelines_access": {feed: {"local": "public", "remote": "public"} for feed in _FEEDS},
        "translation": {"enabled": False},
        "limited_federation": False,
    }


HANDLERS: list[Any] = [instance, instance_v1, nodeinfo_links, nodeinfo, nodeinfo_2_0]
