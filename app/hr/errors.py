"""Refusals of personnel events, and reasons why one that was taken is not applied.

Invalid 422, nothing stored
└── EventIdReused           event_id_reused
Conflict 409
├── EventSettled            event_settled             there is nothing (more) to replay or skip
└── FuseBlown               fuse_blown                a batch, a head-count or a bulk request would let more people go than may
Problem told inside a 202 of state ``waiting``; once the wait is over, of state ``failed``
├── SequenceGap             sequence_gap              events of the source before this one are missing; applied when the wait is over
├── HeldUp                  held_up                   an earlier event of the subject failed, and is neither replayed nor skipped
├── UnknownSubject          unknown_subject
├── SubjectLeft             subject_left              what happens to people in service, of somebody who left
├── SubjectInService        subject_in_service        a return of somebody who has not left
└── UnknownEvent            unknown_event             the event that is withdrawn has not come
Problem told inside a 202 of state ``failed``, stored so that a repeat tells the same
├── NameNeeded              name_needed               a return, without a name, of somebody whose card is in the archive
├── UnknownApplicant        unknown_applicant         who joins is named as an applicant, and is none
├── PayloadLost             payload_lost              what it said cannot be opened any more
├── what the sender may not (any more): not_permitted, account_suspended, no_contact, …
├── what the contacts say: unknown_department, unknown_contact (manager, substitute), duplicate_employee_no, duplicate_user_name,
│                          account_exists, consent_required
└── what the departments say: unknown_parent, unknown_holder, duplicate_department_code, department_loop, department_too_deep,
                            department_not_empty, department_has_numbers
Problem told inside a 202 of state ``superseded`` (none: later events have written everything that it says)
├── Replaced                replaced                  the source has announced it anew
├── Withdrawn               cancelled
├── Skipped                 skipped
└── AlreadyApplied          already_effective         what it withdraws has taken effect
Problem told inside a 202 of state ``applied``: ``pool_exhausted``, the person is there and has no number; ``unknown_contact``, who was to
take over from a leaver is nobody who can
"""

from collections.abc import Mapping
from dataclasses import asdict
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
from app.hr.fuse import Limits, Verdict
from app.hr.ordering import Missing
from app.kit.errors import Conflict, Invalid, Problem


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


class NameNeeded(Unresolvable):
    """The card of somebody who comes back is in the archive, which nothing opens for an event: it has to say the name."""

    code, title, title_zh = "name_needed", "The archived card takes a name to come back", "档案已封存，返聘须提供姓名"


class UnknownApplicant(Unresolvable):
    """There is no such applicant: nobody has this id, or somebody who is none (any more)."""

    code, title, title_zh = "unknown_applicant", "There is no such applicant", "没有该应聘者"


class NotYetDue(Unresolvable):
    """The event is to take effect later; the ledger keeps such an event until then."""

    code, title, title_zh = "not_yet_due", "The event is not due yet", "该事件尚未到生效时间"


class SequenceGap(Unresolvable):
    """Events that the source numbered before this one have not come."""

    code, title, title_zh = "sequence_gap", "Earlier events are missing", "之前的事件尚未到达"


class HeldUp(Unresolvable):
    """An earlier event of the subject failed; whoever keeps the ledger replays or skips it."""

    code, title, title_zh = "held_up", "An earlier event failed and is not settled", "之前的事件处理失败，尚未处置"


class UnknownEvent(Unresolvable):
    """The source has sent no such event about the subject."""

    code, title, title_zh = "unknown_event", "There is no such event", "没有该事件"


class PayloadLost(Unresolvable):
    """What the event said was kept under a key that is gone, or was altered: send it again under a new id."""

    code, title, title_zh = "payload_lost", "What the event said cannot be read any more", "事件内容已无法读取"


class Replaced(Unresolvable):
    """The source announced the same thing anew before it took effect; the latest announcement counts."""

    code, title, title_zh = "replaced", "A later announcement took its place", "已被更新的预约取代"


class Withdrawn(Unresolvable):
    """The source withdrew it before it took effect."""

    code, title, title_zh = "cancelled", "The event was withdrawn", "该事件已撤销"


class Skipped(Unresolvable):
    """Whoever keeps the ledger gave it up."""

    code, title, title_zh = "skipped", "The event was skipped", "该事件已跳过"


class AlreadyApplied(Unresolvable):
    """What is to be withdrawn has taken effect: send what undoes it."""

    code, title, title_zh = "already_effective", "The event has taken effect", "该事件已经生效"


class EventSettled(Conflict):
    """The event was applied, superseded or skipped; or another process is at it."""

    code, title, title_zh = "event_settled", "The event is settled", "该事件已处置"


OF_A_BATCH: Final = (
    "Nothing of the batch was taken. Once a head-count is applied by an approved request hr.mass_leaving, the batch passes.",
    "整批均未处理。请先提交花名册对账，经批准的 hr.mass_leaving 申请放行并应用后，本批即可通过。",
)
OF_A_BULK: Final = (
    (
        "Not done, like every operation of this bulk request that ends somebody: by it, or within a day by this client, {leavers} people "
        "would leave; more than {people} may only while they are at most {percent_of_many} % of the people, fewer while at most "
        "{percent_of_few} %. Look at the filter of whoever sends it. If they do leave, hand in a head-count: once it is applied by an "
        "approved request hr.mass_leaving, these operations pass."
    ),
    (
        "未执行，本次批量请求中所有停用或删除人员的操作均未执行：按本次请求或该客户端一天内合计，将有 {leavers} 人离职；"
        "超过 {people} 人时不得超过总人数的 {percent_of_many}%，否则不得超过 {percent_of_few}%。请检查同步方的筛选条件；"
        "如确需离职，请提交花名册对账，经批准的 hr.mass_leaving 申请放行并应用后，这些操作即可通过。"
    ),
)


class FuseBlown(Conflict):
    """More would leave at once than may without two people's word: an approved request of kind ``hr.mass_leaving`` for a head-count."""

    code, title, title_zh = (
        "fuse_blown",
        "More people would leave than may without an approved request",
        "离职人数超过保险阈值，须经审批",
    )

    def __init__(self, verdict: Verdict, limits: Limits, said: tuple[str, str] | None = None) -> None:
        """Tell the counts, the limits, and which request allows it; ``said``: what became of what was sent, in English and Chinese."""
        tally = verdict.tally
        counts = {"leavers": tally.leavers, **asdict(limits)}
        detail, detail_zh = (None, None) if said is None else (each.format(**counts) for each in said)
        super().__init__(
            detail,
            detail_zh=detail_zh,
            reason=verdict.reason.value,
            extent=tally.extent.value,
            leavers=tally.leavers,
            people=tally.people,
            limits={
                "people": limits.people,
                "percent_of_many": limits.percent_of_many,
                "percent_of_few": limits.percent_of_few,
            },
            request_kind="hr.mass_leaving",
        )


MISSING: Final[Mapping[Missing, type[Unresolvable]]] = {
    Missing.EARLIER: SequenceGap,
    Missing.PERSON: UnknownSubject,
    Missing.RETURN: SubjectLeft,
    Missing.DEPARTURE: SubjectInService,
    Missing.CAUSE: UnknownEvent,
    Missing.DECISION: HeldUp,
}
"""How it is told what an event waits for."""

WAITS: Final = (UnknownSubject, SubjectLeft, SubjectInService, UnknownEvent)
"""What another event may bring; the rest of ``UNRESOLVED`` somebody has to mend."""

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
