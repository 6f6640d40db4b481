"""Rate limits: token buckets in memory, the time as an argument; and what they look like over HTTP.

The counts are of one process and forgotten at a restart: they slow guessing and floods down, they are no quota.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from folkmoot.gate import Action, Refused
from folkmoot.storage.database import digest
from folkmoot.surfaces.http import SESSION_COOKIE, SURFACE, Declaration, ErrorBody, bearer_token
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.security import add_missing

KEYS_MAX = 100_000
# Whoever asks for a file is looked at anew each time.
_FILES = ("/media/", "/proxy/", "/portraits/", "/emoji/")
_EMBEDDED = "/embed/"
# Among them: pages that hold whole timelines, and what watchers ask, which asks the database.
_METERED_PATHS = (
    *("/api/", "/oauth/", "/public", "/tags/", "/spaces", "/@", "/about", "/nodeinfo", "/health"),
    *(*_FILES, _EMBEDDED),
)


class Rate(msgspec.Struct, frozen=True):
    """`count` at once, and again `count` over `period_ms`."""

    count: int
    period_ms: int


class Verdict(msgspec.Struct, frozen=True):
    """What became of one try."""

    allowed: bool
    limit: int
    remaining: int
    retry_after_ms: int  # 0 when allowed
    full_at_ms: int  # Unix ms at which the whole count is there again


class TooMany(Refused):
    """Refused 429, with when to come back."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__("too_many_requests", "Too many requests. Wait a little and try again.", status=429)
        self.verdict = verdict


class Limiter:
    """Token buckets by key. A full bucket is forgotten; of too many, those longest untouched."""

    def __init__(self, rate: Rate, keys_max: int = KEYS_MAX) -> None:
        self.rate = rate
        self._keys_max = keys_max
        # key -> (tokens, in units of 1 / period_ms of one; Unix ms of that level): integers, so nothing drifts.
        self._levels: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def take(self, key: str, now_ms: int) -> Verdict:
        """Take one token if there is one."""
        price, full = self.rate.period_ms, self.rate.count * self.rate.period_ms
        level = self._level(key, now_ms)
        allowed = level >= price
        if allowed:
            level -= price
        self._levels[key] = (level, now_ms)
        self._levels.move_to_end(key)
        if len(self._levels) > self._keys_max:
            self._levels.popitem(last=False)
        return Verdict(
            allowed=allowed,
            limit=self.rate.count,
            remaining=level // price,
            retry_after_ms=0 if allowed else _divide_up(price - level, self.rate.count),
            full_at_ms=now_ms + _divide_up(full - level, self.rate.count),
        )

    def require(self, key: str, now_ms: int) -> None:
        """Take one token. Raises TooMany."""
        verdict = self.take(key, now_ms)
        if not verdict.allowed:
            raise TooMany(verdict)

    def give_back(self, key: str, now_ms: int) -> None:
        """Undo one `take`: what it was taken for did not count after all."""
        level = self._level(key, now_ms) + self.rate.period_ms
        if level >= self.rate.count * self.rate.period_ms:
            self._levels.pop(key, None)
        else:
            self._levels[key] = (level, now_ms)

    def __len__(self) -> int:
        return len(self._levels)

    def _level(self, key: str, now_ms: int) -> int:
        full = self.rate.count * self.rate.period_ms
        level, at_ms = self._levels.get(key, (full, now_ms))
        # A clock that steps back takes nothing away.
        return min(full, level + max(0, now_ms - at_ms) * self.rate.count)


class Limits:
    """The limits of one web process."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        minute_ms, hour_ms = 60_000, 3_600_000
        self._sign_in_by_address = Limiter(Rate(20, 5 * minute_ms))
        # Both count wrong passwords only, so that whoever knows the password is not locked out by using it. The
        # name alone gets much: otherwise anybody could keep its owner out by guessing wrong.
        self._sign_in_by_account_and_address = Limiter(Rate(20, hour_ms))
        self._sign_in_by_account = Limiter(Rate(500, hour_ms))
        self._sign_up_by_address = Limiter(Rate(20, hour_ms))
        self._applications_by_address = Limiter(Rate(30, 10 * minute_ms))
        # Of six digits one in a third of a million is right; whoever gets here knows the password.
        self._second_factor_by_account = Limiter(Rate(10, 15 * minute_ms))
        self._passkey_by_address = Limiter(Rate(60, 5 * minute_ms))
        self._letters_by_address = Limiter(Rate(20, hour_ms))
        self._letters_by_mailbox = Limiter(Rate(3, hour_ms))
        # An event's visitors may share one address: the address gets much, each credential its own.
        self._requests_by_address = Limiter(Rate(3000, 5 * minute_ms))
        # Put into a page elsewhere, a post is asked for by whoever reads that: it takes nothing from what they do.
        self._embedded_by_address = Limiter(Rate(3000, 5 * minute_ms))
        # A thousand people may be behind one address, and a page of posts shows some fifty: two pages each.
        self._files_by_address = Limiter(Rate(100_000, 5 * minute_ms))
        self._requests_by_credential = Limiter(Rate(1500, 5 * minute_ms))
        # A speaker offers again and again while the network is bad; each offer takes sockets and a handshake.
        self._offers_by_seat = Limiter(Rate(10, 20_000))
        self._listens_by_address = Limiter(Rate(60, minute_ms))
        self._uploads_by_account = Limiter(Rate(120, 30 * minute_ms))
        # Of a replay each listener reads once in four seconds. What all read alike while it is live is given back:
        # ten times a second each, and a company or a mobile network may have a thousand behind one address.
        self._sound_by_address = Limiter(Rate(300_000, 5 * minute_ms))

    def sign_in(self, address: str, username: str) -> None:
        """Before a password is checked. Raises TooMany."""
        now_ms = self._clock_ms()
        self._sign_in_by_address.require(address, now_ms)
        # In this order: whoever is refused here takes nothing from what everybody else has for this name.
        self._sign_in_by_account_and_address.require(f"{address} {username}", now_ms)
        self._sign_in_by_account.require(username, now_ms)

    def signed_in(self, address: str, username: str) -> None:
        """After it was right."""
        now_ms = self._clock_ms()
        self._sign_in_by_account_and_address.give_back(f"{address} {username}", now_ms)
        self._sign_in_by_account.give_back(username, now_ms)

    def sign_up(self, address: str) -> None:
        self._sign_up_by_address.require(address, self._clock_ms())

    def second_factor(self, account_id: int) -> None:
        """Before a code or a passkey is checked that comes after a password. Raises TooMany."""
        self._second_factor_by_account.require(str(account_id), self._clock_ms())

    def second_factor_was_right(self, account_id: int) -> None:
        self._second_factor_by_account.give_back(str(account_id), self._clock_ms())

    def passkey(self, address: str) -> None:
        """Before a challenge is made, or what was signed is checked, for nobody yet. Raises TooMany."""
        self._passkey_by_address.require(address, self._clock_ms())

    def letter(self, address: str, mailbox: str) -> None:
        """Before somebody has a letter sent to a mailbox. Raises TooMany."""
        now_ms = self._clock_ms()
        self._letters_by_address.require(address, now_ms)
        self._letters_by_mailbox.require(mailbox, now_ms)

    def register_application(self, address: str) -> None:
        self._applications_by_address.require(address, self._clock_ms())

    def offer(self, space_id: int, seat: int) -> None:
        """Before a speaker's offer reaches the stage. Raises TooMany."""
        self._offers_by_seat.require(f"{space_id} {seat}", self._clock_ms())

    def upload(self, account_id: int) -> None:
        """Before a file is read. Raises TooMany."""
        self._uploads_by_account.require(str(account_id), self._clock_ms())

    def listen(self, address: str) -> None:
        """Before a listener's offer reaches the stage. Raises TooMany."""
        self._listens_by_address.require(address, self._clock_ms())

    def request(self, address: str, credential: str | None) -> Verdict:
        """Any request of the API. The verdict is the narrower of the two."""
        now_ms = self._clock_ms()
        by_address = self._requests_by_address.take(address, now_ms)
        if credential is None or not by_address.allowed:
            return by_address
        return self._requests_by_credential.take(digest(credential).hex(), now_ms)

    def embedded(self, address: str) -> Verdict:
        """A post as a page within another site's."""
        return self._embedded_by_address.take(address, self._clock_ms())

    def file(self, address: str) -> Verdict:
        """Pictures, films and sounds of posts and people."""
        return self._files_by_address.take(address, self._clock_ms())

    def sound(self, address: str) -> Verdict:
        """Reading what was recorded, live or not."""
        return self._sound_by_address.take(address, self._clock_ms())

    def sound_was_shared(self, address: str) -> None:
        """It was what everybody who listens asks for just now: at hand already, so it does not count."""
        self._sound_by_address.give_back(address, self._clock_ms())


class Metering(ASGIMiddleware):
    """Counts requests of the API, and of pages that are as dear, and says so in Mastodon's headers."""

    def __init__(self, limits: Callable[[], Limits]) -> None:
        self._limits = limits

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if scope["path"] != "/" and not scope["path"].startswith(_METERED_PATHS):
            await next_app(scope, receive, send)
            return
        request: Request[Any, Any, Any] = Request(scope)
        verdict = self._verdict(request)

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_missing(message, limit_headers(verdict))
            await send(message)

        if verdict.allowed:
            await next_app(scope, receive, send_counted)
            return
        response = too_many(request, TooMany(verdict))
        await response.to_asgi_response(app=None, request=request)(scope, receive, send_counted)

    def _verdict(self, request: Request[Any, Any, Any]) -> Verdict:
        address, path = client_address(request), request.scope["path"]
        declaration: Declaration | None = request.route_handler.opt.get(SURFACE)
        if request.method == "GET" and declaration is not None and declaration.action is Action.LISTEN:
            return self._limits().sound(address)
        if path.startswith(_FILES):
            return self._limits().file(address)
        if path.startswith(_EMBEDDED):
            return self._limits().embedded(address)
        return self._limits().request(address, bearer_token(request) or request.cookies.get(SESSION_COOKIE))


def too_many(_request: Request[Any, Any, Any], refusal: TooMany) -> Response[ErrorBody]:
    """429 in Mastodon's form, with `Retry-After` in whole seconds."""
    headers = {**limit_headers(refusal.verdict), "Retry-After": str(_seconds_up(refusal.verdict.retry_after_ms))}
    return Response(ErrorBody(refusal.sentence, refusal.code), status_code=429, headers=headers)


def limit_headers(verdict: Verdict) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(verdict.limit),
        "X-RateLimit-Remaining": str(verdict.remaining),
        "X-RateLimit-Reset": timestamp(verdict.full_at_ms),
    }


def client_address(request: Request[Any, Any, Any]) -> str:
    """Whom a limit by address counts: an IPv4 address, or the /64 that one IPv6 subscriber has whole."""
    return _counted(request.client.host if request.client else "")


@lru_cache(KEYS_MAX)
def _counted(host: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _divide_up(value: int, by: int) -> int:
    return -(-value // by)


def _seconds_up(duration_ms: int) -> int:
    return max(1, _divide_up(duration_ms, 1000))
