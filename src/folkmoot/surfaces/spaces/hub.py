"""Wakes the open event streams of a Space. It says only *that* something changed: a stream then asks the gate.

Making the picture of a Space costs milliseconds for each stream, and whoever steers a Space decides how often: so a
stream gets one at a time, the more streams the seldomer, and not all in the same moment.
"""

import asyncio
import contextlib
import random
from collections import Counter, defaultdict, deque
from collections.abc import Callable

from folkmoot.gate import Refused

CHANGED, COUNTS, STAGE, END, HEARTBEAT = "changed", "counts", "stage", "end", "heartbeat"
AWAY = "away"
STREAMS_OF_AN_ACCOUNT_MAX = 8
STREAMS_OF_A_SPACE_MAX = 500
# The rest of them is for those who take part: a crowd that looks on must not keep a speaker from following.
STREAMS_OF_LOOKERS_MAX = 400
PICTURE_EVERY_S = 0.3
PICTURE_EVERY_S_PER_STREAM = 0.01
COUNTS_EVERY_S = 1.0
HEARTBEAT_S = 15.0
NOTICES_WAITING_MAX = 32


class Inbox:
    """What one open stream has not been told yet: that the Space changed, notices in their order, the end."""

    def __init__(self, account_id: int) -> None:
        self.account_id = account_id
        self._notices: deque[str] = deque(maxlen=NOTICES_WAITING_MAX)
        self._ended = False
        self._sent_away = False
        self._due_s: float | None = None  # when the change that waits may be told; None without one
        self._told_s = float("-inf")
        self._counts_due_s: float | None = None
        self._counted_s = float("-inf")
        self._news = asyncio.Event()

    def changed(self, spread_s: float, chance: float) -> None:
        """Something changed. Several changes are one picture, and that waits for the pause since the last one."""
        if self._due_s is None:
            pause_s = max(PICTURE_EVERY_S, spread_s)
            self._due_s = max(self._told_s + pause_s, _now_s() + chance * spread_s)
            self._news.set()

    def counted(self) -> None:
        """Listeners or reactions are others than before."""
        if self._counts_due_s is None:
            self._counts_due_s = self._counted_s + COUNTS_EVERY_S
            self._news.set()

    def notice(self, word: str) -> None:
        self._notices.append(word)
        self._news.set()

    def end(self) -> None:
        self._ended = True
        self._news.set()

    def send_away(self) -> None:
        self._sent_away = True
        self._news.set()

    async def next_word(self) -> str:
        """END, AWAY and notices at once, CHANGED and COUNTS when due, HEARTBEAT when there was nothing for a while.

        AWAY: another process has this one's place.
        """
        quiet_until_s = _now_s() + HEARTBEAT_S
        while True:
            self._news.clear()
            if self._ended:
                return END
            if self._sent_away:
                return AWAY
            if self._notices:
                return self._notices.popleft()
            now_s = _now_s()
            if self._due_s is not None and self._due_s <= now_s:
                self._due_s, self._told_s = None, now_s
                return CHANGED
            if self._counts_due_s is not None and self._counts_due_s <= now_s:
                self._counts_due_s, self._counted_s = None, now_s
                return COUNTS
            if quiet_until_s <= now_s:
                return HEARTBEAT
            wake_s = min(due_s for due_s in (self._due_s, self._counts_due_s, quiet_until_s) if due_s is not None)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(wake_s):
                    await self._news.wait()


class Hub:
    """In the web process: from the events of the bus to the streams that are open here."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._inboxes: dict[int, set[Inbox]] = defaultdict(set)
        self._by_account: Counter[int] = Counter()
        self._chance = chance
        self._sends_away = False

    def require_room(self, space_id: int, account_id: int, *, takes_part: bool = True) -> None:
        """Raises Refused 429 where too many streams are open already, earlier for who only looks on."""
        if self._by_account[account_id] >= STREAMS_OF_AN_ACCOUNT_MAX:
            raise Refused("too_many_streams", "You follow this in too many windows already.", status=429)
        most = STREAMS_OF_A_SPACE_MAX if takes_part else STREAMS_OF_LOOKERS_MAX
        if len(self._inboxes.get(space_id, ())) >= most:
            raise Refused(
                "too_many_streams",
                "Too many people follow this Space already. Look again now and then.",
                status=429,
            )

    def subscribe(self, space_id: int, account_id: int) -> Inbox:
        """An inbox that is told of changes. Raises Refused 429."""
        self.require_room(space_id, account_id)
        inbox = Inbox(account_id)
        if self._sends_away:
            inbox.send_away()  # it came on a connection that was open already
        self._inboxes[space_id].add(inbox)
        self._by_account[account_id] += 1
        return inbox

    def send_away(self, within_s: float) -> None:
        """Have all streams end, each at a moment of its own: whoever follows comes back to the next process."""
        self._sends_away = True
        loop = asyncio.get_running_loop()
        for inbox in [inbox for inboxes in self._inboxes.values() for inbox in inboxes]:
            loop.call_later(self._chance() * within_s, inbox.send_away)

    def unsubscribe(self, space_id: int, inbox: Inbox) -> None:
        self._inboxes[space_id].remove(inbox)
        if not self._inboxes[space_id]:
            del self._inboxes[space_id]
        self._by_account[inbox.account_id] -= 1
        if not self._by_account[inbox.account_id]:
            del self._by_account[inbox.account_id]

    def followed(self) -> set[int]:
        """The Spaces with an open stream."""
        return set(self._inboxes)

    def tell(self, space_id: int, word: str) -> None:
        """Put a word (CHANGED, COUNTS, STAGE, "tape_full") into every inbox."""
        spread_s = self._by_account.total() * PICTURE_EVERY_S_PER_STREAM
        for inbox in self._inboxes.get(space_id, ()):
            if word == CHANGED:
                inbox.changed(spread_s, self._chance())
            elif word == COUNTS:
                inbox.counted()
            else:
                inbox.notice(word)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
