"""What a pack says of itself: named examples of a viewer, a contact and what the one may do with the other, kept inside the pack.

Pure. Tests are part of a pack's content and of its digest, so whoever approves a pack approves what it promises, and a pack whose tests
fail is never activated. A test names no person and no department: how the two stand to each other is said in words.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app.auth.subject import CallerKind
from app.permissions.outcomes import FieldClass, Outcome, Purpose, Reason, Tier

MOST_TESTS: Final = 1000

PowerName = Literal["match", "order", "count", "export", "lookup", "edit"]
Related = Literal[
    "self",
    "own_department",
    "headed",
    "own_subtree",
    "same_region",
    "other_region",
    "same_legal_entity",
    "other_legal_entity",
    "assigned",
    "assigned_account",
    "assigned_order",
    "assigned_ticket",
    "emergency",
]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Step = Annotated[str, Field(pattern=r"^(nothing|reveal|request:[a-z][a-z_.]{1,47})$")]


def _named_outcome(value: object) -> object:
    return Outcome[value.upper()] if isinstance(value, str) and value.upper() in Outcome.__members__ else value


def _short(value: object) -> object:
    """Let ``C1: clear`` stand for ``C1: {outcome: clear}``."""
    return {"outcome": value} if isinstance(value, str) else value


def _unsaid(value: object) -> bool:
    return value is None


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TestViewer(_Part):
    """Who looks, as the pack's rules would see them."""

    __test__ = False

    kind: CallerKind = "person"
    tier: Tier = Tier.T1
    roles: tuple[Word, ...] = ()
    marks: tuple[Word, ...] = ()
    worker_kind: Literal["regular", "part_time", "intern", "outsourced"] | None = None
    scopes: tuple[str, ...] = ()
    step_up: bool = False
    ceiling: FieldClass | None = None


class TestContact(_Part):
    """Whom they look at, and how the two stand to each other; no ``relation`` means strangers in other departments.

    ``emergency``: the viewer has a session open about them, which a second person has confirmed.
    """

    __test__ = False

    kind: Literal["employee", "external", "temporary", "student", "applicant", "hotline"] = "employee"
    worker_kind: Literal["regular", "part_time", "intern", "outsourced"] | None = None
    status: Literal["prehire", "active", "frozen", "leaving", "left", "archived"] = "active"
    secrecy: Literal["normal", "core", "executive", "protected"] = "normal"
    relation: tuple[Related, ...] = ()
    tags: tuple[str, ...] = ()
    ended: bool = False


class Expectation(_Part):
    """What holds for one field or class; what is not named is not compared. ``powers`` names all of them, no more and no fewer.

    ``reason`` is what a reveal has to say, ``none`` where it shows no more than the card. It came later than the other members: where it
    is not named it is not written, so that packs from before keep their digest.
    """

    outcome: Annotated[Outcome, BeforeValidator(_named_outcome)] | None = None
    reveals: Annotated[Outcome, BeforeValidator(_named_outcome)] | None = None
    next: Step | None = None
    powers: tuple[PowerName, ...] | None = None
    reason: Reason | None = Field(default=None, exclude_if=_unsaid)

    @model_validator(mode="after")
    def _expects_something(self) -> Self:
        if self == Expectation.model_construct():
            message = "an expectation expects something"
            raise ValueError(message)
        return self


class PackTest(_Part):
    """One example. ``visible`` says whether the viewer knows of the contact at all; fields of whom nobody knows are hidden."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_.]{2,95}$")
    viewer: TestViewer = TestViewer()
    contact: TestContact = TestContact()
    purpose: Purpose = Purpose.WORK_CONTACT
    visible: bool | None = None
    obligations: tuple[str, ...] | None = None
    expect: Mapping[str, Annotated[Expectation, BeforeValidator(_short)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.expect and self.visible is None and self.obligations is None:
            message = f"test {self.id}: it expects nothing"
            raise ValueError(message)
        return self


def unique(tests: tuple[PackTest, ...]) -> tuple[PackTest, ...]:
    """Give ``tests`` back; raise ``ValueError`` when two have one id, or there are more than ``MOST_TESTS``."""
    ids = [each.id for each in tests]
    twice = sorted({each for each in ids if ids.count(each) > 1})
    if twice or len(ids) > MOST_TESTS:
        message = f"duplicate test ids: {', '.join(twice)}" if twice else f"more than {MOST_TESTS} tests"
        raise ValueError(message)
    return tests


def written_beside(text: Mapping[str, Any] | None) -> list[Any]:
    """Give the tests of a file that stands beside a pack: one member ``tests``, or ``ValueError``."""
    if not isinstance(text, Mapping) or set(text) != {"tests"} or not isinstance(text["tests"], list):
        message = "a file of tests has one member, tests"
        raise ValueError(message)
    return list(text["tests"])
