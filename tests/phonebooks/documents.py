"""Phonebooks read back as telephones read them, and entries to write them from."""

from datetime import date
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from app.phonebooks.entry import Away, Book, Entry, Language

TODAY: Final = date(2026, 11, 22)


class Told(NamedTuple):
    """One entry as a telephone shows it: in which group, under which name, with which numbers."""

    group: str | None
    name: str
    numbers: tuple[str, ...]


def told(document: bytes) -> list[Told]:
    """Read a phonebook of any make."""
    root = ET.fromstring(document)  # noqa: S314 — our own answer, which a test is to see refused if it is not well-formed
    match root.tag:
        case "AddressBook":
            names = {each.findtext("id"): each.findtext("name") for each in root.iter("pbgroup")}
            return [
                Told(
                    names[each.findtext("Group")],
                    each.findtext("FirstName") or "",
                    tuple(number.text or "" for number in each.iter("phonenumber")),
                )
                for each in root.iter("Contact")
            ]
        case "YealinkIPPhoneBook":
            return [
                Told(
                    menu.attrib["Name"],
                    unit.attrib["Name"],
                    tuple(number for at in (1, 2, 3) if (number := unit.attrib[f"Phone{at}"])),
                )
                for menu in root.iter("Menu")
                for unit in menu.iter("Unit")
            ]
        case "YealinkIPPhoneDirectory" | "FanvilIPPhoneDirectory":
            return [
                Told(
                    None, each.findtext("Name") or "", tuple(child.text or "" for child in each if child.tag != "Name")
                )
                for each in root.iter("DirectoryEntry")
            ]
        case tag:
            message = f"no telephone reads {tag}"
            raise AssertionError(message)


texts = st.text(st.characters(codec=None), max_size=40)
"""Any text at all: control characters, lone surrogates, markup, what no telephone has ever seen."""

entries = st.builds(
    Entry,
    name=texts,
    numbers=st.lists(st.from_regex(r"[0-9]{2,15}", fullmatch=True), min_size=1, max_size=4, unique=True).map(tuple),
    departments=st.lists(texts, max_size=3).map(tuple),
    away=st.none()
    | st.builds(
        Away,
        st.dates(date(2026, 11, 22), date(2028, 1, 1)),
        st.none() | st.from_regex(r"[0-9]{2,15}", fullmatch=True),
    ),
)


def book(*listed: Entry, grouped: bool = False, language: Language = "zh") -> Book:
    """Make a book as of ``TODAY``."""
    return Book(title="电话簿", entries=listed, today=TODAY, grouped=grouped, language=language)
