"""Grandstream's downloadable phonebook: ``AddressBook`` with its groups, then one ``Contact`` for every entry.

Pure. Element names are read with their case. The name stands whole as the first name, since which of the two a telephone shows first is a
setting of the telephone; every number is one of the first account.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from app.phonebooks.entry import Book, Entry, Limits, group_name, groups, label
from app.phonebooks.markup import DECLARATION, element

LIMITS: Final = Limits(entries=500, name_bytes=64, numbers=3, group_bytes=30, groups=20)
_KINDS: Final = ("Work", "Other", "Other")
_FIRST_GROUP: Final = 1


def render(book: Book) -> bytes:
    """Write a phonebook; it is grouped whether or not that was asked for."""
    return "".join(_lines(replace(book, grouped=True))).encode()


def _lines(book: Book) -> Iterator[str]:
    parted = groups(book, LIMITS)
    yield DECLARATION + "<AddressBook>\n<version>1</version>\n"
    for number, name in enumerate(parted, _FIRST_GROUP):
        yield f"<pbgroup><id>{number}</id>{element('name', group_name(name, LIMITS))}</pbgroup>\n"
    for number, entries in enumerate(parted.values(), _FIRST_GROUP):
        yield from (_contact(entry, book, number) for entry in entries)
    yield "</AddressBook>\n"


def _contact(entry: Entry, book: Book, group: int) -> str:
    phones = "".join(
        f'<Phone type="{kind}">{element("phonenumber", number)}<accountindex>0</accountindex></Phone>'
        for kind, number in zip(_KINDS, entry.numbers, strict=False)
    )
    name = element("FirstName", label(entry, book, LIMITS))
    return f"<Contact>{name}<LastName></LastName><Frequent>0</Frequent>{phones}<Group>{group}</Group></Contact>\n"
