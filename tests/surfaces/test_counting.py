"""Requests are counted by what answered, not by what a client made up."""

from typing import Any

import httpx
from litestar import Litestar

from folkmoot.surfaces.counting import UNKNOWN, Counted, RequestCounts


async def test_by_route_and_status(app: Litestar) -> None:
    counts = RequestCounts()
    counted: Any = Counted(app, counts)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(counted), base_url="http://moot.test") as client:
        for path in ("/api/v1/accounts/1", "/api/v1/accounts/2", "/api/v2/instance", "/no/such/../thing"):
            await client.get(path)
        await client.request("BREW", "/api/v2/instance")
    account = next(key for key in counts.answers if "accounts" in key[1])
    assert counts.answers[account] == 2
    assert account[2] == 404
    assert counts.answers["GET", "/api/v2/instance", 200] == 1
    assert {method for method, _, _ in counts.answers} <= {"GET", UNKNOWN}
    assert sum(counts.began) == counts.answers.total() == 5
