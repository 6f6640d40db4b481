"""What the pages of profiles and posts say in their heads: what anybody may see, for programs unfurl links."""

from folkmoot.accounts import queries as accounts
from folkmoot.gate import ANONYMOUS
from folkmoot.posts import queries
from folkmoot.posts.text import plain
from folkmoot.storage.database import Read
from folkmoot.surfaces.mastodon import load_statuses, present
from folkmoot.surfaces.mastodon.entities import Account
from folkmoot.surfaces.mastodon.status_entities import Status
from folkmoot.surfaces.pages.meta import PageMeta
from folkmoot.surfaces.services import Services

DESCRIPTION_CHARACTERS_MAX = 300


async def post_meta(read: Read, services: Services, post_id: int) -> PageMeta | None:
    """The head of a post's page; None where not everybody may see the post."""
    shown = await public_status(read, services, post_id)
    if shown is None:
        return None
    first = shown.media_attachments[0] if shown.media_attachments and not shown.sensitive else None
    is_sound = first is not None and first.type == "audio"
    return PageMeta(
        title=title(shown, services),
        description=description(shown),
        url=shown.url,
        audio_url=first.url if first is not None and is_sound else None,
        image_url=first.preview_url if first is not None and not is_sound else None,
        oembed=True,
    )


async def profile_meta(read: Read, services: Services, username: str) -> PageMeta | None:
    """The head of a profile's page; None where not everybody may see the account."""
    found = await accounts.by_username(read, username)
    admitted = await services.gate.admit(read, ANONYMOUS, [found]) if found is not None else []
    if not admitted:
        return None
    account = present.account(admitted[0], services.site)
    return PageMeta(
        title=f"{_name(account)} (@{account.acct}@{services.site.domain})",
        description=_cut(plain(account.note)),
        url=account.url,
    )


async def public_status(read: Read, services: Services, post_id: int) -> Status | None:
    """A post as somebody without an account sees it."""
    return await load_statuses.status(read, services, ANONYMOUS, await queries.by_id(read, post_id))


def title(shown: Status, services: Services) -> str:
    return f"{_name(shown.account)} (@{shown.account.acct}@{services.site.domain})"


def description(shown: Status) -> str:
    """Its words; what is behind a warning stays there. A sound that says nothing else is described."""
    if shown.spoiler_text:
        return shown.spoiler_text
    words = plain(shown.content)
    return _cut(words or " ".join(one.description or "" for one in shown.media_attachments))


def _name(account: Account) -> str:
    return account.display_name or account.username


def _cut(text: str) -> str:
    return text if len(text) <= DESCRIPTION_CHARACTERS_MAX else text[: DESCRIPTION_CHARACTERS_MAX - 1] + "…"
