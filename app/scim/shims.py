"""What Entra ID and Okta send that the standard does not, brought to its form before it is read. Pure; measured shapes only.

The library takes most of it (``op`` in capitals, ``"False"``, dotted keys, filters that match nothing); what it does not is here: a
manager as a bare text or an empty one, a single value in a list of one ``{"value": …}``, ``$ref: null`` beside a member that is to be
removed, and a whole name where only ``name.formatted`` is given.
"""

import re
from typing import Any, Final

from app.scim.mapping import DIRECTORY, ENTERPRISE

_MANAGERS: Final = {f"{ENTERPRISE}:manager".lower(), f"{DIRECTORY}:dottedmanager".lower()}
_LISTS: Final = frozenset({"emails", "phonenumbers", "members", "addresses", "roles", "groups", "ims", "photos"})
_FILTER: Final = re.compile(r"\[.*\]")


def standard_user(body: Any) -> Any:  # noqa: ANN401 — whatever was sent
    """Bring the body of a POST or PUT of a user to the standard's form."""
    if not isinstance(body, dict):
        return body
    user = {name: _managed(name, value) for name, value in body.items()}
    name = user.get("name")
    if isinstance(name, dict) and name.get("formatted") and not user.get("displayName"):
        parts = {"familyName", "givenName"} & {each for each, value in name.items() if value}
        user |= {} if parts else {"displayName": name["formatted"]}
    return user


def standard_patch(body: Any) -> Any:  # noqa: ANN401 — whatever was sent
    """Bring the body of a PATCH to the standard's form."""
    if not isinstance(body, dict):
        return body
    return {
        name: [_operation(each) for each in value]
        if name.lower() == "operations" and isinstance(value, list)
        else value
        for name, value in body.items()
    }


def standard_bulk(body: Any) -> Any:  # noqa: ANN401 — whatever was sent
    """Bring what the operations of a bulk request carry to the standard's form."""
    if not isinstance(body, dict):
        return body
    return {
        name: [_carried(each) for each in value] if name.lower() == "operations" and isinstance(value, list) else value
        for name, value in body.items()
    }


def _carried(sent: Any) -> Any:  # noqa: ANN401 — whatever was sent
    if not isinstance(sent, dict):
        return sent
    told = {name.lower(): value for name, value in sent.items()}
    is_user = str(told.get("path")).lower().lstrip("/").partition("/")[0] == "users"
    shims = {"PATCH": standard_patch, **({"POST": standard_user, "PUT": standard_user} if is_user else {})}
    shim = shims.get(str(told.get("method")).upper())
    return (
        sent
        if shim is None
        else {name: shim(value) if name.lower() == "data" else value for name, value in sent.items()}
    )


def _operation(sent: Any) -> Any:  # noqa: ANN401 — whatever was sent
    if not isinstance(sent, dict) or "value" not in sent:
        return sent
    path, value = sent.get("path"), sent["value"]
    if str(sent.get("op", "")).lower() == "remove":
        return {**sent, "value": _said(value)}
    if path is None:
        if isinstance(value, dict):
            return {**sent, "value": {name: _managed(name, _single(name, each)) for name, each in value.items()}}
        return sent
    value = _single(str(path), value)
    if str(path).lower() in {f"{each}.value" for each in _MANAGERS} | _MANAGERS and _nobody(value):
        whole = str(path)[: -len(".value")] if str(path).lower().endswith(".value") else str(path)
        return {"op": "remove", "path": whole}
    return {**sent, "value": _reference(value) if str(path).lower() in _MANAGERS else value}


def _managed(name: str, value: Any) -> Any:  # noqa: ANN401 — whatever was sent
    lowered = name.lower()
    if lowered in _MANAGERS:
        return None if _nobody(value) else _reference(value)
    if lowered in {ENTERPRISE.lower(), DIRECTORY.lower()} and isinstance(value, dict):
        return {each: _managed(f"{name}:{each}", told) for each, told in value.items()}
    return value


def _nobody(value: Any) -> bool:  # noqa: ANN401 — whatever was sent
    return value in (None, "") or (isinstance(value, dict) and value.get("value") in (None, "") and "$ref" not in value)


def _reference(value: Any) -> Any:  # noqa: ANN401 — whatever was sent
    return {"value": value} if isinstance(value, str) else value


def _said(value: Any) -> Any:  # noqa: ANN401 — whatever was sent
    """Leave out of what is to be removed what is not said of it: ``$ref: null`` is nobody's reference."""
    if isinstance(value, list):
        return [_said(each) for each in value]
    return {name: each for name, each in value.items() if each is not None} if isinstance(value, dict) else value


def _single(path: str, value: Any) -> Any:  # noqa: ANN401 — whatever was sent
    """Take the one value out of ``[{"$ref": null, "value": …}]`` for an attribute that has one value."""
    attribute = path.rpartition(":")[2].lower()
    many = _FILTER.sub("", attribute).partition(".")[0] in _LISTS and not attribute.endswith(".value")
    if not many and isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) and "value" in value[0]:
        return value[0]["value"]
    return value
