"""The JSON of our own API for Spaces: what OpenAPI documents and the web client's types are generated from.

Ids are strings, times are RFC 3339 with milliseconds, positions are integer milliseconds on the Space's timeline.
"""

from enum import StrEnum

import msgspec

from folkmoot.recordings.model import ByRole, Reason
from folkmoot.spaces.model import Audience, EndReason, Role, SpaceState, SpeakPolicy
from folkmoot.surfaces.mastodon.entities import Account


class CreateSpace(msgspec.Struct, forbid_unknown_fields=True):
    """A new Space: at once (then `start` it) or scheduled. Announced by a post of its host."""

    title: str
    topics: list[str] = []
    language: str | None = None
    scheduled_at: str | None = None
    audience: Audience = Audience.PUBLIC
    speak_policy: SpeakPolicy = SpeakPolicy.EVERYONE
    # Recorded unless said otherwise where everybody may listen, not recorded elsewhere.
    recorded: bool | None = None
    invited: list[str] = []  # account ids
    start: bool = False  # go live at once


class Person(msgspec.Struct):
    """Somebody in a Space; `account` is null for a viewer who may not see who it is (a block)."""

    account: Account | None
    role: Role
    seat: int | None
    muted: bool
    connected: bool
    asking_since: str | None
    muted_until: str | None  # by a host: until then they can't unmute


class Replay(msgspec.Struct):
    """The recording of an ended Space."""

    duration_ms: int
    start_ms: int  # where it begins after trimming
    end_ms: int  # where it ends after trimming
    download_url: str
    waveform_url: str
    hls_url: str


class Redaction(msgspec.Struct):
    """A range that was taken out: silence, and why. `by_role` is as what somebody decided it."""

    id: str
    from_ms: int
    to_ms: int
    kind: Reason
    sentence: str
    by_role: ByRole
    at: str


class NoticeKind(StrEnum):
    """Why everybody in a Space is told something."""

    HOST_SUSPENDED = "host_suspended"
    HOST_GONE = "host_gone"
    MUTED = "muted"  # by moderators


class Notice(msgspec.Struct):
    """A sentence for everybody in a Space. `until` is null for no end."""

    kind: NoticeKind
    sentence: str
    at: str
    until: str | None = None


class You(msgspec.Struct):
    """The viewer's own part in it; `can` holds the commands that would be accepted now."""

    role: Role
    seat: int | None
    muted: bool
    asking: bool
    invited_as: Role | None
    removed: bool
    consented: bool
    can: list[str]
    may_redact: bool  # take something out of the sound
    muted_until: str | None  # by a host: until then one can't unmute
    removed_until: str | None  # null while one is removed: without end
    has_spoken: bool  # has, or had, a seat: there is a consent to take back
    call_key: str | None  # 32 bytes in hexadecimal, by which one knows one's calls in the sound; while it is live


class RecordingState(StrEnum):
    """What becomes of the sound of a Space now."""

    OFF = "off"
    RECORDING = "recording"
    DISK_FULL = "disk_full"  # nothing is kept, and listeners hear nothing: those on stage hear each other


class Space(msgspec.Struct):
    """A Space, with the fields that people know from the lookups of other platforms."""

    id: str
    url: str
    title: str
    topics: list[str]
    language: str | None
    state: SpaceState
    audience: Audience
    speak_policy: SpeakPolicy
    recorded: bool
    recording_state: RecordingState
    locked: bool
    creator_id: str
    host: Account
    host_ids: list[str]  # the host first, then co-hosts
    speaker_ids: list[str]
    invited_ids: list[str]  # empty unless the viewer hosts
    participant_count: int  # on stage and connected listeners
    listener_count: int  # connected listener sockets: exact
    listener_count_estimated: int  # about so many more listen by HLS
    stage: list[Person]  # by seat
    asking: list[Person]  # in order; hosts see all, others themselves
    roster: int
    reactions: dict[str, int]  # totals while it is live, as they travel in the sound
    created_at: str
    scheduled_at: str | None
    started_at: str | None
    ended_at: str | None
    ended_reason: EndReason | None
    hold_until: str | None  # nobody who could end it is here: it ends by itself then
    announcement_id: str | None  # the post whose replies are the conversation
    pinned_post_id: str | None
    listen_url: str  # endless fMP4; `?codec=opus|aac&ticket=…`
    hls_url: str
    replay: Replay | None
    notices: list[Notice]  # what everybody in it is told now
    redactions: list[Redaction]  # what was taken out of the sound, in order of the timeline
    you: You


class IceServer(msgspec.Struct, omit_defaults=True):
    """A STUN or TURN server as `new RTCPeerConnection({iceServers})` takes it; the credentials are good for an hour
    or so."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class PublishingToken(msgspec.Struct):
    """What a program such as OBS needs to speak on one's seat. Whoever has the token speaks as its owner."""

    url: str
    token: str


class Join(msgspec.Struct):
    """What a listener needs to hear a Space. The ticket stands for the viewer for a few minutes."""

    ticket: str | None  # none is needed for a public Space without an account
    listen_url: str
    hls_url: str
    ice_servers: list[IceServer]  # for speaking; empty for who is not signed in


class Seat(msgspec.Struct):
    """A stint on stage: who a seat number stands for. `account` is null where it may not be shown."""

    seat: int
    account: Account | None
    sanctioned: bool  # shown as "a suspended account": what was said stays


class Speech(msgspec.Struct, array_like=True):
    """A stretch in which a seat spoke: [seat, from_ms, to_ms]."""

    seat: int
    from_ms: int
    to_ms: int


class Seats(msgspec.Struct):
    """The sidecar that turns seat numbers into people, through the gate."""

    roster: int
    seats: list[Seat]
    speech: list[Speech]


class Waveform(msgspec.Struct):
    """Peaks from 0 to 255, one for each `step_ms`, over the replay."""

    step_ms: int
    start_ms: int
    peaks: list[int]


class Reaction(msgspec.Struct, forbid_unknown_fields=True):
    emoji: str


class CreateClip(msgspec.Struct, forbid_unknown_fields=True):
    """A range of a Space, 1 to 120 seconds, on its timeline."""

    space: str
    start_ms: int
    end_ms: int


class Clip(msgspec.Struct):
    """A clip: `media_id` goes into `POST /api/v1/statuses` as `media_ids[]`."""

    id: str
    media_id: str
    space_id: str
    start_ms: int
    end_ms: int
    url: str
    page_url: str


class TrimReplay(msgspec.Struct, forbid_unknown_fields=True):
    """What is left out stays as it is."""

    start_ms: int | None = None
    end_ms: int | None = None


class RedactReason(StrEnum):
    """What hosts and moderators can say; `consent_withdrawn` is for who spoke to say."""

    PRIVATE_INFORMATION = "private_information"
    UNLAWFUL = "unlawful"
    OTHER = "other"


class Redact(msgspec.Struct, forbid_unknown_fields=True):
    """A range on the timeline. An end behind the end of the sound means: up to now."""

    from_ms: int
    to_ms: int
    reason: RedactReason


class ConsentTakenBack(msgspec.Struct):
    """What was taken out because of it, as [from_ms, to_ms]."""

    ranges: list[tuple[int, int]]
