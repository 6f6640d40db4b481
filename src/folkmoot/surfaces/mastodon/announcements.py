"""Mastodon's methods for announcements: https://docs.joinmastodon.org/methods/announcements/."""

from typing import Any

import msgspec
from litestar import Request, delete, get, post, put

from folkmoot.gate import Action, Permit, Serves, Viewer, invalid
from folkmoot.posts.text import localised, to_html, tokens
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon import entities, present
from folkmoot.surfaces.mastodon.paging import entity_id, says
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.services import Services, Site
from folkmoot.timelines.announcements import actions, model, queries
from folkmoot.timelines.announcements.rules import is_emoji

PATH = "/api/v1/announcements"
_REACTION = f"{PATH}/{{announcement_id:str}}/reactions/{{name:str}}"
_REACT = serves(Serves.SIGNED_IN, Action.MARK, "write:favourites")


class Reaction(msgspec.Struct):
    """https://docs.joinmastodon.org/entities/Reaction/. Addresses are those of a custom emoji."""

    name: str
    count: int
    me: bool
    url: str | msgspec.UnsetType = msgspec.UNSET
    static_url: str | msgspec.UnsetType = msgspec.UNSET


class Announcement(msgspec.Struct, kw_only=True):
    """https://docs.joinmastodon.org/entities/Announcement/."""

    id: str
    content: str  # HTML
    starts_at: str | None
    ends_at: str | None
    all_day: bool
    published: bool = True
    published_at: str
    updated_at: str
    read: bool
    mentions: list[dict[str, Any]] = []
    statuses: list[dict[str, Any]] = []
    tags: list[dict[str, Any]] = []
    emojis: list[entities.CustomEmoji]
    reactions: list[Reaction]


@get(PATH, opt=serves(Serves.SIGNED_IN, scope="read:accounts"))
async def list_announcements(
    request: Request[Any, Any, Any], viewer: Viewer, services: Services
) -> list[Announcement]:
    """What the operator tells everybody, until it has ended; what one put away only `with_dismissed`."""
    async with services.database.read() as read:
        found = await queries.shown(read, viewer.id)
    every = says(request, "with_dismissed")
    return [announcement(one, services.site) for one in found if every or not one.read]


@post(
    f"{PATH}/{{announcement_id:str}}/dismiss",
    opt=serves(Serves.SIGNED_IN, Action.READ, "write:accounts"),
    status_code=200,
)
async def dismiss_announcement(announcement_id: str, permit: Permit, services: Services) -> dict[str, str]:
    """Put an announcement away."""
    await services.gate.act(permit, lambda acting: actions.dismiss(acting, entity_id(announcement_id)))
    return {}


@put(_REACTION, opt=_REACT)
async def add_reaction(announcement_id: str, name: str, permit: Permit, services: Services) -> dict[str, str]:
    """React with an emoji, or with the shortcode of one of this server's."""
    if not is_emoji(name) and name not in services.site.emojis:
        raise invalid("Name is not a recognized emoji")
    await services.gate.act(permit, lambda acting: actions.react(acting, entity_id(announcement_id), name))
    return {}


@delete(_REACTION, opt=_REACT, status_code=200)
async def remove_reaction(announcement_id: str, name: str, permit: Permit, services: Services) -> dict[str, str]:
    """Take a reaction back."""
    await services.gate.act(permit, lambda acting: actions.unreact(acting, entity_id(announcement_id), name))
    return {}


def announcement(one: model.Announcement, site: Site) -> Announcement:
    """The operator's words, for everybody who is signed in."""
    return Announcement(
        id=str(one.id),
        content=localised(to_html(tokens(one.text), {}), site.base_url),
        starts_at=_time(one.starts_at_ms),
        ends_at=_time(one.ends_at_ms),
        all_day=one.all_day,
        published_at=timestamp(one.published_at_ms),
        updated_at=timestamp(one.updated_at_ms),
        read=one.read,
        emojis=present.emojis(site, one.text),
        reactions=[_reaction(reaction, site) for reaction in one.reactions],
    )


def _reaction(one: model.Reaction, site: Site) -> Reaction:
    custom = site.emojis.get(one.name)
    if custom is None:
        return Reaction(one.name, one.count, one.me)
    shown = present.emoji(custom, site)
    return Reaction(one.name, one.count, one.me, shown.url, shown.static_url)


def _time(unix_ms: int | None) -> str | None:
    return None if unix_ms is None else timestamp(unix_ms)


HANDLERS: list[Any] = [
    list_announcements,
    dismiss_announcement,
    add_reaction,
    remove_reaction,
]
