"""What clients ask for when they start and this server doesn't have yet: the true answer is that there is none.

https://docs.joinmastodon.org/methods/: custom_emojis, filters, lists, markers, announcements, and the pages of a person's own that stay empty.
"""

from typing import Any

from litestar import get
from litestar.handlers import HTTPRouteHandler

from folkmoot.gate import Serves, Viewer
from folkmoot.surfaces.http import serves

# What it is, and the scope that a token needs for it.
_OF_A_PERSON = {
    "/api/v1/announcements": "",
}


def _nothing(path: str, scope: str) -> HTTPRouteHandler:
    # The viewer is asked for all the same: it is what checks the token and its scope.
    @get(path, opt=serves(Serves.SIGNED_IN, scope=scope))
    async def list_nothing(viewer: Viewer) -> list[Any]:  # noqa: ARG001 (see above)
        """Always empty: this server has none of it yet."""
        return []

    return list_nothing


@get("/api/v1/custom_emojis", opt=serves(Serves.NOBODY))
async def custom_emojis() -> list[Any]:
    """Always empty: this server has none of it yet."""
    return []


HANDLERS: list[Any] = [
    *(_nothing(path, scope) for path, scope in _OF_A_PERSON.items()),
    custom_emojis,
]
