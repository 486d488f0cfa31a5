"""Questions about contacts: how one card is read, which are listed, searched or written to take along, how a history is paged.

Read as strictly as what is written about contacts (``schemas``); what identifies a question, without its page, is its shape, to which a
cursor is bound and which the log is told.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, field_validator

from app.contacts.columns import NAMES, Labels
from app.contacts.schemas import CONTROLS, DepartmentRef, readable
from app.contacts.search import LONGEST_WORD, MOST_WORDS, too_many_words
from app.contacts.vcard import Edition
from app.kit.pagination import CursorText, Limit
from app.kit.problems import Rejected
from app.kit.schemas import Input
from app.permissions.outcomes import Purpose
from app.permissions.pack import Kind, Status

VCardEdition = Annotated[
    Edition, Field(description="Version of the format: RFC 6350, or `3.0` for address books that read nothing newer.")
]

_Sought = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), BeforeValidator(readable)
]


class ReadQuery(Input):
    """How one card is read."""

    purpose: Purpose = Purpose.WORK_CONTACT


class VCardQuery(ReadQuery):
    """How one card is written to take along."""

    format: VCardEdition = "4.0"


class HistoryQuery(ReadQuery):
    """For what a history is read, and how it is paged."""

    limit: Limit = 20
    cursor: CursorText | None = None

    @field_validator("purpose", mode="after")
    @classmethod
    def _of_no_emergency(cls, value: Purpose) -> Purpose:
        if value is Purpose.EMERGENCY:
            raise Rejected("not_for_histories", "No emergency is met by what was.", "紧急用途不可查看历史。")
        return value


def _few_words(value: str) -> str:
    if too_many_words(value):
        raise Rejected("too_many_words", f"At most {MOST_WORDS} words.", f"最多 {MOST_WORDS} 个词。")
    return value


def _typed(value: object) -> object:
    """Refuse a text with control characters (ASCII); marks that came along when a name was copied are passed over by the search."""
    if isinstance(value, str) and any(ord(letter) < 32 or ord(letter) == 127 for letter in value):  # noqa: PLR2004 — ASCII controls
        raise Rejected(*CONTROLS)
    return value


def _one_by_one(value: object) -> object:
    """Take a list of ids that a query wrote with commas between them, repeated, or both."""
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return [part for each in value for part in each.split(",")]
    return value


SearchText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_WORD),
    BeforeValidator(_typed),
    AfterValidator(_few_words),
]


class ContactQuery(Input):
    """Which contacts are meant, in which order, and which page of them."""

    q: SearchText | None = Field(
        None,
        description=(
            "What to find people by: a name, English name or alias or a part of it; pinyin from the start of any syllable "
            "(`zhangwei`, `zhang wei`, `wei`) or initials (`zw`); the start of a user name; a whole employee number; the start of a "
            "short number or extension (3 digits or more); a title or organisation; the name or code of a department. Several words "
            "must all match. Traditional and simplified characters, and all dots between names, are alike; ü is `v`, `u` or `yu`; a word "
            "of two scripts (`李lei`) also matches as two. Digits (3 or more) that spell a name, its pinyin or its initials on a "
            "telephone (`565`) match a place lower than what they spell, after everything else of that place. "
            "A protected name finds nobody. "
            "Answers are ranked unless `sort` is given: whole before beginning before start of a word before inside, and then name "
            "before pinyin before initials before account before number before title before department."
        ),
        examples=["欧阳", "ouyang", "oy", "612", "张伟 研发"],
    )
    kind: Kind | None = None
    department: DepartmentRef | None = Field(None, description="Id or code.")
    recursive: bool = Field(default=False, description="With `department`: everything below it too.")
    status: Status | None = Field(None, description="Default: everybody who has not left.")
    tag: _Sought | None = None
    unconfirmed: bool = Field(
        default=False,
        description="Only cards that have `unconfirmed_since`: nobody said in the last review that they are right.",
    )
    assigned: Literal["me"] | None = Field(
        None, description="Only external contacts whose account, order or ticket the caller is assigned to now."
    )
    ids: Annotated[tuple[UUID, ...], Field(max_length=200), BeforeValidator(_one_by_one)] = Field(
        (),
        description=(
            "Repeated, or with commas between them. Answered in the order asked, each once; unknown ids and those that the caller may "
            "not know of are left out alike."
        ),
    )
    sort: Literal["name", "-name", "employee_no", "-employee_no"] | None = Field(
        None,
        description=(
            "Default: how well `q` matches, else the order of `ids`, else `name`. By `name`, contacts whose name is protected stand "
            "under their organisation, whoever asks."
        ),
    )
    limit: Limit = 20
    cursor: CursorText | None = None
    purpose: Purpose = Purpose.WORK_CONTACT

    def shape(self) -> Mapping[str, Any]:
        """Give what identifies the query, without its page: for the cursor and the log."""
        return self.model_dump(mode="json", exclude={"cursor", "limit", "total", "purpose"}, exclude_defaults=True)


class ListQuery(ContactQuery):
    """What a list asks for."""

    total: bool = Field(default=False, description="Count all that the caller may see.")


class VCardPageQuery(ContactQuery):
    """Whose cards are written to take along, and how."""

    format: VCardEdition = "4.0"


def _each_known(value: tuple[str, ...]) -> tuple[str, ...]:
    if not set(value) <= set(NAMES):
        raise Rejected("unknown_field", "There is no such column.", "没有该列。")
    return value


class ExportQuery(ContactQuery):
    """Whose cards are written into a sheet, and how."""

    columns: Annotated[
        tuple[str, ...], Field(max_length=len(NAMES)), BeforeValidator(_one_by_one), AfterValidator(_each_known)
    ] = Field(
        (),
        description=(
            "Names of fields (`GET /v1/fields`), repeated or with commas between them; only these are opened. Default: all that contacts "
            "of `kind`, or any, may have, but `relations` and `photo`. `department_path` goes beside `department`, which is a code."
        ),
        examples=[["employee_no", "name", "department", "mobile"]],
        json_schema_extra={"items": {"type": "string", "enum": list(NAMES)}},
    )
    labels: Labels = Field("zh", description="What columns are called: Chinese or English labels, or names of fields.")
