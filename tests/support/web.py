"""A browser, or a program, in front of the web application: no socket between them."""

from typing import Any, cast

import httpx
from litestar import Litestar

BASE_URL = "http://moot.test"


def visitor(app: Litestar, base_url: str = BASE_URL, address: str = "127.0.0.1") -> httpx.AsyncClient:
    """Keeps cookies, follows no redirects. `address`: where it comes from."""
    # Both speak ASGI; httpx describes it with wider types than Litestar.
    transport = httpx.ASGITransport(cast(Any, app), client=(address, 123))
    return httpx.AsyncClient(transport=transport, base_url=base_url)
