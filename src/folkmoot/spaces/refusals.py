"""Why a Space says no: stable codes for programs, a sentence for people."""

from enum import StrEnum

import msgspec

from folkmoot.spaces.model import (
    ASKING_MAX,
    CO_HOSTS_MAX,
    GUESTS_MAX,
    INVITATIONS_OPEN_MAX,
    STAGE_PLACES_MAX,
)

TITLE_CHARACTERS_MAX = 120
TOPICS_MAX = 3
TOPIC_CHARACTERS_MAX = 40
SCHEDULE_DAYS_MAX = 365


class Code(StrEnum):
    """Codes of refusals. They are part of the API: a code is never renamed or given another meaning."""

    NO_SUCH_ACCOUNT = "no_such_account"
    NO_SUCH_SEAT = "no_such_seat"
    CANCELLED = "cancelled"
    ENDED = "ended"
    NOT_LIVE = "not_live"
    ALREADY_STARTED = "already_started"
    NOT_HOST = "not_host"
    NOT_HOST_OR_CO_HOST = "not_host_or_co_host"
    NOT_ON_STAGE = "not_on_stage"
    OUTRANKED = "outranked"
    REMOVED = "removed"
    NOT_REMOVED = "not_removed"
    BLOCKED = "blocked"
    NOT_IN_AUDIENCE = "not_in_audience"
    SPEAKING_BY_FOLLOW = "speaking_by_follow"
    SPEAKING_BY_INVITATION = "speaking_by_invitation"
    ROOM_LOCKED = "room_locked"
    ALREADY_LOCKED = "already_locked"
    NOT_LOCKED = "not_locked"
    STAGE_FULL = "stage_full"
    QUEUE_FULL = "queue_full"
    INVITATIONS_FULL = "invitations_full"
    GUESTS_FULL = "guests_full"
    CO_HOSTS_FULL = "co_hosts_full"
    ALREADY_ON_STAGE = "already_on_stage"
    ALREADY_ASKING = "already_asking"
    NOT_ASKING = "not_asking"
    ALREADY_INVITED = "already_invited"
    NOT_INVITED = "not_invited"
    ALREADY_CO_HOST = "already_co_host"
    NOT_CO_HOST = "not_co_host"
    ALREADY_HOST = "already_host"
    ALREADY_MUTED = "already_muted"
    NOT_MUTED = "not_muted"
    MUTED_FOR_A_TIME = "muted_for_a_time"
    NOBODY_TO_MUTE = "nobody_to_mute"
    NOT_PINNED = "not_pinned"
    NOTHING_TO_CHANGE = "nothing_to_change"
    CONSENT_NEEDED = "consent_needed"
    CONSENT_POINTLESS = "consent_pointless"
    NOT_RECORDED = "not_recorded"
    CANNOT_INVITE_HOST_ROLE = "cannot_invite_host_role"
    TITLE_EMPTY = "title_empty"
    TITLE_TOO_LONG = "title_too_long"
    TITLE_CHARACTERS = "title_characters"
    TOPICS_TOO_MANY = "topics_too_many"
    TOPIC_EMPTY = "topic_empty"
    TOPIC_TOO_LONG = "topic_too_long"
    TOPIC_CHARACTERS = "topic_characters"
    LANGUAGE_INVALID = "language_invalid"
    SCHEDULE_PAST = "schedule_past"
    SCHEDULE_TOO_FAR = "schedule_too_far"


SENTENCES: dict[Code, str] = {
    Code.NO_SUCH_ACCOUNT: "There is no such account that could take part.",
    Code.NO_SUCH_SEAT: "Nobody holds this seat any more.",
    Code.CANCELLED: "This Space was cancelled.",
    Code.ENDED: "This Space is over.",
    Code.NOT_LIVE: "This Space has not started yet.",
    Code.ALREADY_STARTED: "This Space has already started.",
    Code.NOT_HOST: "Only the host can do this.",
    Code.NOT_HOST_OR_CO_HOST: "Only the host or a co-host can do this.",
    Code.NOT_ON_STAGE: "That needs somebody who is on stage.",
    Code.OUTRANKED: "A co-host can't do this to the host or another co-host, and nobody to themselves.",
    Code.REMOVED: "Whoever was removed from this Space stays out of it until let back in.",
    Code.NOT_REMOVED: "This account was not removed from the Space.",
    Code.BLOCKED: "The host and this account have one blocked the other.",
    Code.NOT_IN_AUDIENCE: "This Space is not open to this account.",
    Code.SPEAKING_BY_FOLLOW: "In this Space only people whom the host follows, or invites, can speak.",
    Code.SPEAKING_BY_INVITATION: "In this Space only people who were invited can speak.",
    Code.ROOM_LOCKED: "The room is locked: nobody else comes on stage until it is unlocked.",
    Code.ALREADY_LOCKED: "The room is already locked.",
    Code.NOT_LOCKED: "The room is not locked.",
    Code.STAGE_FULL: f"The stage is full: it has {STAGE_PLACES_MAX} places, the host's and co-hosts' included.",
    Code.QUEUE_FULL: f"{ASKING_MAX} people are already asking to speak. Try again when some were heard.",
    Code.INVITATIONS_FULL: f"{INVITATIONS_OPEN_MAX} invitations are open. Withdraw some or wait for answers.",
    Code.GUESTS_FULL: f"The guest list is full: it has room for {GUESTS_MAX} people.",
    Code.CO_HOSTS_FULL: f"A Space has at most {CO_HOSTS_MAX} co-hosts.",
    Code.ALREADY_ON_STAGE: "This account is already on stage.",
    Code.ALREADY_ASKING: "This account is already asking to speak.",
    Code.NOT_ASKING: "This account is not asking to speak.",
    Code.ALREADY_INVITED: "This account is already invited.",
    Code.NOT_INVITED: "This account is not invited.",
    Code.ALREADY_CO_HOST: "This account is already a co-host.",
    Code.NOT_CO_HOST: "This account is not a co-host.",
    Code.ALREADY_HOST: "This account is already the host.",
    Code.ALREADY_MUTED: "This microphone is already muted.",
    Code.NOT_MUTED: "This microphone is not muted.",
    Code.MUTED_FOR_A_TIME: "A host has muted you for a time: you can open the microphone again when it is over.",
    Code.NOBODY_TO_MUTE: "There is no speaker with an open microphone.",
    Code.NOT_PINNED: "No post is pinned.",
    Code.NOTHING_TO_CHANGE: "Say what to change: a title, topics, or both.",
    Code.CONSENT_NEEDED: "This Space is recorded: agree to the recording before you go on stage.",
    Code.CONSENT_POINTLESS: "Only who is on stage, or about to go there, needs to agree to the recording.",
    Code.NOT_RECORDED: "This Space is not recorded.",
    Code.CANNOT_INVITE_HOST_ROLE: "Invite as speaker, co_host or listener; to change the host, hand over.",
    Code.TITLE_EMPTY: "A Space needs a title that can be seen.",
    Code.TITLE_TOO_LONG: f"A title has at most {TITLE_CHARACTERS_MAX} characters.",
    Code.TITLE_CHARACTERS: "A title is one line of text without control characters.",
    Code.TOPICS_TOO_MANY: f"A Space has at most {TOPICS_MAX} topics.",
    Code.TOPIC_EMPTY: "A topic can't be empty.",
    Code.TOPIC_TOO_LONG: f"A topic has at most {TOPIC_CHARACTERS_MAX} characters.",
    Code.TOPIC_CHARACTERS: "A topic is one line of text without control characters.",
    Code.LANGUAGE_INVALID: "Write the language as a tag like en, pt-BR or zh-Hant-TW.",
    Code.SCHEDULE_PAST: "The time that a Space is scheduled for must lie ahead.",
    Code.SCHEDULE_TOO_FAR: f"A Space can be scheduled at most {SCHEDULE_DAYS_MAX} days ahead.",
}


class Refused(msgspec.Struct, frozen=True):
    """A no. `code` is stable, `sentence` is for people. Nothing has changed."""

    code: Code
    sentence: str


class RefusalError(Exception):
    """Carries a refusal from the check that made it to the edge of the rules, which returns it as a value."""

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self.refused = Refused(code, SENTENCES[code])
