"""The closed lists of roles and tiers: what a person may be here, beside being somebody's colleague.

Pure. A role is a word of this list, letter for letter; anything that merely looks like one is refused wherever roles are given. What a
role may see and do, the policy says.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from app.auth.subject import Tier


class Role(StrEnum):
    """Every role, in the order in which they are told."""

    EMPLOYEE = "employee"
    DEPT_HEAD = "dept_head"
    DEPUTY = "deputy"
    HR = "hr"
    DIRECTORY_STEWARD = "directory_steward"
    INFOSEC = "infosec"
    AUDITOR = "auditor"
    ADMINISTRATION = "administration"
    IT = "it"
    EXECUTIVE = "executive"
    COMMITTEE = "committee"
    SYSTEM_ADMIN = "system_admin"
    SALES = "sales"
    PRODUCTION = "production"
    CUSTOMER_SERVICE = "customer_service"


Held = Literal["everybody", "position", "given"]
"""How a role is come by: everybody in service has it, a position in a department brings it, an operator or a request gives it."""


@dataclass(frozen=True, slots=True)
class RoleInWords:
    """What a role is called and stands for."""

    zh: str
    en: str
    about_zh: str
    about_en: str
    held: Held = "given"
    business: bool = False


ROLES: Final[Mapping[Role, RoleInWords]] = {
    Role.EMPLOYEE: RoleInWords("员工", "Employee", "在职人员", "Everybody in service", "everybody"),
    Role.DEPT_HEAD: RoleInWords(
        "部门负责人", "Department head", "管理本部门及下级部门", "Answers for a department and those below", "position"
    ),
    Role.DEPUTY: RoleInWords("副职", "Deputy", "协助部门负责人", "Stands beside the head of a department"),
    Role.HR: RoleInWords("人事", "HR", "维护人员信息", "Keeps personnel data"),
    Role.DIRECTORY_STEWARD: RoleInWords(
        "通讯录管理员", "Directory steward", "维护通讯录", "Keeps the directory and answers for what stands in it"
    ),
    Role.INFOSEC: RoleInWords(
        "信息安全", "Security", "监督访问、处理事件", "Watches over access and handles incidents"
    ),
    Role.AUDITOR: RoleInWords("审计", "Auditor", "查阅访问日志", "Reads the access log"),
    Role.ADMINISTRATION: RoleInWords("行政", "Administration", "审核权限申请", "Reviews requests for access"),
    Role.IT: RoleInWords("信息技术", "IT", "管理号码与设备", "Keeps numbers and devices"),
    Role.EXECUTIVE: RoleInWords("高管", "Executive", "公司管理层", "Leads the company"),
    Role.COMMITTEE: RoleInWords(
        "信息管理小组", "Information committee", "制定和审核访问策略", "Makes and reviews the policy"
    ),
    Role.SYSTEM_ADMIN: RoleInWords("系统管理员", "System administrator", "管理本系统", "Runs this service"),
    Role.SALES: RoleInWords("销售", "Sales", "负责客户关系", "Looks after customers", business=True),
    Role.PRODUCTION: RoleInWords("生产", "Production", "负责订单生产", "Makes what was ordered", business=True),
    Role.CUSTOMER_SERVICE: RoleInWords(
        "客户服务", "Customer service", "负责客户问题", "Answers customers", business=True
    ),
}
"""Every role in both languages; a business role is a scope of tier T3."""

TIERS: Final[Mapping[Tier, tuple[str, str]]] = {
    "T0": ("外部人员或无授权", "Outside, or without any grant"),
    "T1": ("员工", "Employee"),
    "T2": ("部门负责人", "Head of a department"),
    "T3": ("业务范围：销售、生产、客服", "Business scope: sales, production, customer service"),
    "T4": ("通讯录管理与人事", "Stewards of the directory, and HR"),
    "T5": ("信息安全与审计：可查询全员，仅见脱敏值", "Security and audit: may query all, sees masked values"),
}
"""Every tier in both languages: the ceiling that a position gives, below which the policy decides."""

_KNOWN: Final = frozenset(each.value for each in Role)


def are_roles(values: Iterable[str]) -> bool:
    """Tell whether every value is a role, letter for letter."""
    return _KNOWN.issuperset(values)
