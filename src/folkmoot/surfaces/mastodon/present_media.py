"""Files as Mastodon's JSON. Takes what the gate admitted, and nothing else."""

from folkmoot.gate import Visible
from folkmoot.posts.files.model import Media
from folkmoot.surfaces.mastodon import status_entities


def attachment(visible: Visible[Media], url: str) -> status_entities.MediaAttachment:
    """A file. Sound only, until there are pictures."""
    media = visible.item
    seconds = media.details.duration_ms / 1000
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return status_entities.MediaAttachment(
        id=str(media.id),
        type="audio",
        url=url,
        meta={
            "length": f"{hours}:{minutes:02}:{rest:05.2f}",
            "duration": seconds,
            "audio_encode": "aac (LC)",
            "audio_bitrate": "48000 Hz",
            "audio_channels": "mono",
            "original": {"duration": seconds, "bitrate": media.details.bitrate},
            "waveform": list(media.details.waveform),
        },
        description=_described(media) or None,
    )


def _described(media: Media) -> str:
    """For clients that know nothing of marks, what was taken out stands in the description."""
    taken_out = media.details.taken_out
    seconds = sum(one.to_ms - one.from_ms for one in taken_out) / 1000
    why = " ".join(dict.fromkeys(one.sentence for one in taken_out))
    mark = f"({seconds:.1f} s were taken out. {why})" if taken_out else ""
    return "\n".join(part for part in (media.description, mark) if part)
