"""Where a viewer fetches a file. What anybody may see or hear has a plain address; the rest a signed one.

Clients play a file by its bare address, without a token. The signature stands for the viewer: it carries the stamps
they were identified under, and whose eyes the gate looks with when the link is followed.
"""

import msgspec

from folkmoot.gate import Reach, Refused, Stamp, Viewer
from folkmoot.gate.register import Key
from folkmoot.posts.files.model import Media
from folkmoot.surfaces import signed
from folkmoot.surfaces.mastodon.paging import entity_id
from folkmoot.surfaces.services import Services

LINK_SECONDS = 86_400
MEDIA = "/media"
_SMALL = "-small"
_EXTENSIONS = {
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "video/mp4": "mp4",
    "image/jpeg": "jpeg",
    "image/png": "png",
    "image/webp": "webp",
}


class Signed(msgspec.Struct, frozen=True):
    """Whom a link was made for, and what it hangs on."""

    account_id: int
    stamps: tuple[Stamp, ...]


def key_of(media: Media) -> str:
    """The last part of a file's address; its extension is what some players go by."""
    return f"{media.id}.{_EXTENSIONS.get(media.content_type, 'bin')}"


def preview_of(address: str, media: Media) -> str | None:
    """Where the picture is that is shown for a file, by the file's address for the same viewer."""
    preview = media.details.preview
    if preview is None:
        return None
    return address.replace(f"/{key_of(media)}", f"/{media.id}{_SMALL}.{preview.extension}", 1)


class Asked(msgspec.Struct, frozen=True):
    """What an address names."""

    media_id: int
    is_preview: bool


def asked(key: str) -> Asked:
    """Raises Refused 404 for what is no such name."""
    name, _, extension = key.partition(".")
    number = name.removesuffix(_SMALL)
    return Asked(entity_id(number if extension.isalnum() else "", "Media"), number != name)


def url(services: Services, viewer: Viewer, media: Media, *, for_anybody: bool, now_ms: int) -> str:
    """The address under which this viewer's player gets the file. `for_anybody`: its owner is shown to everybody,
    and the Space that it was cut from is public."""
    plain = f"{services.site.base_url}{MEDIA}/{key_of(media)}"
    open_to_all = for_anybody and media.gate_facts().reach in (Reach.PUBLIC, Reach.UNLISTED)
    if open_to_all or viewer.account_id is None:
        return plain
    claims = {"sub": str(viewer.account_id), "stamps": msgspec.to_builtins(viewer.stamps)}
    expires_s = now_ms // 1000 + LINK_SECONDS
    ticket = signed.sign(services.ticket_key, Key.MEDIA_LINK, f"media:{media.id}", expires_s, claims)
    return f"{plain}?ticket={ticket}"


def is_signed(address: str) -> bool:
    """Whether an address is one viewer's own."""
    return "?ticket=" in address


def read(key: bytes, ticket: str, media_id: int, now_ms: int) -> Signed:
    """What a ticket says; its stamps are still to be compared. Raises Refused 401: forged, over, another file's."""
    try:
        claims = signed.read(key, [Key.MEDIA_LINK], f"media:{media_id}", ticket, now_ms)
        return Signed(int(claims["sub"]), msgspec.convert(claims["stamps"], tuple[Stamp, ...]))
    except (KeyError, ValueError) as error:
        raise _over() from error


def _over() -> Refused:
    return Refused("link_over", "This link is over. Load the post again.", status=401)
