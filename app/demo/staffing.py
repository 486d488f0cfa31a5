"""The tables that the demo company is made from: its departments, the people that the documentation names, hotlines, service accounts.

Pure data. Department codes, principals and scopes are those of ``design/api.md``; what a principal may do is written here and nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from app.auth.clients import NewClient
from app.auth.scopes import Scope

Tier = Literal["T0", "T1", "T2", "T3", "T4", "T5"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A person whom the documentation calls by name: where, as what, with which standing."""

    user_name: str
    department: str
    alias: str
    title: str
    tier: Tier = "T1"
    roles: tuple[str, ...] = ()
    heads: bool = False
    intern: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)


PRINCIPALS: Final = (
    Principal(
        user_name="demo-ceo",
        department="EXEC",
        alias="演示总经理",
        title="总经理",
        tier="T2",
        roles=("executive",),
        heads=True,
    ),
    Principal(
        user_name="demo-director",
        department="EXEC",
        alias="演示高管",
        title="运营副总经理",
        tier="T2",
        roles=("executive",),
    ),
    Principal(user_name="demo-head", department="RD", alias="演示部门负责人", title="研发总监", tier="T2", heads=True),
    Principal(user_name="demo-staff", department="RD", alias="演示员工", title="后端工程师"),
    Principal(user_name="demo-colleague", department="RD", alias="演示同事", title="架构师"),
    Principal(user_name="demo-intern", department="RD-CORE", alias="演示实习生", title="研发实习生", intern=True),
    Principal(user_name="demo-outsider", department="SALES", alias="演示外部门员工", title="商务专员"),
    Principal(
        user_name="demo-sales", department="SALES", alias="演示销售", title="销售经理", tier="T3", roles=("sales",)
    ),
    Principal(
        user_name="demo-service",
        department="CS",
        alias="演示客服",
        title="客服专员",
        tier="T3",
        roles=("customer_service",),
    ),
    Principal(
        user_name="demo-production",
        department="PROD",
        alias="演示生产",
        title="计划员",
        tier="T3",
        roles=("production",),
    ),
    Principal(
        user_name="demo-safety",
        department="SAFETY",
        alias="演示安全员",
        title="安全员",
        extra={"duties": "消防与用电检查", "work_area": "一号厂房、二号厂房"},
    ),
    Principal(user_name="demo-hr", department="HR", alias="演示人事", title="人事主管", tier="T4", roles=("hr",)),
    Principal(
        user_name="demo-admin",
        department="ADMIN",
        alias="演示行政",
        title="通讯录管理员",
        tier="T4",
        roles=("administration", "directory_steward"),
    ),
    Principal(
        user_name="demo-it", department="IT", alias="演示系统管理员", title="系统管理员", roles=("it", "system_admin")
    ),
    Principal(
        user_name="demo-infosec",
        department="SEC",
        alias="演示信息安全",
        title="安全分析师",
        tier="T5",
        roles=("infosec",),
    ),
    Principal(
        user_name="demo-auditor",
        department="FIN-AUDIT",
        alias="演示审计",
        title="内审专员",
        tier="T5",
        roles=("auditor",),
    ),
)
"""The people of ``design/api.md``, each with a full card."""


@dataclass(frozen=True, slots=True)
class Hotline:
    """A number that is nobody's own."""

    key: str
    name: str
    department: str
    number: str
    duties: str


HOTLINES: Final = (
    Hotline("hotline-desk", "总机", "ADMIN", "010-88889000", "来电转接"),
    Hotline("hotline-it", "IT 服务台", "IT", "010-88889100", "电脑、网络与账号问题"),
    Hotline("hotline-hr", "人事服务热线", "HR", "010-88889200", "入职、证明与社保"),
    Hotline("hotline-customer", "客户服务热线", "CS", "010-88889300", "客户来电"),
    Hotline("hotline-security", "信息安全值班", "SEC", "010-88889400", "可疑邮件、丢失设备、数据外泄"),
    Hotline("hotline-safety", "工厂安全值班", "SAFETY", "0512-88889500", "火情、伤情与设备事故，二十四小时"),
)

CLIENTS: Final = (
    NewClient("hr-system", "HR system 人事系统", scopes=(Scope.HR_WRITE.value, Scope.SCIM.value)),
    NewClient(
        "it-scripts",
        "IT scripts 信息技术脚本",
        scopes=(
            Scope.DEVICES_READ.value,
            Scope.DEVICES_WRITE.value,
            Scope.NUMBERS_READ.value,
            Scope.NUMBERS_ALLOCATE.value,
            Scope.NUMBERS_ADMIN.value,
        ),
    ),
    NewClient("intranet", "Intranet 内网门户", confidential=False),
    NewClient("crm", "CRM 客户关系系统", scopes=(Scope.ENGAGEMENTS_WRITE.value,)),
    NewClient("siem", "SIEM 安全日志平台", scopes=(Scope.ACCESS_LOG_READ.value,)),
)
"""Service accounts, and the front end through which people sign in."""

REDIRECTS: Final[Mapping[str, tuple[str, ...]]] = {"intranet": ("http://127.0.0.1:3000/callback",)}
"""Where the front end that somebody builds against the demo takes people back."""
