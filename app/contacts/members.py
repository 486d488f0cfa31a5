"""From the members that a caller wrote to columns and normal forms; every fault of a body is named at once."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.subject import user_name_key
from app.contacts.errors import ConsentRequired, NamesOneself, NotCollected, UnknownContact, UnknownDepartment
from app.contacts.external import Ends, refuse_unfit
from app.contacts.fields import CATALOGUE
from app.contacts.forms import Consent, Forms
from app.contacts.repository import ContactRepository
from app.contacts.rows import REFERENCES
from app.contacts.values import normal, relations
from app.departments.tree import Tree
from app.disclosure.fields import MaskKind, ProtectedField
from app.kit.errors import FieldError, Invalid
from app.kit.problems import Rejected
from app.permissions.outcomes import FieldClass

_DECLARED: Final = frozenset(CATALOGUE.by_name) | {field.name for field in CATALOGUE.public}
PEOPLE: Final = ("manager", "dotted_manager", "backup_contact")
"""Members that name another contact."""


class MemberReader:
    """Reads members for one company's forms and settings."""

    def __init__(self, repository: ContactRepository, *, region: str, forms: Forms) -> None:
        """Take the rows (to know who exists), the home region of numbers, and the collection forms."""
        self._repository, self._region, self.forms = repository, region, forms

    def classes_of(self, kind: str, names: Mapping[str, Any]) -> frozenset[FieldClass]:
        """Name the classes that a write of these members touches; raise ``NotCollected`` for what the kind's form does not ask."""
        outside = [name for name in names if name in _DECLARED and not self.forms.collects(kind, name)]
        if kind not in self.forms.by_kind:
            outside.append("kind")
        if outside:
            pointers = [f"/{name}" for name in sorted(outside)]
            raise NotCollected(*pointers)
        fields = (CATALOGUE.protects(kind, name) for name in names)
        return frozenset(FieldClass.C1 if field is None else field.field_class for field in fields)

    def refuse_new(self, kind: str, given: Mapping[str, Any], *, at: datetime) -> None:
        """Raise what speaks against a new contact of ``kind``: ``NotCollected``, ``Invalid`` for what is missing, ``ConsentRequired``."""
        self.classes_of(kind, given)
        refuse_unfit(kind, given, self.forms.required(kind), at=at)
        self.refuse_unconsented(kind, given, ())

    def refuse_unconsented(self, kind: str, given: Mapping[str, Any], live: Collection[Consent]) -> None:
        """Raise ``ConsentRequired`` for values of fields that rest on a consent which is not ``live``; to remove takes none."""
        wanted: Iterable[str] = (name for name, value in given.items() if value not in (None, []))
        missing = self.forms.unconsented(kind, wanted, live)
        if missing:
            pointers = [f"/{name}" for name in sorted(missing)]
            raise ConsentRequired(*pointers)

    def refuse_amended(
        self,
        kind: str,
        given: Mapping[str, Any],
        live: Collection[Consent],
        *,
        at: datetime,
        before: Ends,
    ) -> None:
        """Raise what speaks against changing members of the contact ``before``: ``Invalid``, ``ConsentRequired``."""
        refuse_unfit(kind, given, self.forms.required(kind), at=at, before=before)
        self.refuse_unconsented(kind, given, live)

    async def read(
        self, session: AsyncSession, tree: Tree, kind: str, given: Mapping[str, Any], *, about: UUID | None = None
    ) -> tuple[dict[str, Any], dict[str, str | None]]:
        """Give plain columns, and protected values of a contact of ``kind`` in normal form (``None`` removes).

        Raises ``Invalid`` with every value that cannot be read, ``UnknownDepartment``, ``UnknownContact``, and ``NamesOneself`` where a
        member names whom it is ``about``.
        """
        plain, values = self.parsed(tree, kind, given)
        refuse_oneself(about, {name: plain.get(REFERENCES[name]) for name in PEOPLE})
        await self._refuse_strangers(session, plain)
        return plain, values

    def parsed(self, tree: Tree, kind: str, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str | None]]:
        """Read members as ``read`` does, without asking whether the people whom they name exist."""
        plain: dict[str, Any] = {}
        values: dict[str, str | None] = {}
        faults: list[FieldError] = []
        for name, value in given.items():
            field = CATALOGUE.protects(kind, name)
            if field is not None:
                try:
                    values[name] = self._normal(field, value)
                except Rejected as fault:
                    faults.append(FieldError(f"/{name}", fault.code, fault.detail, fault.detail_zh))
                continue
            match name:
                case "department":
                    plain["department_id"] = None if value is None else _department(tree, value, "/department")
                case "memberships":
                    plain[name] = [_membership(tree, each, at) for at, each in enumerate(value or ())]
                case "user_name":
                    plain[name] = value
                    plain["user_name_key"] = None if value is None else _kept_name(value)
                case "tags":
                    plain[name] = list(dict.fromkeys(value or ()))
                case _:
                    plain[REFERENCES.get(name, name)] = value
        if faults:
            raise Invalid(errors=faults)
        return plain, values

    def _normal(self, field: ProtectedField, value: Any) -> str | None:  # noqa: ANN401 — a text, or relations
        if field.mask is MaskKind.RELATIONS:
            return relations(value or (), region=self._region)
        return None if value is None else normal(field.mask, value, region=self._region)

    async def _refuse_strangers(self, session: AsyncSession, plain: Mapping[str, Any]) -> None:
        named = {name: identity for name in PEOPLE if (identity := plain.get(REFERENCES[name])) is not None}
        known = await self._repository.known(session, named.values())
        for name, identity in named.items():
            if identity not in known:
                pointer = f"/{name}"
                raise UnknownContact(pointer)


def refuse_oneself(about: object, named: Mapping[str, object], under: str = "") -> None:
    """Raise ``NamesOneself`` where one of the people whom members ``under`` a pointer name is the one whom they are ``about``."""
    for name, each in named.items():
        if each is not None and each == about:
            pointer = f"{under}/{name}"
            raise NamesOneself(pointer)


def _kept_name(value: str) -> str:
    key = user_name_key(value)
    if key is None:
        raise Invalid(
            errors=[FieldError("/user_name", "malformed_user_name", "This is not a user name.", "账号格式不正确。")]
        )
    return key


def _department(tree: Tree, named: str, pointer: str) -> UUID:
    node = tree.find(named)
    if node is None:
        raise UnknownDepartment(pointer)
    return node.id


def _membership(tree: Tree, each: Any, at: int) -> dict[str, Any]:  # noqa: ANN401 — a Membership
    return {
        "department_id": str(_department(tree, each.department, f"/memberships/{at}/department")),
        "title": each.title,
        "order": each.order,
        "leader": each.leader,
    }
