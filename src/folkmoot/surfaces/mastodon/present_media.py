"""Files as Mastodon's JSON: https://docs.joinmastodon.org/entities/MediaAttachment/."""

from typing import Any

from folkmoot.gate import Visible
from folkmoot.posts.files.model import Media
from folkmoot.surfaces.mastodon import media_links, status_entities


def attachment(visible: Visible[Media], url: str) -> status_entities.MediaAttachment:
    """A file, with its address for this viewer; one that isn't processed yet has none."""
    media = visible.item
    details = media.details
    shown = status_entities.MediaAttachment(
        id=str(media.id),
        type=media.kind,
        url=url if details.is_ready else None,
        preview_url=media_links.preview_of(url, media) if details.is_ready else None,
        meta=_meta(media) if details.is_ready else {},
        description=_described(media) or None,
        blurhash=details.blurhash,
    )
    if details.percent is not None:
        shown.folkmoot = status_entities.UnderWay(progress=details.percent)
    return shown


def _meta(media: Media) -> dict[str, Any]:
    details = media.details
    meta: dict[str, Any] = {}
    if media.kind != "image":
        meta |= _length(media)
    if media.kind in ("video", "gifv"):
        meta |= _size(details.width, details.height)
        meta["original"] |= {
            "width": details.width, "height": details.height, "frame_rate": details.frame_rate,
        }  # fmt: skip
    elif media.kind == "image":
        meta["original"] = _size(details.width, details.height)
    if details.preview is not None:
        meta["small"] = _size(details.preview.width, details.preview.height)
    if details.focus is not None:
        meta["focus"] = {"x": details.focus[0], "y": details.focus[1]}
    if details.waveform:
        meta["waveform"] = list(details.waveform)
    return meta


def _length(media: Media) -> dict[str, Any]:
    seconds = media.details.duration_ms / 1000
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    length: dict[str, Any] = {
        "length": f"{hours}:{minutes:02}:{rest:05.2f}",
        "duration": seconds,
        "original": {"duration": seconds, "bitrate": media.details.bitrate},
    }
    if media.clip_id is not None:
        length |= {"audio_encode": "aac (LC)", "audio_bitrate": "48000 Hz", "audio_channels": "mono"}
    return length


def _size(width: int, height: int) -> dict[str, Any]:
    aspect = round(width / height, 6) if height else 0
    return {"width": width, "height": height, "size": f"{width}x{height}", "aspect": aspect}


def _described(media: Media) -> str:
    """For clients that know nothing of marks, what was taken out stands in the description."""
    taken_out = media.details.taken_out
    seconds = sum(one.to_ms - one.from_ms for one in taken_out) / 1000
    why = " ".join(dict.fromkeys(one.sentence for one in taken_out))
    mark = f"({seconds:.1f} s were taken out. {why})" if taken_out else ""
    return "\n".join(part for part in (media.description, mark) if part)
