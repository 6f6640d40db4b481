"""What `serve/web.py` makes, one of each, and hands to the surfaces: handlers ask for it as `services`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from folkmoot.accounts.invites.rules import Inviting
from folkmoot.accounts.marks import Marks
from folkmoot.accounts.second_factor.codes import Seal
from folkmoot.accounts.sessions.used import UsedTokens
from folkmoot.audience.wire import Report
from folkmoot.gate import Gate, LeaseBook, Register, Stamp, Viewer
from folkmoot.mail.outbox import Outbox
from folkmoot.media.cache import Cache
from folkmoot.media.depot import Depot
from folkmoot.media.remote import Allows, is_web_server
from folkmoot.moderation.evasion.visits import Visits
from folkmoot.posts.emojis.book import EmojiBook
from folkmoot.recordings.live_tapes import LiveTapes
from folkmoot.stage.engine import Answer
from folkmoot.stage.ice_servers import IceServer
from folkmoot.storage.database import Database
from folkmoot.storage.objects import ObjectStore
from folkmoot.surfaces.counting import RequestCounts
from folkmoot.surfaces.mastodon.counts import ServerCounts
from folkmoot.surfaces.mastodon.streams.switchboard import Switchboard
from folkmoot.surfaces.networks import Networks
from folkmoot.surfaces.shared import Shared
from folkmoot.surfaces.spaces.hub import Inbox
from folkmoot.surfaces.watching import ProcessUse


class Stages(Protocol):
    """The stage processes, as far as a surface reaches them: what goes through here carries no decision."""

    async def offer(
        self, space_id: int, seat: int, sdp: str, stamps: tuple[Stamp, ...], continues: str | None = None
    ) -> Answer:
        """Hand a WebRTC offer to the Space's stage and return the answer (both SDP).

        `continues`: the connection with which began what it goes on for. Raises Refused: 422 for an offer that
        cannot be answered, 409 when the seat is heard by something newer, 503 while the stage is (re)starting.
        """
        ...

    async def listen(self, space_id: int, sdp: str, stamps: tuple[Stamp, ...], address: str) -> Answer:
        """The same for somebody who only listens. Raises Refused: 503 also when as many do as may."""
        ...

    async def hang_up(self, space_id: int, seat: int) -> None:
        """Close a seat's connection; nothing happens if there is none."""
        ...

    async def hang_up_connection(self, space_id: int, connection: str) -> None:
        """Close one connection, as an answer named it; nothing happens if it is over."""
        ...

    async def react(self, space_id: int, reaction: str) -> None:
        """Count one reaction into the totals that travel in the tape."""
        ...

    def reactions(self, space_id: int) -> Mapping[str, int]:
        """The totals of a live Space: who is on stage hears no tape."""
        ...

    def tape_full(self, space_id: int) -> bool:
        """Whether the Space's sound can't be written just now, as far as its stage has told."""
        ...

    def generation(self, space_id: int) -> int | None:
        """Which of a Space's stage processes runs, one after another; None while that isn't known. Another number
        means that every connection to the one before is gone."""
        ...


class Listening(Protocol):
    """How many listen now: those who are connected, exactly, and those who listen by HLS, as an estimate."""

    def counts(self) -> Mapping[int, int]:
        """Connected listener sockets for each Space."""
        ...

    def estimated(self) -> Mapping[int, int]:
        """About how many listen to each Space by HLS (audience/estimate.py)."""
        ...

    def by_hls(self, space_id: int, every_s: float) -> None:
        """A player asked for a live playlist, as it does about every so many seconds."""
        ...

    def reports(self) -> Sequence[Report]:
        """The newest report of each audience worker: what `/metrics` shows."""
        ...

    def room(self) -> int:
        """How many sockets are let in, at most, before others go to HLS."""
        ...


class Bell(Protocol):
    """Wakes the open streams of a Space when something in it changed (surfaces/spaces/hub.py)."""

    def require_room(self, space_id: int, account_id: int, *, takes_part: bool = True) -> None: ...

    def subscribe(self, space_id: int, account_id: int) -> Inbox: ...

    def unsubscribe(self, space_id: int, inbox: Inbox) -> None: ...


class Site(msgspec.Struct, frozen=True):
    """The server as it presents itself."""

    base_url: str  # without a slash at the end
    title: str
    registrations: str  # open, approval, closed
    source_url: str
    version: str
    inviting: Inviting = "nobody"  # whose invites let people in
    contact: str = ""  # where people reach whoever runs the server, also when they can't get in
    moderators_second_factor: bool = False  # whether moderating needs a second factor
    vapid_key: str = ""  # by which push services know this server (RFC 8292)
    emojis: EmojiBook = msgspec.field(default_factory=EmojiBook)  # its own

    @property
    def domain(self) -> str:
        return self.base_url.partition("://")[2]


class Services(msgspec.Struct, frozen=True):
    """Everything that a surface may touch."""

    site: Site
    database: Database
    gate: Gate
    register: Register
    objects: ObjectStore
    depot: Depot
    remote_media: Cache
    stages: Stages
    listening: Listening
    leases: LeaseBook
    networks: Networks
    marks: Marks
    hub: Bell
    tapes_directory: Path
    live_tapes: LiveTapes
    ticket_key: bytes
    seal: Seal  # of the secrets of codes
    clock_ms: Callable[[], int]
    ice_servers: Callable[[Viewer], Sequence[IceServer]]
    """STUN and TURN servers for somebody's own connection, with credentials of this moment; nothing for who is not
    signed in."""
    why_no_room: Callable[[int], str | None] = lambda _live: None
    """Why no Space can start beside so many live ones, as a sentence; None if one can."""
    processes: Callable[[], Sequence[ProcessUse]] = tuple
    """The server's processes, and what each uses."""
    outbox: Outbox = Outbox(is_open=False)
    """Where letters to people are put."""
    used: UsedTokens = msgspec.field(default_factory=UsedTokens)
    """Which sessions were used since that was last written down."""
    visits: Visits = msgspec.field(default_factory=Visits)
    """Who came to Spaces from which people were removed, until that is looked at."""
    may_fetch_from: Allows = is_web_server
    """At which addresses of other servers files may be fetched."""
    counts: ServerCounts = msgspec.field(default_factory=ServerCounts)
    """How many people and posts there are."""
    shared: Shared[str, bytes] = msgspec.field(default_factory=Shared)
    """Answers that are the same for all who ask just now, by their addresses."""
    requests: RequestCounts = msgspec.field(default_factory=RequestCounts)
    """What the web process has answered."""
    streams: Switchboard = msgspec.field(default_factory=Switchboard)
    """Who follows what happens in the square."""
