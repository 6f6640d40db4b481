"""Mastodon's entities for edits: https://docs.joinmastodon.org/entities/StatusEdit/ and StatusSource/."""

import msgspec

from folkmoot.surfaces.mastodon.entities import Account, CustomEmoji
from folkmoot.surfaces.mastodon.status_entities import MediaAttachment


class EditedOption(msgspec.Struct):
    """An option of a poll as it was."""

    title: str


class EditedPoll(msgspec.Struct):
    """A poll as it was: its options."""

    options: list[EditedOption]


class StatusEdit(msgspec.Struct, kw_only=True):
    """What a post said from `created_at` on."""

    content: str  # HTML
    spoiler_text: str
    sensitive: bool
    created_at: str
    account: Account
    poll: EditedPoll | None
    media_attachments: list[MediaAttachment]
    emojis: list[CustomEmoji] = []


class StatusSource(msgspec.Struct):
    """What the author typed."""

    id: str
    text: str
    spoiler_text: str
