"""The card of a Space's post, as https://docs.joinmastodon.org/entities/PreviewCard/ says."""

from typing import Any

import httpx
import pytest
from tests.support.square import Square

from folkmoot.gate import Action
from folkmoot.spaces import actions as spaces
from folkmoot.spaces.model import Draft
from folkmoot.surfaces.services import Services

FIELDS = {
    "url", "title", "description", "language", "type", "author_name", "author_url", "authors", "provider_name",
    "provider_url", "html", "width", "height", "image", "image_description", "embed_url", "blurhash",
    "published_at",
}  # fmt: skip


@pytest.fixture
def square(services: Services) -> Square:
    return Square(services.database)


async def test_a_spaces_post_has_a_card_that_every_client_can_show(
    client: httpx.AsyncClient, square: Square, alice: Any
) -> None:
    draft = Draft(title="Tea at five")
    space = await square.act(
        alice.id, Action.OPEN_SPACE, lambda acting: spaces.create(acting, draft, page_url="http://moot.test/spaces")
    )
    shown = (await client.get(f"/api/v1/statuses/{space.announcement_post_id}")).json()
    card = shown["card"]
    assert card.keys() == FIELDS
    assert (card["type"], card["title"], card["url"]) == (
        "link",
        "Tea at five",
        f"http://moot.test/spaces/{space.id}",
    )
    assert all(isinstance(card[name], str) for name in ("html", "embed_url", "author_name", "author_url"))
    assert (card["width"], card["height"], card["image"]) == (0, 0, None)
    (author,) = card["authors"]
    assert (author["url"], author["account"]["acct"]) == ("http://moot.test/@alice", "alice")
    # Our own words stand apart, in a field that no client of Mastodon's knows.
    assert shown["folkmoot"]["space_id"] == str(space.id)
