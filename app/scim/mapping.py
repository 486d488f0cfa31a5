"""Between a card and a SCIM user: what each attribute means here, both ways. Pure; knows JSON and no library.

A name is kept whole. Written in Chinese it is parted by the surname, of one character or two, and otherwise at its last space; parts that
come without a whole are put together the same way. What policy does not show clear is absent from a user, never masked, because a mask that
is written back would be a value; and only what a client changes is written, so what it was not shown stays.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.disclosure.surnames import COMPOUND

ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
DIRECTORY: Final = "urn:duanhao:params:scim:schemas:extension:directory:1.0:User"
USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"

FIELDS: Final = ("office_phone", "email", "mobile")
"""Protected fields that a user carries."""
GENERATED: Final = "SCIM-"
"""Beginning of employee numbers that this service made up, since an event is about a number; a client is not told them."""
LEFT: Final = "left"
_KEPT: Final = ("displayName", "active", "employeeNumber", "department", "workerKind")
"""Attributes that a card cannot be without: one that a client takes back stays, and is not told to it."""
_CHINESE: Final = re.compile(r"[㐀-鿿豈-﫿·]+")

Said = dict[str, Any]
"""What a user says, by the names of the card, with ``active`` and ``external_id``; ``None`` for what it does not say."""


def parted(name: str) -> dict[str, str] | None:
    """Part a name; ``None`` for one of a single word, of which nobody knows which part it is."""
    if _CHINESE.fullmatch(name) and "·" not in name:
        at = 2 if name[:2] in COMPOUND and len(name) > 2 else 1  # noqa: PLR2004 — a compound surname has two characters
        return {"familyName": name[:at], "givenName": name[at:]} if len(name) > at else None
    given, _, family = name.rpartition(" ")
    return {"familyName": family, "givenName": given} if given else None


def whole(name: Mapping[str, Any] | None) -> str | None:
    """Put the parts of a name together; ``None`` where there are none."""
    parts = name or {}
    family, given = (parts.get(each) or "" for each in ("familyName", "givenName"))
    chinese = all(_CHINESE.fullmatch(each) for each in (family, given) if each)
    joined = family + given if chinese else f"{given} {family}".strip()
    return joined or None


def user_of(card: Mapping[str, Any], *, secrecy: str, external_id: str | None, unsaid: Sequence[str]) -> dict[str, Any]:
    """Write the user of a card, without ``meta``; ``card`` has the C1 members, and protected fields with their state."""
    named = {"displayName": card["name"], "name": parted(card["name"] or "")} if "displayName" not in unsaid else {}
    number = card["employee_no"]
    enterprise = {
        "employeeNumber": None if number is None or number.startswith(GENERATED) else number,
        "department": None if card["department"] is None else card["department"]["code"],
        "manager": _person(card["manager"]),
    }
    directory = {
        "shortNumber": next(iter(card["short_numbers"]), None),
        "extension": card["extension"],
        "secrecy": secrecy,
        "workerKind": card["worker_kind"],
        "dottedManager": _person(card["dotted_manager"]),
    }
    phones = [_typed(card, "mobile", "mobile"), _typed(card, "office_phone", "work")]
    user = {
        "id": str(card["id"]),
        "externalId": external_id,
        "userName": card["user_name"],
        **named,
        "nickName": card["alias"],
        "title": card["title"],
        "userType": card["kind"],
        "active": card["status"] != LEFT,
        "emails": _listed([_typed(card, "email", "work")]),
        "phoneNumbers": _listed(phones),
        ENTERPRISE: _without(enterprise, unsaid),
        DIRECTORY: _without(directory, unsaid),
    }
    found = _without(user, unsaid)
    return {"schemas": [USER, *(each for each in (ENTERPRISE, DIRECTORY) if each in found)], **found}


def said_by(user: Mapping[str, Any]) -> Said:
    """Read what a user says. Of several addresses the one of type ``work`` counts, else the first."""
    enterprise, directory = user.get(ENTERPRISE) or {}, user.get(DIRECTORY) or {}
    phones = user.get("phoneNumbers") or []
    return {
        "external_id": user.get("externalId") or None,
        "user_name": user.get("userName"),
        "display": user.get("displayName"),
        "parts": whole(user.get("name")),
        "alias": user.get("nickName"),
        "title": user.get("title"),
        "active": user.get("active"),
        "email": _valued(user.get("emails") or [], "work", otherwise=True),
        "mobile": _valued(phones, "mobile"),
        "office_phone": _valued(phones, "work"),
        "employee_no": enterprise.get("employeeNumber"),
        "department": enterprise.get("department"),
        "manager": (enterprise.get("manager") or {}).get("value"),
        "worker_kind": directory.get("workerKind"),
        "dotted_manager": (directory.get("dottedManager") or {}).get("value"),
    }


_ATTRIBUTES: Final = {
    "display": "displayName",
    "active": "active",
    "employee_no": "employeeNumber",
    "department": "department",
    "worker_kind": "workerKind",
}


def unsaid_in(said: Said, *, new: bool = False) -> tuple[str, ...]:
    """Name the attributes that are not said though a card has them; who makes a user and does not say ``active`` means that it is."""
    silent = {attribute for name, attribute in _ATTRIBUTES.items() if said[name] is None}
    if said["parts"] is not None:
        silent.discard("displayName")
    if new:
        silent.discard("active")
    return tuple(each for each in _KEPT if each in silent)


def name_in(said: Said) -> str | None:
    """Give the name that a user says: the whole one, else its parts put together."""
    name: str | None = said["display"] or said["parts"]
    return name


def changes(before: Said, after: Said) -> dict[str, Any]:
    """Give what ``after`` says differently, by the names of the card; ``None`` takes away.

    A name of which only the parts changed is put together anew; one that is taken back becomes the user name.
    """
    found = {name: after[name] for name in after if name not in {"display", "parts"} and after[name] != before[name]}
    if after["display"] != before["display"] and after["display"] is not None:
        found["name"] = after["display"]
    elif after["parts"] != before["parts"] and after["parts"] is not None:
        found["name"] = after["parts"]
    elif name_in(after) is None and name_in(before) is not None:
        found["name"] = after["user_name"]
    return found


def _person(identity: object) -> dict[str, str] | None:
    return None if identity is None else {"value": str(identity), "$ref": f"Users/{identity}"}


def _typed(card: Mapping[str, Any], field: str, kind: str) -> dict[str, str] | None:
    told = card.get(field) or {}
    return {"value": told["value"], "type": kind} if told.get("state") == "shown" else None


def _listed(values: Sequence[dict[str, str] | None]) -> list[dict[str, str]] | None:
    return [each for each in values if each is not None] or None


def _without(members: Mapping[str, Any], unsaid: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name not in unsaid and value not in (None, {})}


def _valued(values: Sequence[Mapping[str, Any]], kind: str, *, otherwise: bool = False) -> str | None:
    meant = [each for each in values if each.get("type") == kind]
    if not meant and otherwise:
        meant = [each for each in values if each.get("primary") or each.get("type") is None] or list(values)
    return next((str(each["value"]) for each in meant if each.get("value")), None)
