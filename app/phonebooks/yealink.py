"""Yealink's remote phonebook: ``YealinkIPPhoneDirectory``, or ``YealinkIPPhoneBook`` with a menu for every department.

Pure. A directory entry takes several ``Telephone``; a unit of a grouped book takes three numbers as attributes, each of which may be empty.
"""

from collections.abc import Iterator
from typing import Final

from app.phonebooks.entry import Book, Entry, Limits, group_name, groups, label
from app.phonebooks.markup import DECLARATION, element, escaped

LIMITS: Final = Limits(entries=1000, name_bytes=99, numbers=3, group_bytes=60, groups=100)


def render(book: Book) -> bytes:
    """Write a phonebook."""
    return "".join(_grouped(book) if book.grouped else _flat(book)).encode()


def _flat(book: Book) -> Iterator[str]:
    yield DECLARATION + "<YealinkIPPhoneDirectory>\n" + element("Title", book.title) + "\n"
    for entry in book.entries:
        numbers = "".join(element("Telephone", number) for number in entry.numbers[: LIMITS.numbers])
        yield f"<DirectoryEntry>{element('Name', label(entry, book, LIMITS))}{numbers}</DirectoryEntry>\n"
    yield "</YealinkIPPhoneDirectory>\n"


def _grouped(book: Book) -> Iterator[str]:
    yield DECLARATION + "<YealinkIPPhoneBook>\n" + element("Title", book.title) + "\n"
    for name, entries in groups(book, LIMITS).items():
        yield f'<Menu Name="{escaped(group_name(name, LIMITS))}">\n'
        yield from (_unit(entry, book) for entry in entries)
        yield "</Menu>\n"
    yield "</YealinkIPPhoneBook>\n"


def _unit(entry: Entry, book: Book) -> str:
    numbers = [*entry.numbers[: LIMITS.numbers], *[""] * LIMITS.numbers][: LIMITS.numbers]
    told = " ".join(f'Phone{at}="{escaped(number)}"' for at, number in enumerate(numbers, 1))
    return f'<Unit Name="{escaped(label(entry, book, LIMITS))}" {told} default_photo="Resource:"/>\n'
