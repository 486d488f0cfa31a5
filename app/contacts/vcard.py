"""A card as a vCard: RFC 6350, or version 3.0 (RFC 2426) for address books that read nothing newer.

Pure. What a card shows clear is written and nothing else: no mask, because a masked number in an address book is a wrong number, and no
word that there is more. There is no ``REV`` either: the time of the last change would tell of changes of what is not shown. Values are
escaped and lines folded in one place, so that nothing that somebody is called can end a line or a card.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from unicodedata import category
from urllib.parse import quote
from uuid import UUID

from app.disclosure.surnames import COMPOUND

Edition = Literal["4.0", "3.0"]

_LONGEST_LINE: Final = 75
"""Octets of a line without its end (RFC 6350 section 3.2)."""
_ESCAPED: Final = str.maketrans({"\\": "\\\\", ",": "\\,", ";": "\\;", "\n": "\\n"})
_HAN: Final = ("\u3400", "\u9fff")
_UNWRITTEN: Final = frozenset({"Cc", "Cs"})
"""Controls, and halves of characters."""

_PHONES: Final = {
    "office_phone": ("work", "voice"),
    "mobile": ("work", "cell"),
    "fax": ("work", "fax"),
    "business_phone": ("work", "voice"),
    "personal_mobile": ("home", "cell"),
}
_MAILS: Final = {"email": "work", "business_email": "work", "personal_email": "home"}
_HANDLES: Final = {"wecom_id": ("wxwork", "WeCom"), "wechat": ("weixin", "WeChat"), "qq": ("qq", "QQ")}
_ADDRESSES: Final = {"delivery_address": "work", "home_address": "home"}
_NAMES: Final = ("name", "name_en", "alias")
CARRIED: Final = frozenset({*_NAMES, *_PHONES, *_MAILS, *_HANDLES, *_ADDRESSES, "birth_date"})
"""The protected fields of which a vCard knows. Nobody's identity number, number plate, notes or relations belong into an address book."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a vCard says beside the card.

    Under which domain short numbers are dialled (``None``: none is known), the watermark, and the id of the look's event.
    """

    dialled_in: str | None
    watermark: str
    event: str


def vcard(card: Mapping[str, Any], setting: Setting, edition: Edition) -> bytes:
    """Write one card, as the gate rendered it, as a vCard: UTF-8, lines ended by CRLF, none longer than 75 octets."""
    lines = ["BEGIN:VCARD", f"VERSION:{edition}", *_properties(card, setting, edition), "END:VCARD"]
    return b"".join(folded(line) for line in lines)


def _properties(card: Mapping[str, Any], setting: Setting, edition: Edition) -> Iterator[str]:
    newest, identity = edition == "4.0", UUID(card["id"])
    called = shown(card.get("name")) or text(card.get("organisation")) or str(identity)
    hotline = card["kind"] == "hotline"
    yield "PRODID:-//Duanhao//Duanhao//ZH"
    yield f"UID:urn:uuid:{identity}" if newest else f"UID:{identity}"
    if newest:
        yield "KIND:org" if hotline else "KIND:individual"
    yield f"FN:{escaped(called)}"
    yield "N:" + ";".join(escaped(each) for each in (*((called, "") if hotline else parted(called)), "", "", ""))
    nicknames = [each for name in _NAMES[1:] if (each := shown(card.get(name)))]
    if nicknames:
        yield "NICKNAME:" + ",".join(escaped(each) for each in nicknames)
    within = units(card)
    if within:
        yield "ORG:" + ";".join(escaped(each) for each in within)
    if title := text(card.get("title")):
        yield f"TITLE:{escaped(title)}"
    yield from _called(card, setting.dialled_in, newest=newest)
    yield from _written_to(card, newest=newest)
    if born := shown(card.get("birth_date")):
        yield "BDAY:" + (born.replace("-", "") if newest else born)
    if tags := [str(each) for each in card.get("tags") or ()]:
        yield "CATEGORIES:" + ",".join(escaped(each) for each in tags)
    if away := text(card.get("away_until")):
        yield f"NOTE:{escaped(f'离岗至 {away} / away until {away}')}"
    yield f"NOTE:{escaped(setting.watermark)}"
    yield f"X-DUANHAO-EVENT:{setting.event}"


def _called(card: Mapping[str, Any], dialled_in: str | None, *, newest: bool) -> Iterator[str]:
    short = [str(each) for each in card.get("short_numbers") or ()]
    if (extension := text(card.get("extension"))) and extension not in short:
        short.append(extension)
    for digits in short:
        inside = None if dialled_in is None else f"{_dialled(digits)};phone-context={dialled_in}"
        yield _phone(("work", "voice"), digits, inside, newest=newest)
    for name, kinds in _PHONES.items():
        if number := shown(card.get(name)):
            main, _, extension = number.partition("-")
            global_number = f"{main};ext={extension}" if extension else main
            yield _phone(kinds, number, global_number if _is_global(main) else None, newest=newest)


def _written_to(card: Mapping[str, Any], *, newest: bool) -> Iterator[str]:
    for name, kind in _MAILS.items():
        if mail := shown(card.get(name)):
            yield f"EMAIL;TYPE={kind if newest else f'INTERNET,{kind.upper()}'}:{escaped(mail)}"
    for name, (scheme, service) in _HANDLES.items():
        if handle := shown(card.get(name)):
            yield f"IMPP;X-SERVICE-TYPE={service}:{scheme}:{quote(handle, safe='@._-+')}"
    for name, kind in _ADDRESSES.items():
        if street := shown(card.get(name)):
            yield f"ADR;TYPE={kind if newest else kind.upper()}:;;{escaped(street)};;;;"


def _phone(kinds: Sequence[str], number: str, uri: str | None, *, newest: bool) -> str:
    if not newest:
        return f"TEL;TYPE={','.join(kinds).upper()}:{escaped(number)}"
    types = f'TYPE="{",".join(kinds)}"'
    return f"TEL;{types};VALUE=text:{escaped(number)}" if uri is None else f"TEL;{types};VALUE=uri:tel:{uri}"


def _dialled(digits: str) -> str:
    """Write digits of a plan as a local number of RFC 3966, in which ``#`` of a dialled code must be written as an octet."""
    return digits.replace("#", "%23")


def _is_global(number: str) -> bool:
    return number.startswith("+") and number[1:].isascii() and number[1:].isdigit()


def shown(member: object) -> str | None:
    """Give what a member of a card shows clear: a plain text, or the value of a protected field in the state ``shown``; else ``None``."""
    if isinstance(member, Mapping):
        member = member.get("value") if member.get("state") == "shown" else None
    return text(member)


def text(member: object) -> str | None:
    """Give a member that is a text with something in it."""
    return member if isinstance(member, str) and member.strip() else None


def parted(name: str) -> tuple[str, str]:
    """Part a name into family name and given name; one that is not Chinese throughout stands whole as the family name."""
    if len(name) < 2 or not all(_HAN[0] <= each <= _HAN[1] for each in name):  # noqa: PLR2004 — one character of each at least
        return name, ""
    size = 2 if name[:2] in COMPOUND and len(name) > 2 else 1  # noqa: PLR2004 — surnames of two characters
    return name[:size], name[size:]


def units(card: Mapping[str, Any]) -> tuple[str, ...]:
    """Give organisation and units from the top down: of staff the path of the department, of others what they belong to."""
    department = card.get("department")
    path = department.get("path") if isinstance(department, Mapping) else None
    if outside := text(card.get("organisation")):
        return (outside,)
    return tuple(each for each in str(path or "").split("/") if each)


def escaped(value: str) -> str:
    """Escape a text (RFC 6350 section 3.4); any end of a line becomes the one that the format has, other controls go."""
    one = value.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    readable = "".join(each for each in one if each == "\n" or category(each) not in _UNWRITTEN)
    return readable.translate(_ESCAPED)


def folded(line: str) -> bytes:
    """Fold a line so that none is longer than 75 octets, and no character is cut."""
    pieces: list[bytes] = []
    piece = b""
    for octets in _characters(line):
        if len(piece) + len(octets) > _LONGEST_LINE:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece]) + b"\r\n"


def _characters(line: str) -> Iterable[bytes]:
    return (each.encode() for each in line)
