"""Pictures as attachments: whole, of one format, of a size that a screen can be asked to draw. What they show nobody judges."""

import re
import warnings
from io import BytesIO
from typing import Final

from PIL import Image

from app.attachments.errors import ContentMismatch, UnreadableFile, UnsafeContent
from app.attachments.kinds import FileType

MOST_PIXELS: Final = 64_000_000
"""Two pages side by side at 600 dots to the inch."""

_FORMATS: Final = {FileType.PNG: "PNG", FileType.JPEG: "JPEG", FileType.WEBP: "WEBP"}
_PNG_END: Final = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_JPEG_END: Final = re.compile(b"\xff\xd9")
_MOST_FRAMES: Final = 200

warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


def judge_picture(view: memoryview, kind: FileType) -> None:
    """Refuse what Pillow does not take for a whole picture of this format; raise as ``content.judge``.

    Only headers and, for PNG, the checksums of all chunks are read: nothing is unfolded.
    """
    _refuse_odd_end(view, kind)
    try:
        with Image.open(BytesIO(view), formats=(_FORMATS[kind],)) as picture:
            width, height = picture.size
            frames = getattr(picture, "n_frames", 1)
            picture.verify()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnsafeContent from None
    except Exception:  # noqa: BLE001 — decoders fail on hostile bytes in any way they like; the bytes are not quoted
        raise UnreadableFile from None
    if width * height > MOST_PIXELS or frames > _MOST_FRAMES:
        raise UnsafeContent


def _refuse_odd_end(view: memoryview, kind: FileType) -> None:
    """Refuse what goes on after the picture: cameras write behind the end of a JPEG, nobody behind that of the others."""
    match kind:
        case FileType.PNG:
            if bytes(view[-len(_PNG_END) :]) != _PNG_END:
                raise UnreadableFile
        case FileType.WEBP:
            if int.from_bytes(view[4:8], "little") + 8 != len(view):
                raise UnreadableFile
        case FileType.JPEG:
            if _JPEG_END.search(view) is None:
                raise UnreadableFile
        case _:
            raise ContentMismatch
