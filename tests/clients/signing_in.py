"""What a person does in a browser when a program asks to be let in (OAuth's authorization page), without one."""

import html
import re
from urllib.parse import parse_qs, urlsplit

import httpx
from tests.support.waiting import PATIENCE_S


def password_of(username: str) -> str:
    return f"{username}-has-a-long-password"


def let_in(base_url: str, username: str, address: str) -> str:
    """Sign in at the address that a program opens, allow what it asks for; the code that it gets."""
    with httpx.Client(base_url=base_url, headers={"Origin": base_url}, timeout=PATIENCE_S) as browser:
        sign_in = html.unescape(_found(r'action="([^"]+)"', browser.get(address)))
        signed_in = browser.post(sign_in, data={"username": username, "password": password_of(username)})
        assert signed_in.status_code == 303, signed_in.text
        page = browser.get(signed_in.headers["location"])
        allow = html.unescape(_found(r'action="([^"]+)"', page))
        given = browser.post(
            allow, data={"csrf": _found(r'name="csrf" value="([^"]+)"', page), "decision": "allow"}
        )
        if given.status_code == 303:
            return parse_qs(urlsplit(given.headers["location"]).query)["code"][0]
        return _found(r"<code>([^<]+)</code>", given)


def _found(pattern: str, page: httpx.Response) -> str:
    found = re.search(pattern, page.text)
    assert page.status_code == 200, page.text
    assert found, page.text
    return found[1]
