"""From what the gate admitted to Mastodon's JSON. Presenters take `Visible[...]` and nothing else."""

from datetime import UTC, datetime

import msgspec

from folkmoot.accounts.model import Account, Relationship
from folkmoot.accounts.text import note_html
from folkmoot.gate import Role, Visible
from folkmoot.gate.standings import MODERATORS
from folkmoot.storage.ids import time_of
from folkmoot.surfaces.mastodon import entities
from folkmoot.surfaces.services import Site

AVATAR_PATH = "/static/avatar.png"
HEADER_PATH = "/static/header.png"
# Mastodon's flags: manage reports, manage users.
_MAY_MODERATE = 1 << 4 | 1 << 10
_ROLE_IDS = {Role.MEMBER: "1", Role.MODERATOR: "2", Role.OWNER: "3"}


def timestamp(unix_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds: "2027-01-15T08:00:00.000Z"."""
    at = datetime.fromtimestamp(unix_ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def account(visible: Visible[Account], site: Site) -> entities.Account:
    """A person as anybody sees them."""
    item = visible.item
    return entities.Account(
        id=str(item.id),
        username=item.username,
        acct=item.username,
        display_name=item.display_name,
        locked=item.locked,
        bot=False,
        discoverable=True,
        indexable=False,
        group=False,
        created_at=timestamp(item.created_at_ms),
        note=note_html(item.note),
        url=f"{site.base_url}/@{item.username}",
        uri=f"{site.base_url}/users/{item.username}",
        avatar=site.base_url + AVATAR_PATH,
        avatar_static=site.base_url + AVATAR_PATH,
        header=site.base_url + HEADER_PATH,
        header_static=site.base_url + HEADER_PATH,
        followers_count=item.followers_count,
        following_count=item.following_count,
        statuses_count=item.statuses_count,
        last_status_at=timestamp(time_of(item.last_post_id))[:10] if item.last_post_id else None,
        roles=[] if item.role is Role.MEMBER else [_role(item.role)],
    )


def credential_account(visible: Visible[Account], site: Site) -> entities.CredentialAccount:
    """One's own account, with what one wrote before it became HTML."""
    own = visible.item
    return entities.CredentialAccount(
        **msgspec.structs.asdict(account(visible, site)),
        source=entities.Source(note=own.note),
        role=credential_role(own.role),
    )


def relationship(own: Relationship) -> entities.Relationship:
    """The viewer's own side of things: nothing here was published by the other."""
    return entities.Relationship(
        id=str(own.account_id),
        following=own.following,
        showing_reblogs=own.following,
        followed_by=own.followed_by,
        blocking=own.blocking,
        blocked_by=own.blocked_by,
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
