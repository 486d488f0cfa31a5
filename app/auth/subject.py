"""Who acts: a person, a service account, a device, the service itself, or an operator at the machine.

A subject says who and through which client, and which scopes the token carries. It says nothing about tier, role or
department: those are looked up (``permissions.standing``) and never believed from a token. All five are frozen
values, so a subject can be cached and shared between requests.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import ClassVar, Final, Literal
from uuid import UUID

Tier = Literal["T0", "T1", "T2", "T3", "T4", "T5"]
"""How far a person's standing reaches, from nothing to everything masked; what each means, the policy says."""

MAX_NAME: Final = 128
"""Longest user name, client id, token id, in characters."""

ACR_STEP_UP: Final = "urn:duanhao:acr:step-up"
"""How our own sign-in, with a second proof of identity, is called in a token's ``acr``."""

SECOND_PROOF: Final = (
    ACR_STEP_UP,
    "mfa",
    "c1",
    "http://schemas.openid.net/pape/policies/2007/06/multi-factor",
)
"""Values of ``acr`` that tell of a second proof, ours first; those of issuers outside as they are commonly called."""

_CLIENT_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")


@dataclass(frozen=True, slots=True)
class Person:
    """A person, by the user name that the account is kept under, signed in through the front end ``client_id``.

    Where a back end acts for the person with a token that it exchanged, ``client_id`` is the back end and ``front_end`` the client through
    which the person had signed in; else ``front_end`` is ``None``.
    """

    user_name: str
    client_id: str
    scopes: frozenset[str]
    acr: str | None = None
    auth_time: int | None = None
    issuer: str = ""
    jti: str | None = None
    front_end: str | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A service account that acts for itself; ``signed``: it showed no token, but the signature of this source of personnel events."""

    client_id: str
    scopes: frozenset[str]
    signed: UUID | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A desk phone or another device that showed its own secret. It has no token: its scopes are none."""

    device_id: UUID
    client_id: ClassVar[str] = "device"
    scopes: ClassVar[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class System:
    """A job of the service, by the job's name."""

    name: str


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody at the command line of the machine, by the operating-system user."""

    os_user: str


Bearer = Person | Service
"""Who can come in with a token."""

Caller = Bearer | Device
"""Who can come in over HTTP."""

CallerKind = Literal["person", "service", "device"]
"""What rules and the log call them."""

Subject = Caller | System | Operator


def kind_of(caller: object) -> CallerKind:
    """Say what a caller is."""
    match caller:
        case Person():
            return "person"
        case Device():
            return "device"
        case _:
            return "service"


def is_plain(value: object) -> bool:
    """Tell whether ``value`` is safe to store, compare and log: 1 to 128 printable characters without spaces."""
    return isinstance(value, str) and 0 < len(value) <= MAX_NAME and value.isprintable() and " " not in value


def user_name_key(name: str) -> str | None:
    """Give the form under which an account is kept (lower case), or ``None`` for a name that no account may have.

    A name must equal its own NFKC form: otherwise a look-alike such as KELVIN SIGN would fold into somebody else's
    ``k``.
    """
    if not is_plain(name) or unicodedata.normalize("NFKC", name) != name:
        return None
    return name.lower()


def is_client_id(value: str) -> bool:
    """Tell whether ``value`` may name a client: lower-case ASCII letters, digits and hyphens, 2 to 63 of them."""
    return _CLIENT_ID.fullmatch(value) is not None
