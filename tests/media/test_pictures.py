"""Pictures, in this process: what is kept of them, and what isn't."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support import uploads

from folkmoot.media import pictures
from folkmoot.media.model import AVATAR_SIDE_PIXELS, HEADER_PIXELS, Processed, Purpose, Unusable
from folkmoot.media.sniffing import HEAD_BYTES, sniff


@pytest.fixture(autouse=True)
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def opened(content: bytes) -> Image.Image:
    form = sniff(content[:HEAD_BYTES])
    assert form is not None
    return pictures.open_picture(uploads.write(content, Path("source")), form)


def process(content: bytes, purpose: Purpose = Purpose.ATTACHMENT) -> Processed:
    return pictures.still(opened(content), purpose)


def test_nothing_is_left_of_what_a_camera_writes() -> None:
    processed = process(uploads.photograph(60, 40, orientation=6))
    assert (processed.original.width, processed.original.height) == (40, 60)
    assert processed.small is not None
    for piece in (processed.original, processed.small):
        with Image.open(piece.name) as kept:
            assert not kept.getexif()
            assert kept.size == (40, 60)
            assert {"exif", "icc_profile", "xmp", "comment"}.isdisjoint(kept.info)
        assert uploads.SECRET.encode() not in Path(piece.name).read_bytes()


def test_it_is_turned_upright() -> None:
    upright = process(uploads.photograph(60, 40, orientation=6))
    with Image.open(upright.original.name) as kept:
        corner = np.asarray(kept.convert("RGB"))[0, 39]
    # The corner that was at the top left is at the top right now.
    assert max(corner) < 40


@pytest.mark.parametrize(
    ("form", "content_type"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp"), ("AVIF", "image/jpeg")],
)
def test_each_form_is_written_as_one_that_clients_show(form: str, content_type: str) -> None:
    assert process(uploads.photograph(form=form)).original.content_type == content_type


def test_what_telephones_make_is_taken() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
    assert process(uploads.photograph(form="HEIF")).original.content_type == "image/jpeg"


def test_holes_stay_holes() -> None:
    written = io.BytesIO()
    see_through = uploads.colours(30, 20).convert("RGBA")
    see_through.putalpha(100)
    see_through.save(written, "PNG")
    processed = process(written.getvalue())
    with Image.open(processed.original.name) as kept:
        assert kept.mode == "RGBA"
        assert kept.getchannel("A").getextrema() == (100, 100)


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "I;16"])
def test_every_kind_of_colours_is_read(mode: str) -> None:
    written = io.BytesIO()
    Image.new(mode, (10, 10)).save(written, "JPEG" if mode == "CMYK" else "PNG")
    assert process(written.getvalue()).original.width == 10


def test_a_large_one_is_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "SHOWN_PIXELS_MAX", 2_000)
    monkeypatch.setattr(pictures, "SMALL_PIXELS_MAX", 500)
    processed = process(uploads.photograph(100, 50))
    assert (processed.original.width, processed.original.height) == (63, 31)
    assert processed.small is not None
    assert processed.small.width * processed.small.height <= 500


def test_too_many_pixels_are_refused_before_they_are_read() -> None:
    with pytest.raises(Unusable, match="12000x12000 images are not supported"):
        opened(uploads.bomb())


def test_avatars_and_headers_have_their_size() -> None:
    avatar = process(uploads.photograph(900, 500), Purpose.AVATAR).original
    assert (avatar.width, avatar.height) == (AVATAR_SIDE_PIXELS, AVATAR_SIDE_PIXELS)
    header = process(uploads.photograph(900, 500), Purpose.HEADER).original
    assert (header.width, header.height) == HEADER_PIXELS


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_an_avatar_that_moves_has_a_still(form: str) -> None:
    processed = pictures.moving(opened(uploads.animation(3, form)), Purpose.AVATAR)
    with Image.open(processed.original.name) as kept:
        assert getattr(kept, "n_frames", 1) == 3
    assert processed.small is not None
    with Image.open(processed.small.name) as kept:
        assert getattr(kept, "n_frames", 1) == 1


def test_too_many_frames_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "ANIMATION_FRAMES_MAX", 3)
    with pytest.raises(Unusable):
        list(pictures.frames(opened(uploads.animation(4))))


def test_a_blurhash_tells_the_colours() -> None:
    red = pictures.blurhash_of(Image.new("RGB", (50, 20), "red"))
    assert len(red) == 4 + 2 + 2 * (4 * 4 - 1)
    assert red != pictures.blurhash_of(Image.new("RGB", (50, 20), "blue"))
