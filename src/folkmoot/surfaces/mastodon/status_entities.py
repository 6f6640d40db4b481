"""Mastodon's entities for posts and what hangs on them: JSON field = attribute name.

Source: https://docs.joinmastodon.org/entities/Status/ and its neighbours. Fields of things that a post has
none of are there with the value that says so.
"""

from typing import Any, Literal

import msgspec

from folkmoot.surfaces.mastodon.entities import Account, Application, CustomEmoji
from folkmoot.surfaces.mastodon.filter_entities import FilterResult
from folkmoot.surfaces.mastodon.poll_entities import Poll


class UnderWay(msgspec.Struct, kw_only=True):
    """How far the processing of a file is, in percent."""

    progress: int


class MediaAttachment(msgspec.Struct, kw_only=True):
    """A file of a post. `meta` holds sizes, lengths and, of sound, `waveform` (peaks of 0–255).

    Without `url` it isn't processed yet, and `folkmoot` says how far it is.
    """

    id: str
    type: str  # image, gifv, video, audio
    url: str | None
    preview_url: str | None = None
    remote_url: str | None = None
    preview_remote_url: str | None = None
    text_url: str | None = None
    meta: dict[str, Any]
    description: str | None
    blurhash: str | None = None
    folkmoot: UnderWay | msgspec.UnsetType = msgspec.UNSET


class Mention(msgspec.Struct, kw_only=True):
    id: str
    username: str
    url: str
    acct: str


class Tag(msgspec.Struct, kw_only=True):
    name: str
    url: str


class CardAuthor(msgspec.Struct, kw_only=True):
    """Who a card is by: clients since Mastodon 4.3 show the account."""

    name: str
    url: str
    account: Account | None


class PreviewCard(msgspec.Struct, kw_only=True):
    """A link shown as a card: here, the Space that a post announces."""

    url: str
    title: str
    description: str
    language: str | None
    type: Literal["link"] = "link"
    author_name: str
    author_url: str
    authors: list[CardAuthor] = []
    provider_name: str
    provider_url: str
    html: str = ""
    width: int = 0
    height: int = 0
    image: str | None = None
    image_description: str = ""
    embed_url: str = ""
    blurhash: str | None = None
    published_at: str | None = None


class TakenOut(msgspec.Struct, kw_only=True):
    """A stretch of the clip that is silent by a decision: where in the file, why, and as what somebody decided."""

    from_ms: int
    to_ms: int
    kind: str
    sentence: str
    by_role: str
    at: str


class ClippedFrom(msgspec.Struct, kw_only=True):
    """A clip, and where it was cut: a range of a Space's timeline."""

    id: str
    space_id: str
    start_ms: int
    end_ms: int
    taken_out: list[TakenOut]


class ClipRemoved(msgspec.Struct, kw_only=True):
    """A clip that moderators removed, or whose Space they removed: a sentence in its place."""

    id: str
    sentence: str


class Extension(msgspec.Struct, kw_only=True):
    """What Folkmoot says of a post beyond Mastodon: the Space that it announces, or that its sound is from, or why
    its sound is gone."""

    space_id: str | None = None
    clip: ClippedFrom | None = None
    clip_removed: ClipRemoved | None = None


class QuoteApproval(msgspec.Struct, kw_only=True):
    """Who may quote a post, besides its author, and whether the viewer may. Nobody decides by hand here."""

    automatic: list[str]
    manual: list[str] = []
    current_user: Literal["automatic", "denied"]


class Quote(msgspec.Struct, kw_only=True):
    """What a post quotes, where that is `accepted` or of somebody whom the viewer muted; else why not."""

    state: Literal["accepted", "revoked", "deleted", "unauthorized", "muted_account"]
    quoted_status: "Status | msgspec.UnsetType | None" = None
    quoted_status_id: str | msgspec.UnsetType | None = msgspec.UNSET


class ShallowQuote(Quote, kw_only=True):
    """What a quoted post quotes: named, not shown."""

    quoted_status: msgspec.UnsetType = msgspec.UNSET
    quoted_status_id: str | None = None


class Status(msgspec.Struct, kw_only=True):
    """A post."""

    id: str
    uri: str
    url: str
    created_at: str
    edited_at: str | None = None
    account: Account
    content: str  # HTML
    visibility: Literal["public", "unlisted", "private", "direct"]
    sensitive: bool
    spoiler_text: str
    language: str | None
    in_reply_to_id: str | None
    in_reply_to_account_id: str | None
    media_attachments: list[MediaAttachment]
    mentions: list[Mention]
    tags: list[Tag]
    emojis: list[CustomEmoji] = []
    application: Application | None
    card: PreviewCard | None
    poll: Poll | None
    reblog: "Status | None" = None
    quote: Quote | None = None
    quote_approval: QuoteApproval
    replies_count: int
    reblogs_count: int
    favourites_count: int
    quotes_count: int
    favourited: bool = False
    reblogged: bool = False
    muted: bool = False
    bookmarked: bool = False
    pinned: bool = False
    filtered: list[FilterResult] = []
    folkmoot: Extension


class DeletedStatus(Status, kw_only=True):
    """A post at its deletion, with the text that "delete and redraft" puts back into the form."""

    text: str


class Context(msgspec.Struct):
    """What a post answers, the oldest first, and what answers it, thread by thread."""

    ancestors: list[Status]
    descendants: list[Status]
