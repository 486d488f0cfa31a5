"""The vocabulary of scopes, and which of them a person's token carries.

A scope limits what a token can be used for; it never grants. Every operation asks for one, and after it the policy
decides with the caller's real standing. So a token with too many scopes still shows nothing that its holder may not
see.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    """Every scope, ``resource:action``, in alphabetical order."""

    ACCESS_LOG_READ = "access-log:read"
    APPROVALS_USE = "approvals:use"
    CALLER_NAMES_READ = "caller-names:read"
    CONTACTS_LOOKUP = "contacts:lookup"
    CONTACTS_READ = "contacts:read"
    CONTACTS_REVEAL = "contacts:reveal"
    CONTACTS_WRITE = "contacts:write"
    DEPARTMENTS_WRITE = "departments:write"
    DEVICES_READ = "devices:read"
    DEVICES_WRITE = "devices:write"
    ENGAGEMENTS_WRITE = "engagements:write"
    HR_SETTLE = "hr:settle"
    HR_WRITE = "hr:write"
    NUMBERS_ADMIN = "numbers:admin"
    NUMBERS_ALLOCATE = "numbers:allocate"
    NUMBERS_EXPORT = "numbers:export"
    NUMBERS_READ = "numbers:read"
    POLICY_ADMIN = "policy:admin"
    SCIM = "scim"
    WEBHOOKS_ADMIN = "webhooks:admin"


VOCABULARY: Final[frozenset[str]] = frozenset(scope.value for scope in Scope)

PERSON_SCOPES: Final[frozenset[str]] = frozenset(
    {
        Scope.APPROVALS_USE.value,
        Scope.CONTACTS_READ.value,
        Scope.CONTACTS_REVEAL.value,
        Scope.DEVICES_READ.value,
        Scope.DEVICES_WRITE.value,
        Scope.NUMBERS_READ.value,
    }
)
"""What every person's token carries."""

ROLE_SCOPES: Final[Mapping[str, frozenset[str]]] = {
    "auditor": frozenset({Scope.ACCESS_LOG_READ.value}),
    "committee": frozenset({Scope.POLICY_ADMIN.value}),
    "deputy": frozenset({Scope.CONTACTS_WRITE.value}),
    "dept_head": frozenset({Scope.CONTACTS_WRITE.value, Scope.ENGAGEMENTS_WRITE.value}),
    "directory_steward": frozenset(
        {Scope.CONTACTS_WRITE.value, Scope.DEPARTMENTS_WRITE.value, Scope.ENGAGEMENTS_WRITE.value}
    ),
    "hr": frozenset(
        {
            Scope.CONTACTS_WRITE.value,
            Scope.DEPARTMENTS_WRITE.value,
            Scope.ENGAGEMENTS_WRITE.value,
            Scope.HR_SETTLE.value,
        }
    ),
    "infosec": frozenset({Scope.ACCESS_LOG_READ.value, Scope.POLICY_ADMIN.value}),
    "it": frozenset(
        {
            Scope.DEPARTMENTS_WRITE.value,
            Scope.NUMBERS_ADMIN.value,
            Scope.NUMBERS_ALLOCATE.value,
            Scope.WEBHOOKS_ADMIN.value,
        }
    ),
    "system_admin": frozenset(
        {
            Scope.DEPARTMENTS_WRITE.value,
            Scope.NUMBERS_ADMIN.value,
            Scope.NUMBERS_ALLOCATE.value,
            Scope.POLICY_ADMIN.value,
            Scope.WEBHOOKS_ADMIN.value,
        }
    ),
}
"""What a role adds; a role that is not named adds nothing."""


def scopes_of_person(roles: Iterable[str]) -> frozenset[str]:
    """Give the scopes that a token of a person with ``roles`` may carry."""
    return PERSON_SCOPES.union(*(ROLE_SCOPES.get(role, frozenset()) for role in roles))


def known(values: Iterable[str]) -> frozenset[str]:
    """Keep what belongs to the vocabulary; another issuer's scopes mean nothing here."""
    return VOCABULARY.intersection(values)


def written(scopes: Iterable[str]) -> str:
    """Write scopes as RFC 6749 section 3.3 does: sorted, one space between."""
    return " ".join(sorted(scopes))
