"""Passwords: argon2id in threads, so that the loop goes on, and few at a time, so that memory stays bounded.

One verification holds 64 MiB for a few hundredths of a second (RFC 9106, second recommended option). Whoever
comes while too many wait is asked to try again, instead of piling up.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from folkmoot.accounts.rules import PASSWORD_CHARACTERS_MAX, normal_password
from folkmoot.gate import Refused

AT_ONCE = 2
WAITING_MAX = 100


class Passwords:
    """One for each process that serves sign-ins. `close()` ends its threads."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
        self._waiting = 0
        self._nobodys_hash: str | None = None

    async def hash(self, password: str) -> str:
        """The argon2id string to store. `password`: as `rules.clean_password` returned it."""
        self._enter()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._hasher.hash, password)
        finally:
            self._waiting -= 1

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password is the one that was hashed. Takes as long where there is no such account (None).

        Raises Refused 503 when too many wait.
        """
        if len(password) > PASSWORD_CHARACTERS_MAX:
            return False
        self._enter()
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, self._verify, normal_password(password), stored
            )
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password: str, stored: str | None) -> bool:
        if stored is None and self._nobodys_hash is None:
            self._nobodys_hash = self._hasher.hash("nobody's password")
        try:
            matches = self._hasher.verify(stored or self._nobodys_hash or "", password)
        except (VerificationError, InvalidHashError, UnicodeEncodeError):
            return False
        return matches and stored is not None

    def _enter(self) -> None:
        if self._waiting >= WAITING_MAX:
            raise Refused("busy", "Too many people sign in right now. Try again in a moment.", status=503)
        self._waiting += 1
