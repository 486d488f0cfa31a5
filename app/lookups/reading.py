"""From what a caller typed to what is looked for, in the normal form of contacts; every fault of a body is named at once.

Pure but for the tree that a department is found in.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from app.contacts.tag_rules import tagged_form
from app.contacts.values import normal
from app.departments.tree import Tree
from app.disclosure.fields import MaskKind
from app.kit.errors import FieldError, Invalid
from app.kit.problems import Rejected
from app.permissions.outcomes import Tag

MOST_TERMS: Final = 100
LISTS: Final = ("numbers", "emails", "employee_nos", "names", "wechats", "id_numbers", "last4")
"""Members of a request, in the order in which their terms are counted."""

_SEALED: Final[Mapping[str, tuple[Tag, MaskKind]]] = {
    "emails": (Tag.EMAIL, MaskKind.EMAIL),
    "names": (Tag.NAME, MaskKind.NAME),
    "wechats": (Tag.WECHAT, MaskKind.HANDLE),
    "id_numbers": (Tag.ID_NUMBER, MaskKind.ID_NUMBER),
}
_SHORT: Final = re.compile(r"[0-9]{2,15}", re.ASCII)
_BETWEEN: Final = re.compile(r"[\s-]+")
_NO_ENDING: Final = FieldError("/last4", "not_offered", "This is not offered here.", "未启用此查询方式。")


class EndingTerm(Protocol):
    """An end of a number in a department."""

    @property
    def digits(self) -> str:
        """Four digits."""
        ...

    @property
    def department(self) -> str:
        """Id or code."""
        ...


@dataclass(frozen=True, slots=True)
class Term:
    """One thing to be looked for.

    ``digits`` is asked of the number plan, ``employee_no`` of the cards, ``kind`` with ``form`` of the tags, in ``department`` where there
    is one; ``told`` stands for it in the log, hashed.
    """

    member: str
    told: str
    digits: str | None = None
    employee_no: str | None = None
    kind: Tag | None = None
    form: str | None = None
    department: UUID | None = None


def plain_digits(value: object) -> object:
    """Read full-width digits as digits."""
    return unicodedata.normalize("NFKC", value).strip() if isinstance(value, str) else value


def read(
    lists: Mapping[str, Sequence[str]],
    endings: Sequence[EndingTerm],
    *,
    tree: Tree,
    region: str,
    offered: frozenset[Tag],
) -> list[Term]:
    """Read every term, in order. Raises ``Invalid`` with every one that cannot be read, or asks for a kind that is not ``offered``."""
    terms: list[Term] = []
    faults: list[FieldError] = []
    for member in LISTS:
        for at, text in enumerate(lists.get(member, ())):
            try:
                terms.append(_term(member, text, region, offered))
            except Rejected as fault:
                faults.append(FieldError(f"/{member}/{at}", fault.code, fault.detail, fault.detail_zh))
    for at, ending in enumerate(endings):
        node = tree.find(ending.department)
        if Tag.MOBILE_LAST4 not in offered:
            faults.append(_NO_ENDING)
        elif node is None:
            faults.append(
                FieldError(
                    f"/last4/{at}/department", "unknown_department", "There is no such department.", "部门不存在。"
                )
            )
        else:
            form = tagged_form(Tag.MOBILE_LAST4, ending.digits)
            terms.append(Term("last4", f"{node.id}:{form}", kind=Tag.MOBILE_LAST4, form=form, department=node.id))
    if faults:
        raise Invalid(errors=faults)
    return terms


def _term(member: str, text: str, region: str, offered: frozenset[Tag]) -> Term:
    if member == "numbers":
        return _number(text, region, offered)
    if member == "employee_nos":
        number = unicodedata.normalize("NFKC", text).strip()
        return Term(member, number, employee_no=number)
    kind, mask = _SEALED[member]
    if kind not in offered:
        raise Rejected("not_offered", "This is not offered here.", "未启用此查询方式。")
    form = tagged_form(kind, normal(mask, text, region=region))
    return Term(member, form, kind=kind, form=form)


def _number(text: str, region: str, offered: frozenset[Tag]) -> Term:
    """Read a number that may be a short one, a whole one, or either; one that is neither is refused."""
    bare = _BETWEEN.sub("", unicodedata.normalize("NFKC", text))
    digits = bare if _SHORT.fullmatch(bare) else None
    mobile = _tried(lambda: normal(MaskKind.MOBILE, text, region=region))
    if mobile is not None:
        kind = Tag.MOBILE if Tag.MOBILE in offered else None
        return Term("numbers", mobile, digits=digits, kind=kind, form=mobile)
    if digits is not None:
        return Term("numbers", digits, digits=digits)
    return Term("numbers", normal(MaskKind.LANDLINE, text, region=region))


def _tried(reading: Callable[[], str]) -> str | None:
    try:
        return reading()
    except Rejected:
        return None


def grouped(terms: Sequence[Term]) -> Iterator[tuple[Tag, UUID | None, list[int]]]:
    """Group the places of terms that are looked up in one go: by kind, and by department where there is one."""
    found: dict[tuple[Tag, UUID | None], list[int]] = {}
    for at, term in enumerate(terms):
        if term.kind is not None:
            found.setdefault((term.kind, term.department), []).append(at)
    for (kind, department), places in found.items():
        yield kind, department, places
