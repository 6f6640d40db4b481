"""How long caches may keep a public Space's sound (RFC 9111). They, not we, answer its millions of HLS listeners.

Taking a Space's sound back is a matter of the Space, so nothing of it is kept for longer than SOUND_SECONDS twice:
once as fresh, once while the next answer is on its way (`stale-while-revalidate`, RFC 5861), so that what expires
is asked for once and not by everybody who comes meanwhile.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from folkmoot.gate import Refused
from folkmoot.recordings.sound import Sound
from folkmoot.tape import hls

SOUND_SECONDS: Final = 5
"""Sound, and the playlist of a replay."""
PLAYLIST_SECONDS: Final = hls.TARGET_DURATION_S // 2
"""A playlist that nobody waited for: half a target duration (draft-pantos-hls-rfc8216bis, 6.2.5.2)."""
WAITED_SECONDS: Final = 6 * hls.TARGET_DURATION_S
"""The answer to a blocking reload: six target durations. Its address is never asked for again by who has it."""
REFUSAL_SECONDS: Final = 1
"""What holds for the whole Space: that it is over, say, when ten thousand players ask at once."""
PRIVATE: Final = "private, no-store"
NO_STORE: Final = "no-store"
"""No playlist names this address now. Kept by a cache, it would still hold, when one does, what is true no more."""


def renewed(seconds: int) -> str:
    """Kept so long, and as long again while it is asked for anew."""
    return f"public, max-age={seconds}, stale-while-revalidate={seconds}"


def kept(open_part: Sound, value: str) -> dict[str, str]:
    """The header with this value, for what anybody may hear; for what only some may, that nobody keeps it."""
    return {"Cache-Control": value if open_part.is_public else PRIVATE}


@contextmanager
def refusing_all_alike() -> Iterator[None]:
    """Within a shared address: what is refused of a Space is refused to everybody, so one answer does for a second.

    Not what says otherwise, and not what is wrong with the single request.
    """
    try:
        yield
    except Refused as refusal:
        if refusal.status in _OF_THE_SPACE:
            refusal.headers.setdefault("Cache-Control", renewed(REFUSAL_SECONDS))
        raise


_OF_THE_SPACE = frozenset({404, 409, 410, 503})
