"""Reading what a person wrote into what is stored: one normal form per value, or a refusal that says which.

Pure. Numbers become E.164 (ITU-T E.164; full-width digits, spaces, ``0086`` and a missing country code are understood), mail domains lower
case, identity numbers are checked by their last digit (GB 11643-1999). What cannot be read is refused, never stored as it came.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final, Protocol

import orjson
import phonenumbers

from app.disclosure.fields import MaskKind
from app.kit.letters import spelt
from app.kit.problems import Rejected

_MAIL: Final = re.compile(
    r"[^@\s<>()\[\],;:\\\"]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK: Final = "10X98765432"
_LONGEST_MAIL: Final = 254
_LONGEST_PHONE: Final = 64
_SAID_EXTENSION: Final = re.compile(r"(.*?\d)\s*(?:转|分机号?|ext(?:ension)?\.?:?|[x,;#])\s*(\d{1,7})", re.IGNORECASE)
_OWN_FORM: Final = re.compile(r"(\+\d+)-(\d{1,7})")
_HYPHENED: Final = re.compile(r"(.*\d)\s*-\s*(\d{1,7})")
_LONGEST: Final = {
    MaskKind.HANDLE: 64,
    MaskKind.PLATE: 16,
    MaskKind.ADDRESS: 200,
    MaskKind.DELIVERY: 200,
    MaskKind.TEXT: 2000,
    MaskKind.NAME: 100,
}


_PLAIN_MOBILE: Final = re.compile(r"(?:\+86)?(1[3-9]\d{9})", re.ASCII)
_PLAIN_LANDLINE: Final = re.compile(r"0(10|2\d)-?(\d{8})", re.ASCII)
"""Mobiles, and lines in cities with short codes, as nearly everybody writes them: read at once, to what the library makes of them."""


def _phone(text: str, region: str) -> str:
    if region == "CN" and (plain := _PLAIN_LANDLINE.fullmatch(text)) is not None:
        return f"+86{plain[1]}{plain[2]}"
    return _parsed(text, region)


def _parsed(text: str, region: str) -> str:
    main, extension = _parted(text, region) if len(text) <= _LONGEST_PHONE else (text, "")
    number = _number(main, region)
    if number is None or not phonenumbers.is_possible_number(number):
        raise Rejected("malformed_phone", "This is not a telephone number.", "电话号码格式不正确。")
    further = extension or number.extension
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) + (f"-{further}" if further else "")


def _parted(text: str, region: str) -> tuple[str, str]:
    """Part a number from the extension that people write behind it; the library glues the two, or reads neither.

    A hyphen parts them only where what stands before it is a number without what stands behind.
    """
    for parts in (_SAID_EXTENSION.fullmatch(text), _OWN_FORM.fullmatch(text)):
        if parts is not None:
            return parts[1], parts[2]
    parts = _HYPHENED.fullmatch(text)
    if parts is None or _is_valid(text, region) or not _is_valid(parts[1], region):
        return text, ""
    return parts[1], parts[2]


def _is_valid(text: str, region: str) -> bool:
    number = _number(text, region)
    return number is not None and phonenumbers.is_valid_number(number)


def _number(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _mobile(text: str, region: str) -> str:
    if region == "CN" and (plain := _PLAIN_MOBILE.fullmatch(text)) is not None:
        return f"+86{plain[1]}"
    number = _parsed(text, region)
    if "-" in number or (number.startswith("+86") and not re.fullmatch(r"\+861[3-9]\d{9}", number, re.ASCII)):
        raise Rejected("malformed_phone", "This is not a mobile number.", "手机号码格式不正确。")
    return number


def _email(text: str, region: str) -> str:
    del region
    if len(text) > _LONGEST_MAIL or not _MAIL.fullmatch(text):
        raise Rejected("malformed_email", "This is not a mail address.", "邮箱地址格式不正确。")
    local, _, domain = text.rpartition("@")
    return f"{local}@{domain.lower()}"


def _id_number(text: str, region: str) -> str:
    del region
    number = text.upper()
    fits = re.fullmatch(r"[1-9]\d{16}[\dX]", number, re.ASCII)
    if (
        not fits
        or _CHECK[sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False)) % 11] != number[-1]
    ):
        raise Rejected("malformed_id_number", "This is not an identity number.", "身份证号格式不正确。")
    return number


def _date(text: str, region: str) -> str:
    del region
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise Rejected("malformed_date", "This is not a date (YYYY-MM-DD).", "日期格式应为 YYYY-MM-DD。") from error


_READERS: Final[Mapping[MaskKind, Callable[[str, str], str]]] = MappingProxyType(
    {
        MaskKind.MOBILE: _mobile,
        MaskKind.LANDLINE: _phone,
        MaskKind.EMAIL: _email,
        MaskKind.ID_NUMBER: _id_number,
        MaskKind.DATE: _date,
    }
)


def normal(kind: MaskKind, text: str, *, region: str) -> str:
    """Read ``text`` as a value of ``kind``; ``region`` (ISO 3166) is meant where a number has no country code.

    Raises ``Rejected`` with a stable code; the message never quotes the value.
    """
    cleaned = unicodedata.normalize("NFKC", text).strip()
    shown = spelt(cleaned) if kind is MaskKind.NAME else cleaned
    if not shown or (not shown.isprintable() and any(unicodedata.category(letter).startswith("C") for letter in shown)):
        raise Rejected("invalid_text", "The text is empty or has control characters.", "文本为空或含有控制字符。")
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(cleaned, region)
    if len(cleaned) > _LONGEST[kind]:
        raise Rejected("too_long", "The text is too long.", "文本过长。")
    return cleaned


class Related(Protocol):
    """Somebody to call for a contact."""

    @property
    def kind(self) -> str:
        """Give why: ``emergency`` or ``guardian``."""
        ...

    @property
    def name(self) -> str:
        """Give who."""
        ...

    @property
    def phone(self) -> str:
        """Give the number, as it was written."""
        ...


def relations(each: Iterable[Related], *, region: str) -> str | None:
    """Write people to call as the one JSON text that is sealed; ``None`` for nobody. Raises ``Rejected`` as ``normal`` does."""
    told = [
        {
            "kind": one.kind,
            "name": normal(MaskKind.NAME, one.name, region=region),
            "phone": normal(MaskKind.LANDLINE, one.phone, region=region),
        }
        for one in each
    ]
    return orjson.dumps(told).decode() if told else None
