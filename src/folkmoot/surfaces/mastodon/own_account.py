"""One's own account, as several methods answer with it."""

from folkmoot.accounts.profiles.queries import defaults_of
from folkmoot.accounts.relations import queries as relations
from folkmoot.gate import Viewer
from folkmoot.surfaces.mastodon import entities, present
from folkmoot.surfaces.mastodon.accounts import admit
from folkmoot.surfaces.services import Services


async def own_account(services: Services, viewer: Viewer) -> entities.CredentialAccount:
    """As its owner sees it."""
    async with services.database.read() as read:
        own = await admit(services, read, viewer, str(viewer.id))
        defaults = await defaults_of(read, viewer.id)
        asking = await relations.count_asking(read, viewer.id)
    return present.credential_account(own, services.site, defaults, asking)
