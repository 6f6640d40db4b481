"""From what the gate admitted to Mastodon's JSON. Presenters take `Visible[...]` and nothing else."""

from datetime import datetime, timedelta
from functools import lru_cache

import msgspec

from folkmoot.accounts.model import Account, Relationship
from folkmoot.accounts.portraits.model import Which
from folkmoot.accounts.profiles.model import PostingDefaults
from folkmoot.gate import Role, Visible
from folkmoot.gate.standings import MODERATORS
from folkmoot.posts.emojis.model import Emoji
from folkmoot.storage.ids import time_of
from folkmoot.surfaces.mastodon import entities
from folkmoot.surfaces.mastodon.profile_text import field_html, note_html
from folkmoot.surfaces.services import Site

AVATAR_PATH = "/static/avatar.png"
HEADER_PATH = "/static/header.png"
PORTRAITS = "/portraits"
EMOJI = "/emoji"
_DEFAULTS: dict[Which, str] = {"avatar": AVATAR_PATH, "header": HEADER_PATH}
# Mastodon's flags: manage reports, manage users.
_MAY_MODERATE = 1 << 4 | 1 << 10
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (said without its zone in a fifth of the time)
_TIMES_KEPT = 10_000  # of what is on many pages
_ROLE_IDS = {Role.MEMBER: "1", Role.MODERATOR: "2", Role.OWNER: "3"}


@lru_cache(_TIMES_KEPT)
def timestamp(unix_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds: "2027-01-15T08:00:00.000Z"."""
    return (_EPOCH + timedelta(milliseconds=unix_ms)).isoformat(timespec="milliseconds") + "Z"


def account(visible: Visible[Account], site: Site) -> entities.Account:
    """A person as anybody sees them."""
    item = visible.item
    return entities.Account(
        id=str(item.id),
        username=item.username,
        acct=item.username,
        display_name=item.display_name,
        locked=item.locked,
        bot=item.bot,
        discoverable=item.discoverable,
        indexable=item.indexable,
        group=False,
        created_at=timestamp(item.created_at_ms),
        note=note_html(item.note, item.mentioned, site.base_url),
        url=f"{site.base_url}/@{item.username}",
        uri=f"{site.base_url}/users/{item.username}",
        avatar=portrait(visible, "avatar", site),
        avatar_static=portrait(visible, "avatar", site, still=True),
        header=portrait(visible, "header", site),
        header_static=portrait(visible, "header", site, still=True),
        followers_count=item.followers_count,
        following_count=item.following_count,
        statuses_count=item.statuses_count,
        last_status_at=timestamp(time_of(item.last_post_id))[:10] if item.last_post_id else None,
        hide_collections=item.hide_collections,
        emojis=emojis(
            site, item.display_name, item.note, *(text for one in item.fields for text in (one.name, one.value))
        ),
        fields=[
            entities.Field(one.name, field_html(one.value, item.mentioned, site.base_url)) for one in item.fields
        ],
        roles=[] if item.role is Role.MEMBER else [_role(item.role)],
    )


def emojis(site: Site, *texts: str) -> list[entities.CustomEmoji]:
    """The custom emoji that texts name."""
    return [emoji(one, site) for one in site.emojis.named_in(texts)]


def emoji(one: Emoji, site: Site) -> entities.CustomEmoji:
    """A picture of the operator's: everybody may see it."""
    folder = site.base_url + EMOJI
    url = f"{folder}/{emoji_name(one.id, one.object_key)}"
    moves = one.static_key != one.object_key
    return entities.CustomEmoji(
        shortcode=one.shortcode,
        url=url,
        static_url=f"{folder}/{emoji_name(one.id, one.static_key, static=True)}" if moves else url,
        visible_in_picker=one.visible_in_picker,
        category=one.category if one.category is not None else msgspec.UNSET,
    )


def emoji_name(id_: int, key: str, *, static: bool = False) -> str:
    """The last part of a picture's address."""
    return f"{id_}{'-static' if static else ''}.{key.rpartition('.')[2]}"


def portrait(visible: Visible[Account], which: Which, site: Site, *, still: bool = False) -> str:
    """The address of somebody's avatar or header. Never empty: clients load it without looking."""
    shown = visible.item.avatar if which == "avatar" else visible.item.header
    if shown is None:
        return site.base_url + _DEFAULTS[which]
    stored, mark = (shown.original, "") if not still else (shown.still or shown.original, "-static")
    return f"{site.base_url}{PORTRAITS}/{visible.item.id}/{which}-{shown.version}{mark}.{stored.extension}"


def credential_account(
    visible: Visible[Account], site: Site, defaults: PostingDefaults, follow_requests_count: int
) -> entities.CredentialAccount:
    """One's own account, with what one wrote before it became HTML, and what one chose for new posts."""
    own = visible.item
    return entities.CredentialAccount(
        **msgspec.structs.asdict(account(visible, site)),
        source=entities.Source(
            note=own.note,
            fields=[entities.Field(one.name, one.value) for one in own.fields],
            privacy=defaults.privacy,
            sensitive=defaults.sensitive,
            language=defaults.language,
            quote_policy=defaults.quote_policy,
            follow_requests_count=follow_requests_count,
            hide_collections=own.hide_collections,
            discoverable=own.discoverable,
            indexable=own.indexable,
        ),
        role=credential_role(own.role),
    )


def muted_account(visible: Visible[Account], site: Site, until_ms: int | None) -> entities.MutedAccount:
    """Somebody whom one mutes, and until when."""
    return entities.MutedAccount(
        **msgspec.structs.asdict(account(visible, site)),
        mute_expires_at=None if until_ms is None else timestamp(until_ms),
    )


def relationship(own: Relationship) -> entities.Relationship:
    """The viewer's own side of things: nothing here was published by the other."""
    return entities.Relationship(
        id=str(own.account_id),
        following=own.following,
        showing_reblogs=own.showing_reblogs,
        notifying=own.notifying,
        languages=None if own.languages is None else list(own.languages),
        followed_by=own.followed_by,
        blocking=own.blocking,
        blocked_by=own.blocked_by,
        muting=own.muting,
        muting_notifications=own.muting_notifications,
        muting_expires_at=None if own.mute_ends_at_ms is None else timestamp(own.mute_ends_at_ms),
        requested=own.requested,
        requested_by=own.requested_by,
        domain_blocking=own.domain_blocking,
        endorsed=own.endorsed,
        note=own.note,
    )


def credential_role(role: Role) -> entities.CredentialRole:
    """A role with what it lets one do, by which clients show their pages for moderators."""
    permissions = _MAY_MODERATE if role in MODERATORS else 0
    shown = _role(role)
    return entities.CredentialRole(
        id=shown.id, name=shown.name, permissions=str(permissions), highlighted=role is not Role.MEMBER
    )


def _role(role: Role) -> entities.Role:
    return entities.Role(id=_ROLE_IDS[role], name="" if role is Role.MEMBER else role.value.capitalize())
