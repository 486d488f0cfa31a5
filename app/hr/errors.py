"""Refusals of personnel events, and reasons why one that was taken could not be applied.

Invalid 422, nothing stored
└── EventIdReused           event_id_reused
Problem told inside a 202 of state ``failed``, stored so that a repeat tells the same
├── UnknownSubject          unknown_subject
├── SubjectLeft             subject_left              what happens to people in service, of somebody who left
├── SubjectInService        subject_in_service        a return of somebody who has not left
├── UnknownApplicant        unknown_applicant         who joins is named as an applicant, and is none
├── TypeNotSupported        event_type_not_supported
├── EffectiveAtNotSupported effective_at_not_supported
├── what the contacts say: unknown_department, unknown_contact (manager, substitute), duplicate_employee_no, duplicate_user_name,
│                          account_exists, consent_required
└── what the departments say: unknown_parent, unknown_holder, duplicate_department_code, department_loop, department_too_deep,
                            department_not_empty, department_has_numbers
Problem told inside a 202 of state ``applied``: ``pool_exhausted``, the person is there and has no number
"""

from typing import Final

from app.auth.errors import AccountExists
from app.contacts.errors import (
    ConsentRequired,
    DuplicateEmployeeNumber,
    DuplicateUserName,
    UnknownContact,
    UnknownDepartment,
)
from app.departments.errors import (
    DepartmentHasNumbers,
    DepartmentLoop,
    DepartmentNotEmpty,
    DepartmentTooDeep,
    DuplicateDepartmentCode,
    UnknownHolder,
    UnknownParent,
)
from app.kit.errors import Invalid, Problem


class EventIdReused(Invalid):
    """The source has used this id for another event."""

    code, title, title_zh = "event_id_reused", "The event id was used for another event", "该事件编号已用于其他事件"


class Unresolvable(Problem):
    """The event is well formed and cannot be applied as things are; never a status of its own."""

    status, code, title, title_zh = 422, "unresolvable_event", "The event cannot be applied", "该事件无法处理"


class UnknownSubject(Unresolvable):
    """Nobody in the directory has this employee number."""

    code, title, title_zh = "unknown_subject", "Nobody has this employee number", "没有该工号的人员"


class SubjectLeft(Unresolvable):
    """The person has left: only a return (``employee.rehired``) changes anything about them."""

    code, title, title_zh = "subject_left", "The person has left", "该人员已离职"


class SubjectInService(Unresolvable):
    """The person is in service, so they cannot come back."""

    code, title, title_zh = "subject_in_service", "The person has not left", "该人员并未离职"


class UnknownApplicant(Unresolvable):
    """There is no such applicant: nobody has this id, or somebody who is none (any more)."""

    code, title, title_zh = "unknown_applicant", "There is no such applicant", "没有该应聘者"


class TypeNotSupported(Unresolvable):
    """The type belongs to the contract, and this version does not act on it."""

    code, title, title_zh = (
        "event_type_not_supported",
        "This version does not act on this type of event",
        "当前版本不处理该类事件",
    )


class EffectiveAtNotSupported(Unresolvable):
    """The event is to take effect later, and this version does not schedule: send it again, under a new id, when it is due."""

    code = "effective_at_not_supported"
    title, title_zh = "This version does not schedule events of the future", "当前版本不支持未来生效的事件"


UNRESOLVED: Final = (
    Unresolvable,
    UnknownDepartment,
    UnknownContact,
    ConsentRequired,
    DuplicateEmployeeNumber,
    DuplicateUserName,
    AccountExists,
    UnknownParent,
    UnknownHolder,
    DuplicateDepartmentCode,
    DepartmentLoop,
    DepartmentTooDeep,
    DepartmentHasNumbers,
    DepartmentNotEmpty,
)
"""What makes a well-formed event ``failed``; every other refusal is an answer of its own and stores nothing."""
