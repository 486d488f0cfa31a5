"""Pictures that somebody might bring: ordinary ones, and the other kind."""

import os
import struct
import zlib
from io import BytesIO
from typing import Any, Final

from PIL import Image
from PIL.PngImagePlugin import PngInfo

SECRET_PLACE: Final = b"Wu-Ming-Lu-Camera"
"""Stands in the metadata of ``with_metadata``; found anywhere else it is a leak."""
_ORIENTATION, _CAMERA, _GPS = 0x0112, 0x010F, 0x8825


def picture(kind: str = "JPEG", size: tuple[int, int] = (900, 600), *, mode: str = "RGB", **options: Any) -> bytes:  # noqa: ANN401 — options of Pillow
    """Draw a picture: left half dark, right half light."""
    image = Image.new("L", size, 220)
    image.paste(30, (0, 0, size[0] // 2, size[1]))
    return encoded(image.convert(mode), kind, **options)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:  # noqa: ANN401 — options of Pillow
    """Write a picture as ``kind``."""
    kept = BytesIO()
    image.save(kept, kind, **options)
    return kept.getvalue()


def opened(data: bytes) -> Image.Image:
    """Read a picture."""
    image = Image.open(BytesIO(data))
    image.load()
    return image


def noise(size: tuple[int, int] = (512, 512)) -> Image.Image:
    """Draw what compresses worst."""
    return Image.frombytes("RGB", size, os.urandom(size[0] * size[1] * 3))


def with_metadata(kind: str, *, orientation: int = 1, size: tuple[int, int] = (900, 600)) -> bytes:
    """Draw a picture that tells where and with what it was taken, in every place where its kind can."""
    exif = Image.Exif()
    exif[_ORIENTATION], exif[_CAMERA] = orientation, SECRET_PLACE.decode()
    exif[_GPS] = {1: "N", 2: (39.0, 54.0, 26.0), 3: "E", 4: (116.0, 23.0, 29.0)}
    more: dict[str, Any] = {"exif": exif, "xmp": b"<x:xmpmeta>" + SECRET_PLACE + b"</x:xmpmeta>"}
    if kind == "JPEG":
        more["comment"] = SECRET_PLACE
    if kind == "PNG":
        text = PngInfo()
        text.add_text("Comment", SECRET_PLACE.decode())
        more = {"exif": exif, "pnginfo": text}
    return picture(kind, size, icc_profile=b"\0" * 128 + SECRET_PLACE, **more) + SECRET_PLACE


def bomb(width: int = 50_000, height: int = 50_000) -> bytes:
    """Write a PNG of a few hundred bytes that says it is gigabytes of pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(4096))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )


def many_scans(count: int = 400) -> bytes:
    """Write a progressive JPEG whose last scan is said again and again."""
    plain = picture("JPEG", (64, 64), progressive=True)
    last = plain.rindex(b"\xff\xda")
    scan = plain[last:-2]
    return plain[:last] + scan * count + b"\xff\xd9"


def segments(jpeg: bytes) -> list[int]:
    """List the markers of a JPEG up to its picture data."""
    found, at = [], 2
    while jpeg[at + 1] != 0xDA:
        found.append(jpeg[at + 1])
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    return found


SVG: Final = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
FOREIGN: Final[dict[str, bytes]] = {
    "svg": SVG,
    "gif": picture("GIF", mode="P"),
    "bmp": picture("BMP", (90, 60)),
    "tiff": picture("TIFF", (90, 60)),
    "ico": picture("ICO", (64, 64)),
    "jpeg 2000": picture("JPEG2000"),
    "html": b"<!doctype html><title>x</title>" + picture(),
    "pdf": b"%PDF-1.7\n" + picture(),
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "text": b"not a picture at all",
    "riff, but a sound": b"RIFF\x24\0\0\0WAVEfmt ",
    "short": b"\xff\xd8\xff",
    "nothing": b"",
}
"""What is no JPEG, PNG or WebP, whatever it is called."""
