"""Refusals of effects, told to the request that they fail.

Conflict
├── CardMoved             card_moved             a member is not what it was when the change was approved
├── ChangeFailed          change_failed          the card does not take it; why is the card's business
├── DepartmentMoved       department_moved       the department is not what it was when the change was approved
└── StillLive             still_live             somebody who left still has something; ``left`` names all of it
    ├── ContactStillLive      contact_still_live
    ├── AccountStillLive      account_still_live
    ├── GrantsStillLive       grants_still_live
    ├── AssignmentsStillLive  assignments_still_live
    ├── NumbersStillHeld      numbers_still_held
    ├── PositionsStillHeld    positions_still_held
    ├── DelegationsStillLive  delegations_still_live
    ├── PrivilegesStillLive   privileges_still_live
    ├── ClientsStillOwned     service_accounts_still_owned
    ├── DevicesStillOut       devices_still_out
    └── UndertakingOwed       undertaking_owed
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


class ContactStillLive(StillLive):
    """The card is that of somebody in service."""

    code, title, title_zh = "contact_still_live", "The person has not left", "该人员尚未离职"


class AccountStillLive(StillLive):
    """The account still signs in."""

    code, title, title_zh = "account_still_live", "The account is not closed", "账号尚未停用"


class GrantsStillLive(StillLive):
    """An exception that was granted has not ended."""

    code, title, title_zh = "grants_still_live", "Exceptions are still in force", "仍有生效的例外授权"


class AssignmentsStillLive(StillLive):
    """Business facts still name the person."""

    code, title, title_zh = "assignments_still_live", "Customers are still assigned", "仍有负责的客户"


class NumbersStillHeld(StillLive):
    """A number has not gone into quarantine."""

    code, title, title_zh = "numbers_still_held", "Numbers are still held", "仍持有短号"


class PositionsStillHeld(StillLive):
    """A department still names the person as its head or deputy."""

    code, title, title_zh = "positions_still_held", "Positions are still held", "仍担任部门职务"


class DelegationsStillLive(StillLive):
    """Somebody still decides for the person, or the person for somebody."""

    code, title, title_zh = "delegations_still_live", "Delegations are still in force", "仍有生效的委托"


class ClientsStillOwned(StillLive):
    """A service account still has the person to answer for it."""

    code, title, title_zh = (
        "service_accounts_still_owned",
        "Service accounts have not been handed over",
        "仍有未移交的服务账号",
    )


class PrivilegesStillLive(StillLive):
    """A line of the person may still do more than call inside the house."""

    code, title, title_zh = (
        "privileges_still_live",
        "Calling privileges are still in force",
        "仍有生效的通话权限",
    )


class DevicesStillOut(StillLive):
    """A device of the person has not been handed over, nor said to be lost or retired."""

    code, title, title_zh = "devices_still_out", "Devices have not been handed over", "仍有未移交的设备"


class UndertakingOwed(StillLive):
    """The person has not confirmed the confidentiality undertaking in force, and nobody has put on record that they did."""

    code, title, title_zh = "undertaking_owed", "The confidentiality undertaking is not confirmed", "尚未签署保密承诺"
