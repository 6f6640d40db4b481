"""What the pages show to whoever runs no scripts: what anybody may see, loaded as for the API."""

from folkmoot.accounts import queries as accounts
from folkmoot.accounts.model import Page
from folkmoot.gate import ANONYMOUS
from folkmoot.posts import queries
from folkmoot.posts.model import Post
from folkmoot.posts.text import folded_tag
from folkmoot.storage.database import Read
from folkmoot.surfaces.mastodon import load_statuses, present
from folkmoot.surfaces.mastodon.entities import Account
from folkmoot.surfaces.mastodon.load_statuses import Fetch
from folkmoot.surfaces.mastodon.status_entities import Context, Status
from folkmoot.surfaces.mastodon.statuses import threaded
from folkmoot.surfaces.services import Services
from folkmoot.timelines import queries as timelines
from folkmoot.timelines.queries import Tagged


async def public(read: Read, services: Services, count: int) -> list[Status]:
    """The newest public posts."""

    async def fetch(asked: Page) -> list[Post]:
        return await timelines.public(read, asked, viewer_id=None)

    return await _listed(read, services, count, fetch)


async def tagged(read: Read, services: Services, tag: str, count: int) -> list[Status]:
    """The newest public posts with a tag."""

    async def fetch(asked: Page) -> list[Post]:
        return await timelines.tagged(read, Tagged((folded_tag(tag),)), asked, viewer_id=None)

    return await _listed(read, services, count, fetch)


async def profile(read: Read, services: Services, username: str, count: int) -> tuple[Account, list[Status]] | None:
    """An account that anybody may see, and its newest posts that anybody may see."""
    found = await accounts.by_username(read, username)
    admitted = await services.gate.admit(read, ANONYMOUS, [found]) if found is not None else []
    if not admitted:
        return None
    whose = admitted[0].item.id

    async def fetch(asked: Page) -> list[Post]:
        return await timelines.of_account(read, whose, asked, exclude_replies=True)

    posts = await load_statuses.timeline(read, services, ANONYMOUS, Page(limit=count), fetch)
    return present.account(admitted[0], services.site), posts.shown


async def thread(read: Read, services: Services, post_id: int) -> tuple[Status, Context] | None:
    """A post that anybody may see, with the thread around it."""
    found = await queries.by_id(read, post_id)
    shown = await load_statuses.status(read, services, ANONYMOUS, found)
    if found is None or shown is None:
        return None
    above = await queries.ancestor_ids(read, found)
    below = threaded(found.id, await queries.descendant_ids(read, found))
    around = await load_statuses.statuses(read, services, ANONYMOUS, await queries.by_ids(read, [*above, *below]))
    ancestors = set(map(str, above))
    return shown, Context(
        ancestors=[one for one in around if one.id in ancestors],
        descendants=[one for one in around if one.id not in ancestors],
    )


async def _listed(read: Read, services: Services, count: int, fetch: Fetch) -> list[Status]:
    return (await load_statuses.timeline(read, services, ANONYMOUS, Page(limit=count), fetch, public=True)).shown
