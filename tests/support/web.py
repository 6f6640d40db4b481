"""A browser, or a program, in front of the web application: no socket between them."""

from typing import Any, cast

import httpx
from litestar import Litestar

BASE_URL = "http://moot.test"


def visitor(app: Litestar, base_url: str = BASE_URL) -> httpx.AsyncClient:
    """Keeps cookies, follows no redirects."""
    # Both speak ASGI; httpx describes it with wider types than Litestar.
    return httpx.AsyncClient(transport=httpx.ASGITransport(cast(Any, app)), base_url=base_url)
