"""From where somebody signs in or up, as marks: the browser by a random cookie, and the network.

A browser is given its number when somebody signs in or up with it, and only then: who listens or reads without an
account is given none. The number is nothing but a number, and this server keeps only its keyed hash.
"""

import re
import secrets
from collections.abc import Mapping
from typing import Any

from litestar import Request
from litestar.datastructures import Cookie

from folkmoot.moderation.evasion.model import Arriving, arriving
from folkmoot.moderation.evasion.rules import BROWSERS_KEPT_MS
from folkmoot.surfaces.limits import client_address
from folkmoot.surfaces.services import Services

# What a session is called in its owner's list: words of ours. The browser's own would tell it from all others.
_BROWSERS = ("Firefox", "Edg", "OPR", "Chrome", "Safari")  # in this order: the later ones stand in the others', too
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Macintosh", "CrOS", "Linux")
_CALLED = {"Edg": "Edge", "OPR": "Opera", "Macintosh": "macOS", "CrOS": "ChromeOS"}
BROWSER_COOKIE = "folkmoot_browser"
_NUMBER = re.compile(r"[A-Za-z0-9_-]{43}")
_STATE = "browser"


def arriving_from(request: Request[Any, Any, Any], services: Services, email: str | None = None) -> Arriving:
    """The marks of this request's browser, which has its number from now on, and of its address."""
    return arriving(services.marks, client_address(request), _number(request), email)


def browser_shown(cookies: Mapping[str, str], services: Services) -> bytes | None:
    """The mark of a browser that has its number already; None for one that was given none."""
    number = _number_in(cookies)
    return services.marks.browser(number) if number is not None else None


def browser_name(user_agent: str) -> str:
    """Which browser on which system, in words such as "Firefox on Linux"; "A browser" where that can't be told."""
    browser = next((one for one in _BROWSERS if f"{one}/" in user_agent), None)
    system = next((one for one in _SYSTEMS if one in user_agent), None)
    name = _CALLED.get(browser or "", browser) or "A browser"
    return f"{name} on {_CALLED.get(system, system)}" if system else name


def browser_cookie(request: Request[Any, Any, Any], services: Services) -> Cookie:
    """The browser's number, for as long as it means anything, from now on."""
    return Cookie(
        key=BROWSER_COOKIE,
        value=_number(request),
        max_age=BROWSERS_KEPT_MS // 1000,
        path="/",
        httponly=True,
        secure=services.site.base_url.startswith("https://"),
        samesite="lax",
    )


def _number(request: Request[Any, Any, Any]) -> str:
    """The one it shows, or a new one: the same for all of a request."""
    known: str | None = request.scope["state"].get(_STATE)
    if known is None:
        known = _number_in(request.cookies) or secrets.token_urlsafe(32)
        request.scope["state"][_STATE] = known
    return known


def _number_in(cookies: Mapping[str, str]) -> str | None:
    shown = cookies.get(BROWSER_COOKIE, "")
    return shown if _NUMBER.fullmatch(shown) else None
