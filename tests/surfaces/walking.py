"""Walking the pages of a list by its `Link` header, as clients do."""

import re
from typing import Any

import httpx


def links(answer: httpx.Response) -> dict[str, str]:
    """rel: address."""
    found = re.findall(r'<([^>]*)>; rel="(\w+)"', answer.headers.get("link", ""))
    return {relation: address for address, relation in found}


async def walked(client: httpx.AsyncClient, path: str, headers: dict[str, str], limit: int = 2) -> list[Any]:
    """Everything in a list of several pages, from the top down. Also: `prev` of the last page leads back up to the
    first, that of the first to nothing (and not round in circles), and cursors that belong to other lists are
    cursors, not errors."""

    async def ask(**cursor: str | int) -> httpx.Response:
        return await client.get(httpx.URL(path).copy_merge_params(cursor), headers=headers)

    answer = await ask(limit=limit)
    assert answer.status_code == 200, answer.text
    first = answer
    seen: list[Any] = answer.json()
    while "next" in links(answer):
        answer = await client.get(links(answer)["next"], headers=headers)
        seen += answer.json()
    assert (await client.get(links(first)["prev"], headers=headers)).json() == []
    up = await client.get(links(answer)["prev"], headers=headers) if answer.json() else answer
    while links(up):
        above, up = up, await client.get(links(up)["prev"], headers=headers)
        assert above.json()[-1] in seen
    for name, cursor, status in (("max_id", "1", 200), ("min_id", str(2**62), 200), ("since_id", "abc", 422)):
        other = await ask(**{name: cursor})
        assert (other.status_code, other.json() if status == 200 else []) == (status, []), name
    assert (await ask(since_id="1", limit=40)).json() == seen
    return seen
