"""Pictures: decoded, turned upright, brought to sRGB, bounded, and written anew without anything else.

Runs in a confined child process only (`child.py`).
"""

import io
import math
from collections.abc import Iterator
from pathlib import Path

import blurhash
import pillow_heif
from PIL import Image, ImageCms, ImageOps

from folkmoot.media import sniffing
from folkmoot.media.model import (
    ANIMATION_FRAMES_MAX,
    ANIMATION_PIXELS_MAX,
    AVATAR_SIDE_PIXELS,
    EMOJI_SIDE_PIXELS_MAX,
    HEADER_PIXELS,
    IMAGE_PIXELS_MAX,
    SHOWN_PIXELS_MAX,
    SMALL_PIXELS_MAX,
    Piece,
    Processed,
    Purpose,
    Unusable,
)
from folkmoot.media.sniffing import Format

FRAME_MS_DEFAULT = 100  # what browsers take a frame without a time for
_FRAME_MS_MIN = 20
_SMALL_FRAMES_MAX = 150
_BLURHASH_SIDE = 32
_BLURHASH_COMPONENTS = 4
_TYPES = {"JPEG": ("jpeg", "image/jpeg"), "PNG": ("png", "image/png"), "WEBP": ("webp", "image/webp")}
_SIDES = {Purpose.AVATAR: (AVATAR_SIDE_PIXELS, AVATAR_SIDE_PIXELS), Purpose.HEADER: HEADER_PIXELS}


def open_picture(source: Path, form: Format) -> Image.Image:
    """A picture whose header was read and whose size is bounded. Raises Unusable, and what Pillow raises."""
    if form is sniffing.HEIF:
        pillow_heif.register_heif_opener()
    # Pillow's own bound is twice this, and a warning before.
    Image.MAX_IMAGE_PIXELS = None
    image = Image.open(source, formats=[form.reader])
    if image.width * image.height > IMAGE_PIXELS_MAX:
        raise Unusable(f"{image.width}x{image.height} images are not supported")
    return image


def is_animated(image: Image.Image) -> bool:
    return getattr(image, "n_frames", 1) > 1


def still(image: Image.Image, purpose: Purpose) -> Processed:
    """One picture, and of an attachment a smaller one."""
    source_format = image.format or ""
    if source_format == "JPEG" and purpose is not Purpose.ATTACHMENT:
        image.draft("RGB", (HEADER_PIXELS[0], HEADER_PIXELS[0]))  # decode no more than that
    upright = _fitted(_clean(image), purpose)
    original = _write(upright, "original", source_format)
    small = None
    if purpose is Purpose.ATTACHMENT:
        small = _write(within(upright, SMALL_PIXELS_MAX), "small", source_format)
    return Processed(kind="image", original=original, small=small, blurhash=blurhash_of(upright))


def moving(image: Image.Image, purpose: Purpose) -> Processed:
    """An animated avatar, header or emoji: it moves, and beside it one that doesn't. A long one doesn't move."""
    if getattr(image, "n_frames", 1) > _SMALL_FRAMES_MAX:
        return still(image, purpose)
    shown = [(_fitted(frame, purpose), duration_ms) for frame, duration_ms in frames(image)]
    first = shown[0][0]
    first.save(
        "original.webp",
        "WEBP",
        save_all=True,
        append_images=[frame for frame, _ in shown[1:]],
        duration=[duration_ms for _, duration_ms in shown],
        loop=0,
    )
    original = Piece("original.webp", "image/webp", first.width, first.height)
    return Processed(
        kind="image", original=original, small=_write(first, "small", "PNG"), blurhash=blurhash_of(first)
    )


def frames(image: Image.Image) -> Iterator[tuple[Image.Image, int]]:
    """Each frame of an animation as it is seen, with how many ms it is. Raises Unusable for too many."""
    count = getattr(image, "n_frames", 1)
    if count > ANIMATION_FRAMES_MAX or count * image.width * image.height > ANIMATION_PIXELS_MAX:
        raise Unusable(f"Animations of {count} frames of {image.width}x{image.height} are not supported")
    for number in range(count):
        image.seek(number)
        shown_ms = int(image.info.get("duration", 0))
        yield image.convert("RGBA"), shown_ms if shown_ms >= _FRAME_MS_MIN else FRAME_MS_DEFAULT


def preview(image: Image.Image, name: str = "small") -> tuple[Piece, str]:
    """A small picture of a frame or a cover, and its blurhash."""
    upright = within(_clean(image), SMALL_PIXELS_MAX)
    return _write(upright, name, "JPEG"), blurhash_of(upright)


def within(image: Image.Image, pixels_max: int) -> Image.Image:
    """The same, or smaller with the same proportions."""
    if image.width * image.height <= pixels_max:
        return image
    scale = math.sqrt(pixels_max / (image.width * image.height))
    size = max(1, math.floor(image.width * scale)), max(1, math.floor(image.height * scale))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def blurhash_of(image: Image.Image) -> str:
    """https://blurha.sh/, of a picture on white."""
    tiny = on_white(image.resize((_BLURHASH_SIDE, _BLURHASH_SIDE), Image.Resampling.BOX))
    pixels = list(tiny.get_flattened_data())
    rows = [pixels[at : at + _BLURHASH_SIDE] for at in range(0, len(pixels), _BLURHASH_SIDE)]
    encoded: str = blurhash.encode(rows, components_x=_BLURHASH_COMPONENTS, components_y=_BLURHASH_COMPONENTS)
    return encoded


def _fitted(image: Image.Image, purpose: Purpose) -> Image.Image:
    side = _SIDES.get(purpose)
    if side is not None:
        return ImageOps.fit(image, side, Image.Resampling.LANCZOS)
    if purpose is Purpose.EMOJI:
        return within(image, EMOJI_SIDE_PIXELS_MAX**2)
    return within(image, SHOWN_PIXELS_MAX if purpose is Purpose.ATTACHMENT else SMALL_PIXELS_MAX)


def _clean(image: Image.Image) -> Image.Image:
    """Upright, in sRGB, RGB or RGBA."""
    upright = ImageOps.exif_transpose(image)
    profile = upright.info.get("icc_profile")
    if upright.mode.startswith("I") or upright.mode == "F":
        upright = upright.convert("I").point(lambda value: value / 256).convert("L")
    if upright.mode in ("RGB", "CMYK") and profile:
        upright = _in_srgb(upright, profile)
    has_alpha = "A" in upright.getbands() or "transparency" in upright.info
    cleaned = upright.convert("RGBA" if has_alpha else "RGB")
    if has_alpha and cleaned.getchannel("A").getextrema()[0] == 255:
        cleaned = cleaned.convert("RGB")
    cleaned.info = {}
    return cleaned


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, embedded, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image  # a profile that can't be read changes nothing
    return converted or image


def on_white(image: Image.Image) -> Image.Image:
    """Without holes."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def _write(image: Image.Image, name: str, source_format: str) -> Piece:
    """As what it was where every client shows that, else as JPEG; with holes in it, as something that has some."""
    if source_format in ("PNG", "GIF"):
        written_as = "PNG"
    elif image.mode == "RGBA" or source_format == "WEBP":
        written_as = "WEBP"
    else:
        written_as = "JPEG"
    extension, content_type = _TYPES[written_as]
    piece = Piece(f"{name}.{extension}", content_type, image.width, image.height)
    image.save(piece.name, written_as, **({} if written_as == "PNG" else {"quality": 90}))
    return piece
