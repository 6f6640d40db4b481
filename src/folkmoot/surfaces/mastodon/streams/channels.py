"""What one can follow, by its names in the API. Pure."""

import msgspec

from folkmoot.accounts.oauth.rules import covers
from folkmoot.gate import Refused, Viewer
from folkmoot.posts.text import folded_tag
from folkmoot.surfaces.mastodon.paging import possible_id

USER, NOTIFICATIONS, DIRECT, HASHTAG, LOCAL_HASHTAG, LIST = (
    "user",
    "user:notification",
    "direct",
    "hashtag",
    "hashtag:local",
    "list",
)
PUBLIC = ("public", "public:local")
PUBLIC_MEDIA = ("public:media", "public:local:media")
# There are no other servers yet: nothing comes in these.
REMOTE = ("public:remote", "public:remote:media")
NAMES = frozenset({USER, NOTIFICATIONS, DIRECT, HASHTAG, LOCAL_HASHTAG, LIST, *PUBLIC, *PUBLIC_MEDIA, *REMOTE})
TAG_CHARACTERS_MAX = 100
_STATUSES, _NOTIFICATIONS = "read:statuses", "read:notifications"


class Channel(msgspec.Struct, frozen=True):
    """One stream. `about`: whose (an account's id), a folded tag, or a list's id; "" for the public ones."""

    name: str
    about: str = ""


class Following(msgspec.Struct, frozen=True):
    """A channel, and what its messages say that they are from."""

    channel: Channel
    label: tuple[str, ...]


def following(
    viewer: Viewer, name: str, *, tag: str = "", list_id: str = "", only_media: bool = False
) -> Following:
    """What a viewer asks to follow. Whether a list is theirs is for whoever has the database.

    Raises Refused: 400 for what there isn't, 403 for a token whose scopes are too small.
    """
    if only_media and name in PUBLIC + REMOTE[:1]:
        name += ":media"
    if name not in NAMES:
        raise Refused("unknown_stream", "Unknown stream type.", status=400)
    if not covers(viewer.scopes, _NOTIFICATIONS if name == NOTIFICATIONS else _STATUSES):
        raise Refused("insufficient_scope", "This action is outside the authorized scopes", status=403)
    if name in (HASHTAG, LOCAL_HASHTAG):
        folded = folded_tag(tag.removeprefix("#"))
        if not folded or len(folded) > TAG_CHARACTERS_MAX:
            raise Refused("missing_tag", "Missing tag name parameter.", status=400)
        return Following(Channel(name, folded), (name, tag))
    if name == LIST:
        id_ = possible_id(list_id)
        if not id_:
            raise Refused("missing_list", "Missing list name parameter.", status=400)
        return Following(Channel(name, str(id_)), (name, list_id))
    about = str(viewer.id) if name in (USER, NOTIFICATIONS, DIRECT) else ""
    return Following(Channel(name, about), (name,))


def hears_notifications(viewer: Viewer) -> bool:
    """Whether a token of somebody's own stream is told of these, too."""
    return covers(viewer.scopes, _NOTIFICATIONS)
