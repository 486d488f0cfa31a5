"""The tables that the demo company is made from: its departments, the people that the documentation names, hotlines, service accounts.

Pure data. Department codes, principals and scopes are those of ``design/api.md``; what a principal may do is written here and nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from app.auth.clients import NewClient
from app.auth.scopes import Scope

Tier = Literal["T0", "T1", "T2", "T3", "T4", "T5"]


@dataclass(frozen=True, slots=True)
class Site:
    """Where people work: its name, its country, who employs them there, and how its office numbers begin."""

    name: str
    region: str
    legal_entity: str
    phone: str


BEIJING: Final = Site("北京总部", "CN", "示例科技（北京）有限公司", "010-8888")
SUZHOU: Final = Site("苏州工厂", "CN", "示例制造（苏州）有限公司", "0512-8888")
SINGAPORE: Final = Site("新加坡办事处", "SG", "示例科技（北京）有限公司", "+65 6555 ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A department and whom it needs: ``size`` people, the first its head and, where there are six or more, the second its deputy."""

    code: str
    name: str
    size: int
    head: str
    titles: tuple[str, ...]
    parent: str | None = None
    site: Site = BEIJING
    protected: bool = False
    tags: tuple[str, ...] = ()


_RD, _LINE, _SAFETY = ("研发",), ("一线",), ("安全员",)
_WORKERS: Final = ("操作员", "质检员", "设备员")

TEAMS: Final = (
    Team(code="EXEC", name="总经办", size=6, head="总经理", titles=("副总经理", "总经理助理")),
    Team(code="RD", name="研发中心", size=9, head="研发总监", titles=("架构师", "项目经理"), tags=_RD),
    Team(code="SALES", name="销售部", size=7, head="销售总监", titles=("商务专员", "销售经理"), tags=_LINE),
    Team(code="PROD", name="生产部", size=8, head="生产总监", titles=("计划员", "工艺工程师"), site=SUZHOU, tags=_LINE),
    Team(code="CS", name="客户服务部", size=24, head="客服经理", titles=("客服专员", "技术支持工程师"), tags=_LINE),
    Team(code="HR", name="人力资源部", size=10, head="人力资源总监", titles=("人事专员", "招聘专员", "薪酬专员")),
    Team(code="ADMIN", name="行政部", size=10, head="行政经理", titles=("行政专员", "前台")),
    Team(code="IT", name="信息技术部", size=14, head="信息技术总监", titles=("系统工程师", "网络工程师", "桌面支持")),
    Team(code="SEC", name="信息安全部", size=7, head="信息安全总监", titles=("安全工程师", "安全分析师")),
    Team(code="FIN", name="财务部", size=12, head="财务总监", titles=("会计", "出纳", "成本会计")),
    Team(code="SAFETY", name="安全管理部", size=8, head="安全总监", titles=("安全员",), site=SUZHOU, tags=_SAFETY),
    Team(
        code="RD-CORE",
        name="核心平台组",
        size=28,
        head="核心平台经理",
        titles=("后端工程师", "平台工程师"),
        parent="RD",
        tags=_RD,
    ),
    Team(
        code="RD-APP",
        name="应用开发组",
        size=30,
        head="应用开发经理",
        titles=("前端工程师", "客户端工程师"),
        parent="RD",
        tags=_RD,
    ),
    Team(code="RD-QA", name="质量保障组", size=16, head="测试经理", titles=("测试工程师",), parent="RD", tags=_RD),
    Team(
        code="SALES-NORTH",
        name="北方销售组",
        size=20,
        head="北方区经理",
        titles=("客户经理",),
        parent="SALES",
        tags=_LINE,
    ),
    Team(
        code="SALES-SOUTH",
        name="南方销售组",
        size=20,
        head="南方区经理",
        titles=("客户经理",),
        parent="SALES",
        tags=_LINE,
    ),
    Team(
        code="SALES-INTL",
        name="海外销售组",
        size=8,
        head="海外区经理",
        titles=("客户经理",),
        parent="SALES",
        site=SINGAPORE,
    ),
    Team(
        code="PROD-LINE1",
        name="一号产线",
        size=28,
        head="产线长",
        titles=_WORKERS,
        parent="PROD",
        site=SUZHOU,
        tags=_LINE,
    ),
    Team(
        code="PROD-LINE2",
        name="二号产线",
        size=28,
        head="产线长",
        titles=_WORKERS,
        parent="PROD",
        site=SUZHOU,
        tags=_LINE,
    ),
    Team(
        code="FIN-AUDIT", name="内部审计组", size=7, head="内审经理", titles=("内审专员",), parent="FIN", protected=True
    ),
)
"""Every department, parents before children; 300 people. Audit answers to its own head alone."""


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
    Principal(user_name="demo-sales", department="SALES", alias="演示销售", title="销售经理", tier="T3"),
    Principal(user_name="demo-service", department="CS", alias="演示客服", title="客服专员", tier="T3"),
    Principal(user_name="demo-production", department="PROD", alias="演示生产", title="计划员", tier="T3"),
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
        scopes=(Scope.NUMBERS_READ.value, Scope.NUMBERS_ALLOCATE.value, Scope.NUMBERS_ADMIN.value),
    ),
    NewClient("intranet", "Intranet 内网门户", confidential=False),
    NewClient("siem", "SIEM 安全日志平台", scopes=(Scope.ACCESS_LOG_READ.value,)),
)
"""Service accounts, and the front end through which people sign in."""
