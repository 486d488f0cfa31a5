"""Making a picture of somebody else's bytes, safely: what comes out was drawn here, pixel by pixel, and holds nothing else that came in.

Pure. What is read is told by its first bytes, never by its name. Size is judged before anything is unfolded, so a small file that would
become a large picture is refused and not tried. What is kept is a plain JPEG without metadata: no place, no time, no camera, no thumbnail,
no comment, no colour profile, nothing after its end. Imported with the first photo that somebody brings, because the decoders take
memory that a service without photos should not pay for.
"""

import warnings
from io import BytesIO
from typing import Final

from PIL import Image, ImageOps

from app.contacts.errors import TooManyPixels, UnreadableImage
from app.kit.errors import UnsupportedMediaType

MOST_PIXELS: Final = 4096 * 4096
LONGEST_SIDE: Final = 512
MOST_BYTES: Final = 256 * 1024

_QUALITIES: Final = (85, 75, 60, 40, 20)
_MOST_SCANS: Final = 100
"""A progressive JPEG has about ten; each is a pass over the whole picture, and a file of a megabyte can have thousands."""
_SCAN: Final = b"\xff\xda"
_LEAST_BYTES: Final = 12

warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


def portrait(data: bytes) -> bytes:
    """Draw the picture in ``data`` (JPEG, PNG or WebP, of an animation the first frame) anew: at most 512 by 512, at most 256 KiB.

    Raises ``UnsupportedMediaType`` for anything that does not begin as one of the three, ``TooManyPixels``, and ``UnreadableImage``.
    """
    kind = _kind(data)
    if kind is None:
        detail = "The picture must be a JPEG, PNG or WebP file."
        raise UnsupportedMediaType(detail, detail_zh="图片须为 JPEG、PNG 或 WebP 格式。")
    if kind == "JPEG" and data.count(_SCAN) > _MOST_SCANS:
        raise UnreadableImage
    try:
        with Image.open(BytesIO(data), formats=(kind,)) as source:
            _refuse_large(source)
            drawn = _drawn(source)
    except TooManyPixels:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise TooManyPixels from None
    except Exception:  # noqa: BLE001 — decoders fail on hostile bytes in any way they like; the bytes are not quoted
        raise UnreadableImage from None
    return _written(drawn)


def dimensions(jpeg: bytes) -> tuple[int, int]:
    """Give width and height of a picture of our own making."""
    with Image.open(BytesIO(jpeg), formats=("JPEG",)) as picture:
        return picture.size


def _kind(data: bytes) -> str | None:
    if len(data) < _LEAST_BYTES:
        return None
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    return "WEBP" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def _refuse_large(source: Image.Image) -> None:
    width, height = source.size
    if width * height > MOST_PIXELS:
        raise TooManyPixels


def _drawn(source: Image.Image) -> Image.Image:
    """Unfold, turn upright, shrink, and copy the pixels onto white paper."""
    source.draft("RGB", (2 * LONGEST_SIDE, 2 * LONGEST_SIDE))
    source.load()
    upright = ImageOps.exif_transpose(source)
    flat = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    flat.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    paper = Image.new("RGB", flat.size, "white")
    paper.paste(flat, mask=flat if flat.mode == "RGBA" else None)
    return paper


def _written(drawn: Image.Image) -> bytes:
    """Write a JPEG, the best that fits; pure noise, which compresses worst, takes 190 KiB at the first quality and 50 at the last."""
    written = b""
    for quality in _QUALITIES:
        kept = BytesIO()
        drawn.save(kept, "JPEG", quality=quality, optimize=True)
        written = kept.getvalue()
        if len(written) <= MOST_BYTES:
            break
    return written
