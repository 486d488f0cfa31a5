"""Fanvil's network phonebook: ``FanvilIPPhoneDirectory``, flat, with two numbers of the house for every entry.

Pure. An entry takes ``Telephone``, ``Mobile`` and ``Other`` once each; no number of the house is a mobile, so that one is left out.
"""

from collections.abc import Iterator
from typing import Final

from app.phonebooks.entry import Book, Limits, label
from app.phonebooks.markup import DECLARATION, element

LIMITS: Final = Limits(entries=500, name_bytes=63, numbers=2, group_bytes=0, groups=0)
_KINDS: Final = ("Telephone", "Other")


def render(book: Book) -> bytes:
    """Write a phonebook."""
    return "".join(_lines(book)).encode()


def _lines(book: Book) -> Iterator[str]:
    yield DECLARATION + "<FanvilIPPhoneDirectory>\n" + element("Title", book.title) + "\n"
    for entry in book.entries:
        numbers = "".join(element(kind, number) for kind, number in zip(_KINDS, entry.numbers, strict=False))
        yield f"<DirectoryEntry>{element('Name', label(entry, book, LIMITS))}{numbers}</DirectoryEntry>\n"
    yield "</FanvilIPPhoneDirectory>\n"
