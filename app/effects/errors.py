"""Refusals of effects, told to the request that they fail.

Conflict
├── CardMoved             card_moved             a member is not what it was when the change was approved
├── ChangeFailed          change_failed          the card does not take it; why is the card's business
├── DepartmentMoved       department_moved       the department is not what it was when the change was approved
└── StillLive             still_live             somebody who left still has something, by name
"""

from app.kit.errors import Conflict


class CardMoved(Conflict):
    """Somebody else changed the same members meanwhile."""

    code, title, title_zh = "card_moved", "The card has changed since", "名片已被他人修改"


class ChangeFailed(Conflict):
    """The card cannot be so; who asked for it of somebody else is not told why, since that would tell what it is."""

    code, title, title_zh = "change_failed", "The change could not be applied", "变更未能生效"


class DepartmentMoved(Conflict):
    """Somebody else changed the same department meanwhile."""

    code, title, title_zh = "department_moved", "The department has changed since", "部门已被他人修改"


class StillLive(Conflict):
    """Something of the person is still in force; ``left`` names what."""

    code, title, title_zh = "still_live", "Something is still in force", "仍有未了结事项"
