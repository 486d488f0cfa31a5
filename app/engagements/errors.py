"""Refusals about business facts.

Conflict
├── ReferenceReused       engagement_reference_reused  the source has said something else under this reference
└── TooManyEngagements    too_many_engagements         somebody would work on more facts at once than a standing loads
Forbidden
└── OwnAssignment         own_assignment               who writes would be assigned, under any account
Invalid
├── UnknownStaff          unknown_staff                nobody who can be assigned: not there, not staff, gone, or not known to the caller
└── NotExternal           not_external                 the contact is one of our own
"""

from collections.abc import Iterable

from app.kit.errors import Conflict, FieldError, Forbidden, Invalid


class ReferenceReused(Conflict):
    """The reference stands for another fact, or for this one as it was first told; ``PATCH`` changes one."""

    code, title, title_zh = (
        "engagement_reference_reused",
        "The reference was pushed with other content; change the engagement instead",
        "该业务编号已以其他内容推送，请修改已有记录",
    )


class TooManyEngagements(Conflict):
    """Somebody is on as many live facts as a standing loads."""

    code, title, title_zh = (
        "too_many_engagements",
        "A member of staff would be on too many engagements at once",
        "该员工在办业务数量已达上限",
    )

    def __init__(self, *, most: int) -> None:
        """Name the limit."""
        super().__init__(errors=[FieldError("/staff", self.code, self.title, self.title_zh)], most=most)


class OwnAssignment(Forbidden):
    """Work on a customer gives rights over them: somebody else gives it, who keeps the customer too, or the system that knows."""

    code, title, title_zh = (
        "own_assignment",
        "Nobody assigns a customer to themselves: the head above, HR, the steward or the system of record does",
        "不能将客户指派给自己，请由上级部门负责人、人事、通讯录管理员或业务系统指派",
    )


class UnknownStaff(Invalid):
    """Nobody who can be assigned: absent, no employee, gone, or not known to the caller, all alike."""

    code, title, title_zh = "unknown_staff", "This is nobody who can be assigned", "该人员不存在或不可指派"

    def __init__(self, places: Iterable[int]) -> None:
        """Point at each member of the list."""
        super().__init__(
            errors=[FieldError(f"/staff/{at}", self.code, self.title, self.title_zh) for at in sorted(places)]
        )


class NotExternal(Invalid):
    """Facts are about customers, partners and suppliers."""

    code, title, title_zh = (
        "not_external",
        "Engagements are about external contacts",
        "业务关系仅适用于外部联系人",
    )
