"""Mastodon's method for custom emoji, and their pictures: https://docs.joinmastodon.org/methods/custom_emojis/."""

from typing import Any

from litestar import Request, get

from folkmoot.gate import Refused, Serves
from folkmoot.media.depot import Stored
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon import entities, media_files, present
from folkmoot.surfaces.services import Services

# A picture's address is its own for ever; it may be removed, and is gone from caches within a day.
_CACHED = "public, max-age=86400"


@get("/api/v1/custom_emojis", opt=serves(Serves.NOBODY))
async def custom_emojis(services: Services) -> list[entities.CustomEmoji]:
    """The pictures that the operator has added, by category and shortcode."""
    return [present.emoji(one, services.site) for one in services.site.emojis]


@get(f"{present.EMOJI}/{{name:str}}", opt=serves(Serves.NOBODY))
async def fetch_emoji(request: Request[Any, Any, Any], name: str, services: Services) -> media_files.Bytes:
    """A custom emoji's picture."""
    for one in services.site.emojis:
        if name == present.emoji_name(one.id, one.object_key):
            stored = Stored(one.object_key, one.content_type, one.size_bytes)
            return await media_files.send(request, services.objects, stored, name, _CACHED)
        if name == present.emoji_name(one.id, one.static_key, static=True):
            size_bytes = (await services.objects.head(one.static_key)).size_bytes
            still = Stored(one.static_key, "image/png", size_bytes)  # as media/pictures.py makes them
            return await media_files.send(request, services.objects, still, name, _CACHED)
    raise Refused("not_found", "Emoji not found.", status=404)


HANDLERS: list[Any] = [custom_emojis, fetch_emoji]
