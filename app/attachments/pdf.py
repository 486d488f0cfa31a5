"""PDF as an attachment: whole, readable without a password, and nothing in it that runs, leaves or unpacks.

Looked for by name (ISO 32000-2), in the file and in every object stream, where objects can lie compressed; names are taken as a reader
takes them, with their ``#`` escapes undone. What mentions more object streams than can be unfolded hides something, and is refused. Pages,
pictures and fonts are not looked at.
"""

import re
import zlib
from typing import Final

from app.attachments.errors import UnreadableFile, UnsafeContent

_VERSION: Final = re.compile(rb"%PDF-(1\.[0-7]|2\.0)[\r\n \t%]")
_END: Final = re.compile(rb"%%EOF\s*\Z")
_ENDS_WITHIN: Final = 1024
_ESCAPED: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_ACTIVE: Final = re.compile(
    rb"/(JavaScript|Launch|EmbeddedFiles?|RichMedia|XFA|SubmitForm|ImportData|GoToE|GoToR|Rendition|Encrypt)(?![A-Za-z0-9])"
)
"""What acts, brings something along, sends something away, or cannot be judged because it is locked."""
_OBJECTS: Final = re.compile(rb"/ObjStm(?![A-Za-z0-9])")
_STREAM: Final = re.compile(rb"(?<!end)stream\r?\n")
_FILTERS: Final = re.compile(rb"/(?:[A-Za-z0-9]+Decode|Crypt|AHx|A85|LZW|Fl|RL|CCF|DCT)(?![A-Za-z0-9])")
_FLATE: Final = ([b"/FlateDecode"], [b"/Fl"])
_MOST_UNFOLDED: Final = 67_108_864
_LONGEST_DICTIONARY: Final = 4096


def judge_pdf(view: memoryview) -> None:
    """Refuse a PDF that is cut off, locked, or active; raise ``UnreadableFile`` and ``UnsafeContent``."""
    if _VERSION.match(view) is None or _END.search(view[-_ENDS_WITHIN:]) is None:
        raise UnreadableFile
    whole = _plain(view)
    _refuse_active(whole)
    hidden, left = len(_OBJECTS.findall(whole)), _MOST_UNFOLDED
    for start in _STREAM.finditer(view):
        dictionary = _dictionary(view, start.start())
        if _OBJECTS.search(dictionary) is None:
            continue
        objects = _unfolded(view[start.end() :], dictionary, left)
        _refuse_active(_plain(objects))
        hidden, left = hidden - 1, left - len(objects)
    if hidden:
        raise UnsafeContent


def _dictionary(view: memoryview, end: int) -> bytes:
    """Give what stands between an object's beginning and its stream; the end of it, where that is longer than any that is written."""
    before = bytes(view[max(0, end - _LONGEST_DICTIONARY) : end])
    return _plain(before[before.rfind(b" obj") + 1 :])


def _unfolded(body: memoryview, dictionary: bytes, most: int) -> bytes:
    """Unfold a stream that is packed in the one way in which such streams are; raise ``UnsafeContent`` for any other."""
    if b"/DecodeParms" in dictionary or b"/Filter" not in dictionary or _FILTERS.findall(dictionary) not in _FLATE:
        raise UnsafeContent
    unfolding = zlib.decompressobj()
    try:
        objects = unfolding.decompress(body, most + 1)
    except zlib.error:
        raise UnsafeContent from None
    if len(objects) > most or not unfolding.eof:
        raise UnsafeContent
    return objects


def _refuse_active(text: bytes) -> None:
    if _ACTIVE.search(text) is not None:
        raise UnsafeContent


def _plain(text: bytes | memoryview) -> bytes:
    """Undo the escapes of names."""
    return _ESCAPED.sub(lambda found: bytes((int(found[1], 16),)), text)
