"""One function per kind of value, from the opened value to what is shown of it.

Pure. Promises: the answer has the same length for every value of a kind (and region), says nothing of the length of what it hides, and is
never the value itself, however short, foreign or odd that is: then it is three stars.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

import orjson

from app.disclosure.fields import MaskKind
from app.disclosure.places import place_of
from app.disclosure.surnames import COMPOUND
from app.permissions.outcomes import Outcome

HIDDEN_WHOLE: Final = "***"
Told: TypeAlias = str | orjson.Fragment
"""What is shown of a value: a text, or, of a value that is kept as JSON and shown clear, that JSON as it is."""

_MOBILE: Final = re.compile(r"\+861[3-9]\d{9}", re.ASCII)
_LANDLINE: Final = re.compile(r"\+86(10|2\d|[3-9]\d\d)(\d{7,8})(-\d{1,6})?", re.ASCII)
_FOREIGN: Final = re.compile(r"\+\d{8,15}", re.ASCII)
_MAIL: Final = re.compile(r"([^@\s])([^@\s]*)@([^@\s]+)")
_HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_DATE: Final = re.compile(r"(\d{4})-\d{2}-\d{2}", re.ASCII)


def national(number: str) -> str:
    """Write a stored number (E.164) as people here write it: Chinese numbers nationally, all others as they are."""
    if number[:4] == "+861" and _MOBILE.fullmatch(number):
        return number[3:]
    if found := _LANDLINE.fullmatch(number):
        area, rest, extension = found.groups()
        return f"0{area}-{rest}{extension or ''}"
    return number


def _mobile(value: str, outcome: Outcome) -> str:
    if _MOBILE.fullmatch(value):
        own = value[3:]
        return f"{own[:3]}****{own[7:]}" if outcome is Outcome.MASK_FINE else f"{own[:3]}********"
    if _FOREIGN.fullmatch(value):
        return f"{value[:2]}********{value[-2:]}" if outcome is Outcome.MASK_FINE else f"{value[:2]}**********"
    return HIDDEN_WHOLE


def _landline(value: str, outcome: Outcome) -> str:
    if (found := _LANDLINE.fullmatch(value)) is None:
        return _mobile(value, outcome)
    area, rest, _ = found.groups()
    return f"0{area}-****{rest[-2:]}" if outcome is Outcome.MASK_FINE else f"0{area}-******"


def _email(value: str, outcome: Outcome) -> str:
    found = _MAIL.fullmatch(value)
    if found is None or not found[2]:
        return HIDDEN_WHOLE
    return f"{found[1]}***@{found[3]}" if outcome is Outcome.MASK_FINE else f"***@{found[3]}"


def _handle(value: str, outcome: Outcome) -> str:
    return f"{value[0]}***" if outcome is Outcome.MASK_FINE and len(value) > len(HIDDEN_WHOLE) else HIDDEN_WHOLE


def _id_number(value: str, outcome: Outcome) -> str:
    if outcome is Outcome.MASK_FINE and re.fullmatch(r"\d{17}[\dX]", value, re.ASCII):
        return f"{value[0]}{'*' * 16}{value[-1]}"
    return "*" * 18


def _address(value: str, outcome: Outcome) -> str:
    """Leave province and city where the address begins with them, never more; coarsely nothing, since it is where somebody lives."""
    place = place_of(value) if outcome is Outcome.MASK_FINE else None
    if place is None or place.whole:
        return HIDDEN_WHOLE
    return f"{place.province or ''}{place.city or ''}"


def _delivery(value: str, outcome: Outcome) -> str:
    """Leave province and city; coarsely the city, which is what planning a delivery takes."""
    place = place_of(value)
    if outcome is Outcome.MASK_FINE or place is None or place.whole:
        return _address(value, outcome)
    return place.city or HIDDEN_WHOLE


def _date(value: str, outcome: Outcome) -> str:
    found = _DATE.fullmatch(value)
    return f"{found[1]}-**-**" if outcome is Outcome.MASK_FINE and found else "****-**-**"


def _plate(value: str, outcome: Outcome) -> str:
    return f"{value[:2]}*****" if outcome is Outcome.MASK_FINE and len(value) > len(HIDDEN_WHOLE) else HIDDEN_WHOLE


def _name(value: str, outcome: Outcome) -> str:
    """Leave the surname, of names that do not begin with a Chinese one the first letter; coarsely, that it is a Chinese name."""
    chinese = _HAN.match(value) is not None
    if outcome is not Outcome.MASK_FINE:
        return "某**" if chinese else HIDDEN_WHOLE
    kept = value[:2] if value[:2] in COMPOUND else value[:1]
    return f"{kept}**" if len(value) > len(kept) else HIDDEN_WHOLE


def _text(value: str, outcome: Outcome) -> str:
    del value, outcome
    return HIDDEN_WHOLE


_BY_KIND: Final[Mapping[MaskKind, Callable[[str, Outcome], str]]] = MappingProxyType(
    {
        MaskKind.MOBILE: _mobile,
        MaskKind.LANDLINE: _landline,
        MaskKind.EMAIL: _email,
        MaskKind.HANDLE: _handle,
        MaskKind.ID_NUMBER: _id_number,
        MaskKind.ADDRESS: _address,
        MaskKind.DELIVERY: _delivery,
        MaskKind.DATE: _date,
        MaskKind.PLATE: _plate,
        MaskKind.TEXT: _text,
        MaskKind.PICTURE: _text,
        MaskKind.NAME: _name,
        MaskKind.RELATIONS: _text,
    }
)
_TELEPHONES: Final = frozenset({MaskKind.MOBILE, MaskKind.LANDLINE})


def masker(kind: MaskKind, outcome: Outcome) -> Callable[[str], Told]:
    """Give what turns an opened value of ``kind`` into what ``outcome`` shows of it; for many values of one field.

    Raises ``ValueError`` for a hidden outcome, of which nothing is shown at all.
    """
    match outcome:
        case Outcome.CLEAR:
            return _structured if kind is MaskKind.RELATIONS else national if kind in _TELEPHONES else _clear
        case Outcome.MASK_FULL:
            return _whole
        case Outcome.MASK_COARSE | Outcome.MASK_FINE:
            mask = _BY_KIND[kind]

            def masked(value: str) -> str:
                text = mask(value, outcome)
                return HIDDEN_WHOLE if text == value else text

            return masked
        case Outcome.HIDDEN:
            message = "nothing is shown of a hidden field"
            raise ValueError(message)


def shown(kind: MaskKind, value: str, outcome: Outcome) -> Told:
    """Write what ``outcome`` shows of one ``value``; raise ``ValueError`` for a hidden one."""
    return masker(kind, outcome)(value)


def _clear(value: str) -> str:
    return value


def _structured(value: str) -> orjson.Fragment:
    return orjson.Fragment(value)


def _whole(value: str) -> str:
    del value
    return HIDDEN_WHOLE
