"""What may be posted: pure decisions, refused with a sentence."""

import re
import unicodedata
from collections.abc import Collection

from msgspec.structs import replace

from folkmoot.gate import Refused, invalid
from folkmoot.posts.language import detected
from folkmoot.posts.model import CHARACTERS_MAX, MEDIA_MAX, Draft, Poll, PollDraft
from folkmoot.posts.text import counted_characters, tokens, visible_characters

# Links count as 23 and marks don't count, so the bytes that are kept need a bound of their own.
SOURCE_CODE_POINTS_MAX = 10_000
MENTIONS_MAX = 50
IDEMPOTENCY_KEY_CHARACTERS_MAX = 255
IDEMPOTENCY_MS = 3_600_000
DESCRIPTION_CHARACTERS_MAX = 1_500

POLL_OPTIONS_MAX = 4
POLL_OPTION_CHARACTERS_MAX = 50
POLL_LASTS_S_MIN = 300
POLL_LASTS_S_MAX = 2_629_746  # a month, as on Mastodon

_KEPT_CONTROLS = frozenset("\n\t")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")


def clean_draft(draft: Draft) -> Draft:
    """The draft as it will be kept, in the language that was said or found. Raises Refused 422 for what cannot be
    posted."""
    if len(draft.source) > SOURCE_CODE_POINTS_MAX or len(draft.spoiler_text) > SOURCE_CODE_POINTS_MAX:
        raise _refused(f"Text character limit of {CHARACTERS_MAX} exceeded")
    source = clean_text(draft.source)
    spoiler_text = " ".join(clean_text(draft.spoiler_text).split())
    sensitive = draft.sensitive or bool(spoiler_text)
    if not _says_something(source) and _says_something(spoiler_text):
        source, spoiler_text = spoiler_text, ""
    if not _says_something(source) and not draft.media_ids and draft.quoted_id is None:
        raise invalid("Text can't be blank")
    if counted_characters(tokens(source)) + visible_characters(spoiler_text) > CHARACTERS_MAX:
        raise invalid(f"Text character limit of {CHARACTERS_MAX} exceeded")
    if len(draft.media_ids) > MEDIA_MAX:
        raise invalid(f"Cannot attach more than {MEDIA_MAX} files")
    if draft.idempotency_key is not None and len(draft.idempotency_key) > IDEMPOTENCY_KEY_CHARACTERS_MAX:
        raise _refused(f"An Idempotency-Key has at most {IDEMPOTENCY_KEY_CHARACTERS_MAX} characters.")
    return replace(
        draft,
        source=source,
        spoiler_text=spoiler_text,
        sensitive=sensitive,
        language=clean_language(draft.language) or detected(source),
        media_ids=tuple(dict.fromkeys(draft.media_ids)),
        poll=_clean_poll(draft.poll, draft) if draft.poll is not None else None,
    )


def _clean_poll(poll: PollDraft, draft: Draft) -> PollDraft:
    """Raises Refused 422."""
    if draft.media_ids:
        raise invalid("A post has files or a poll, not both")
    options = tuple(" ".join(clean_text(option[:SOURCE_CODE_POINTS_MAX]).split()) for option in poll.options)
    if not 2 <= len(options) <= POLL_OPTIONS_MAX:
        raise invalid(f"Options must be 2 to {POLL_OPTIONS_MAX}")
    if not all(map(_says_something, options)):
        raise invalid("Options can't be blank")
    if len(set(options)) < len(options):
        raise invalid("Options must each be another")
    if any(visible_characters(option) > POLL_OPTION_CHARACTERS_MAX for option in options):
        raise invalid(f"Options can't be longer than {POLL_OPTION_CHARACTERS_MAX} characters")
    if not POLL_LASTS_S_MIN <= poll.lasts_s <= POLL_LASTS_S_MAX:
        raise invalid("Expiration must be five minutes to a month from now")
    return replace(poll, options=options)


def clean_choices(poll: Poll, choices: Collection[int]) -> frozenset[int]:
    """What somebody chooses in a poll. Raises Refused 422."""
    chosen = frozenset(choices)
    if not chosen or not all(0 <= option < len(poll.options) for option in chosen):
        raise invalid("The chosen vote option does not exist")
    if len(chosen) > 1 and not poll.multiple:
        raise invalid("Only one option of this poll can be chosen")
    return chosen


def clean_text(text: str) -> str:
    """Line ends made one kind, outer space gone. Raises Refused 422 for control characters."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    for character in unified:
        if unicodedata.category(character) in ("Cc", "Cs") and character not in _KEPT_CONTROLS:
            raise invalid("Text contains control characters")
    return unified


def clean_description(description: str) -> str:
    """Raises Refused 422."""
    clean = clean_text(description)
    if len(clean) > DESCRIPTION_CHARACTERS_MAX:
        raise invalid(f"Description is limited to {DESCRIPTION_CHARACTERS_MAX} characters")
    return clean


def clean_language(tag: str | None) -> str | None:
    """Raises Refused 422 for what is no language tag (RFC 5646)."""
    if not tag:
        return None
    if len(tag) > 16 or _LANGUAGE.fullmatch(tag) is None:
        raise invalid("Language is not a language tag like en or pt-BR")
    return tag


def require_mentions_bounded(usernames: Collection[str]) -> None:
    if len(usernames) > MENTIONS_MAX:
        raise invalid(f"A post mentions at most {MENTIONS_MAX} accounts")


def require_attachable(kinds: Collection[str]) -> None:
    """Clients play one sound or one film in a post, and nothing beside it."""
    if len(kinds) > 1 and "audio" in kinds:
        raise invalid("An audio file is the only attachment of its post")
    if len(kinds) > 1 and "video" in kinds:
        raise _refused("Cannot attach a video to a post that already contains images")


def _says_something(source: str) -> bool:
    return any(unicodedata.category(character)[0] not in "ZCM" for character in source)


def _refused(sentence: str) -> Refused:
    return Refused("validation_failed", sentence, status=422)
