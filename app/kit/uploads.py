"""Taking in one file from a form, as it comes: counted while it streams, held once and in memory alone.

The framework's own reader of forms puts what is longer than a mebibyte into a file in clear, and has read it all before anybody may say
that it is too much. Here the bytes of the one part go straight into one buffer, and the first byte too many ends it. A connection that
breaks off leaves nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from app.kit.errors import BodyTooLarge, FieldError, Invalid, UnsupportedMediaType

FORM: Final = "multipart/form-data"
FRAME_BYTES: Final = 16_384
"""What a form may have beside the file: boundaries, headers, name."""
_LONGEST_BOUNDARY: Final = 256


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came: its name and media type as the caller says, its content."""

    name: str
    media_type: str
    charset: str | None
    content: BytesIO


class _Reader:
    """Collects the one part."""

    def __init__(self, part: str, most: int) -> None:
        self._part, self._most = part, most
        self._header, self._value = bytearray(), bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._parts = 0
        self.name: bytes | None = None
        self.type = b""
        self.content = BytesIO()
        self.whole = False

    def begin(self) -> None:
        self._parts += 1
        if self._parts > 1:
            raise _fault(
                self._part, "too_many_parts", "The form has one file and nothing else.", "表单只应包含一个文件。"
            )

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers[bytes(self._header).lower()] = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def headers_end(self) -> None:
        _, told = parse_options_header(self._headers.get(b"content-disposition", b""))
        if told.get(b"name") != self._part.encode() or b"filename" not in told:
            raise self.missing()
        self.name, self.type = told[b"filename"], self._headers.get(b"content-type", b"")

    def data(self, data: bytes, start: int, end: int) -> None:
        if self.content.tell() + end - start > self._most:
            raise BodyTooLarge
        self.content.write(memoryview(data)[start:end])

    def end(self) -> None:
        self.whole = True

    def missing(self) -> Invalid:
        return _fault(
            self._part, "missing", f"The form has no file named `{self._part}`.", f"表单缺少文件 {self._part}。"
        )


async def read_upload(request: Request, part: str, most: int) -> Upload:
    """Read the file ``part`` of a form, of at most ``most`` bytes.

    Raises ``UnsupportedMediaType`` for what is no form, ``BodyTooLarge`` at the first byte too many, and ``Invalid`` for a form that is
    broken off, holds no such file, or anything beside it.
    """
    kind, told = parse_options_header(request.headers.get("content-type", ""))
    if kind.decode("latin-1") != FORM:
        raise UnsupportedMediaType
    boundary = told.get(b"boundary", b"")
    if not 0 < len(boundary) <= _LONGEST_BOUNDARY:
        raise _broken(part)
    reader = _Reader(part, most)
    try:
        parser = MultipartParser(boundary, _callbacks(reader))  # type: ignore[arg-type]  # a mapping of exactly these callbacks
        async for piece in request.stream():
            parser.write(piece)
    except (FormParserError, ClientDisconnect):
        raise _broken(part) from None
    if not reader.whole:
        raise reader.missing() if reader.name is None else _broken(part)
    return _upload(reader, part)


def _callbacks(reader: _Reader) -> Mapping[str, object]:
    return {
        "on_part_begin": reader.begin,
        "on_header_field": reader.header_name,
        "on_header_value": reader.header_value,
        "on_header_end": reader.header_end,
        "on_headers_finished": reader.headers_end,
        "on_part_data": reader.data,
        "on_end": reader.end,
    }


def _upload(reader: _Reader, part: str) -> Upload:
    media, told = parse_options_header(reader.type)
    try:
        name = (reader.name or b"").decode()
    except UnicodeDecodeError:
        raise _fault(part, "not_utf8", "The name of the file is not UTF-8.", "文件名不是 UTF-8 编码。") from None
    charset = told.get(b"charset")
    return Upload(
        name, media.decode("latin-1"), None if charset is None else charset.decode("latin-1").lower(), reader.content
    )


def _broken(part: str) -> Invalid:
    return _fault(part, "broken_form", "The form is broken off or not well formed.", "表单不完整或格式有误。")


def _fault(part: str, code: str, detail: str, detail_zh: str) -> Invalid:
    return Invalid(errors=[FieldError(f"/{part}", code, detail, detail_zh)])
