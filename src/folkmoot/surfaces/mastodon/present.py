"""From what the gate admitted to Mastodon's JSON. Presenters take `Visible[...]` and nothing else."""

from datetime import UTC, datetime

import msgspec

from folkmoot.accounts.model import Account, Relationship
from folkmoot.accounts.text import note_html
from folkmoot.gate import Role, Visible
from folkmoot.storage.ids import time_of
from folkmoot.surfaces.mastodon import entities
from folkmoot.surfaces.services import Site

AVATAR_PATH = "/static/avatar.png"
HEADER_PATH = "/static/header.png"
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
    shown = _role(own.role)
    return entities.CredentialAccount(
        **msgspec.structs.asdict(account(visible, site)),
        source=entities.Source(note=own.note),
        role=entities.CredentialRole(id=shown.id, name=shown.name, highlighted=own.role is not Role.MEMBER),
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


def _role(role: Role) -> entities.Role:
    return entities.Role(id=_ROLE_IDS[role], name="" if role is Role.MEMBER else role.value.capitalize())
