"""What somebody else's bytes become: a small plain JPEG, or a refusal. Nothing that came in goes out as it came."""

import warnings
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from app.contacts.errors import TooManyPixels, UnreadableImage
from app.contacts.pictures import LONGEST_SIDE, MOST_BYTES, MOST_PIXELS, dimensions, portrait
from app.kit.errors import Problem, UnsupportedMediaType
from tests.support.pictures import (
    FOREIGN,
    SECRET_PLACE,
    bomb,
    encoded,
    many_scans,
    noise,
    opened,
    picture,
    segments,
    with_metadata,
)

KINDS: Final = ("JPEG", "PNG", "WEBP")
PLAIN: Final = frozenset({0xE0, 0xDB, 0xC0, 0xC4})
"""JFIF, quantisation, frame, Huffman: what a JPEG needs and nothing else."""


def near(pixel: object, level: int) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(each - level) < 25 for each in pixel)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_becomes_a_small_jpeg_of_the_same_shape(kind: str) -> None:
    kept = portrait(picture(kind))
    image = opened(kept)
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (512, 341))
    assert dimensions(kept) == image.size
    assert near(image.getpixel((50, 170)), 30)
    assert near(image.getpixel((460, 170)), 220)


def test_a_small_picture_is_not_enlarged() -> None:
    assert dimensions(portrait(picture("PNG", (3, 7)))) == (3, 7)


def test_a_ribbon_keeps_at_least_a_line() -> None:
    assert dimensions(portrait(picture("PNG", (8000, 2)))) == (512, 1)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("JPEG", "CMYK"),
        ("JPEG", "L"),
        ("PNG", "1"),
        ("PNG", "P"),
        ("PNG", "LA"),
        ("PNG", "I;16"),
        ("PNG", "RGBA"),
        ("WEBP", "RGBA"),
    ],
)
def test_every_way_of_writing_colours_is_understood(kind: str, mode: str) -> None:
    assert opened(portrait(picture(kind, mode=mode))).mode == "RGB"


def test_what_is_transparent_becomes_white() -> None:
    clear = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    assert near(opened(portrait(encoded(clear, "PNG"))).getpixel((20, 20)), 255)


@pytest.mark.parametrize("kind", KINDS)
def test_no_metadata_gets_through(kind: str) -> None:
    brought = with_metadata(kind)
    assert brought.count(SECRET_PLACE) >= 3, "the picture should have told"
    kept = portrait(brought)
    assert SECRET_PLACE not in kept
    assert set(segments(kept)) <= PLAIN
    assert kept.endswith(b"\xff\xd9")
    image = opened(kept)
    assert dict(image.getexif()) == {}
    assert {"exif", "icc_profile", "comment", "xmp"}.isdisjoint(image.info)


@pytest.mark.parametrize(
    ("orientation", "size", "dark"),
    [(1, (512, 341), (50, 170)), (3, (512, 341), (460, 170)), (6, (341, 512), (170, 50)), (8, (341, 512), (170, 460))],
)
def test_a_picture_stands_upright_without_its_orientation(
    orientation: int, size: tuple[int, int], dark: tuple[int, int]
) -> None:
    image = opened(portrait(with_metadata("JPEG", orientation=orientation)))
    assert image.size == size
    assert near(image.getpixel(dark), 30)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_kept(kind: str) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("black", "white", "white")]
    moving = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    assert near(opened(portrait(moving)).getpixel((10, 10)), 0)


def test_what_compresses_worst_fits_all_the_same() -> None:
    assert len(portrait(encoded(noise(), "JPEG", quality=100))) <= MOST_BYTES


@pytest.mark.parametrize("name", FOREIGN)
def test_other_kinds_are_refused_by_what_they_are(name: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        portrait(FOREIGN[name])


@pytest.mark.parametrize(
    "data",
    [
        bomb(),
        bomb(65_535, 300),
        bomb(4097, 4096),
        bomb(2_000_000_000, 2_000_000_000),
        picture("WEBP", (16_000, 1_100)),
        picture("JPEG", (16_000, 1_100), mode="L", progressive=True),
        bomb(20_000, 5_000),
    ],
    ids=["gigabytes", "wide", "one line too many", "beyond counting", "webp", "jpeg", "between warning and error"],
)
def test_a_bomb_is_refused_before_it_unfolds(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def unfold(*_arguments: Any) -> None:  # noqa: ANN401 — of Pillow
        pytest.fail("the bomb was lit")

    assert len(data) <= 1_048_576
    monkeypatch.setattr(ImageFile.ImageFile, "load", unfold)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(TooManyPixels):
            portrait(data)


def test_the_largest_that_is_taken_is_taken() -> None:
    side = int(MOST_PIXELS**0.5)
    assert dimensions(portrait(picture("PNG", (side, side), mode="1"))) == (LONGEST_SIDE, LONGEST_SIDE)


def test_a_picture_of_endless_passes_is_refused() -> None:
    endless = many_scans()
    assert opened(endless).size == (64, 64), "it is a picture, only a slow one"
    with pytest.raises(UnreadableImage):
        portrait(endless)
    assert dimensions(portrait(picture(progressive=True))) == (512, 341)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.9])
def test_half_a_picture_is_none(kind: str, part: float) -> None:
    whole = encoded(noise((200, 200)), kind)
    with pytest.raises(UnreadableImage):
        portrait(whole[: int(len(whole) * part)])


@pytest.mark.parametrize("kind", KINDS)
def test_what_hangs_on_a_picture_is_left_behind(kind: str) -> None:
    """A file that is a picture to one reader and an archive or a page to another is only a picture when it leaves."""
    rider = b"PK\x03\x04<script>alert(1)</script>" * 20
    kept = portrait(picture(kind) + rider)
    assert rider[:20] not in kept
    assert kept == portrait(picture(kind))


def test_an_answer_quotes_nothing_of_what_came() -> None:
    with pytest.raises(UnreadableImage) as refusal:
        portrait(b"\x89PNG\r\n\x1a\n" + SECRET_PLACE)
    assert SECRET_PLACE.decode() not in f"{refusal.value} {refusal.value.errors} {refusal.value.__cause__}"
    assert refusal.value.__suppress_context__


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from(KINDS),
    edits=st.lists(st.tuples(st.integers(4, 2000), st.integers(0, 255)), min_size=1, max_size=12),
    cut=st.integers(0, 40),
)
def test_damaged_bytes_are_a_picture_or_a_refusal(kind: str, edits: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(picture(kind, (60, 40)))
    for at, value in edits:
        data[at % len(data)] = value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            kept = portrait(bytes(data[: len(data) - cut]))
        except Problem as refusal:
            assert isinstance(refusal, UnreadableImage | TooManyPixels | UnsupportedMediaType)  # noqa: PT017 — or a picture
        else:
            assert max(dimensions(kept)) <= LONGEST_SIDE


def test_the_decoders_are_loaded_with_the_first_photo_and_not_before() -> None:
    """A service without photos pays neither their memory nor their time (design/performance.md, P9)."""
    for path in Path("app").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name != "pictures.py":
            assert "PIL" not in text, path
            assert "\nfrom app.contacts.pictures" not in text, path
            assert "\nfrom app.contacts import pictures" not in text, path
