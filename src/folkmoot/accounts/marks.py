"""Keyed hashes of what is compared and never read: mailboxes, browsers, addresses. Pure.

Whoever has the database and not the key (`DIR/keys/marks.key`) can't find out by trying who is behind one: an IPv4
address is one of four thousand million, which a plain hash gives away in seconds.
"""

import hashlib
import hmac

from folkmoot.accounts.email import canonical_email

KEY = "marks"  # the name of the key's file


class Marks:
    """Made of the server's key; the same in each of its processes."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def mailbox(self, address: str) -> bytes:
        """Of an e-mail address, however it is written."""
        return self._mark("mailbox", canonical_email(address))

    def browser(self, cookie: str) -> bytes:
        """Of the random number that a browser was given when somebody signed in or up with it."""
        return self._mark("browser", cookie)

    def address(self, network: str) -> bytes:
        """Of a client's address: an IPv4 address, or an IPv6 /64."""
        return self._mark("address", network)

    def _mark(self, kind: str, what: str) -> bytes:
        return hmac.digest(self._key, f"{kind}\0{what}".encode("utf-8", "surrogatepass"), hashlib.sha256)
