"""The departments of the demo company and whom each needs: 2,000 people, the tree three levels deep.

Pure data. A department's parent is what stands before the last hyphen of its code; where it is, who employs there and its tags it has from
its parent unless it says otherwise. Codes at the top are those of ``design/api.md``.
"""

from dataclasses import dataclass
from typing import Final


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


@dataclass(frozen=True, slots=True)
class Team:
    """A department: ``size`` people, the first its head, the second its deputy, the others with ``titles`` in turn."""

    code: str
    name: str
    size: int
    head: str
    titles: tuple[str, ...]
    site: Site
    tags: tuple[str, ...]
    protected: bool

    @property
    def parent(self) -> str | None:
        """Code of the department above."""
        return self.code.rpartition("-")[0] or None


_WORKERS: Final = ("操作员", "质检员", "设备员")
_SELLERS: Final = ("客户经理",)
_AGENTS: Final = ("客服专员",)

_TREE: Final[tuple[tuple[str, str, int, str, tuple[str, ...]], ...]] = (
    ("EXEC", "总经办", 8, "总经理", ("副总经理", "总经理助理")),
    ("RD", "研发中心", 12, "研发总监", ("架构师", "项目经理")),
    ("SALES", "销售部", 10, "销售总监", ("商务专员", "销售经理")),
    ("PROD", "生产部", 12, "生产总监", ("计划员", "工艺工程师")),
    ("CS", "客户服务部", 12, "客服总监", ("客服专员", "技术支持工程师")),
    ("HR", "人力资源部", 10, "人力资源总监", ("人事专员", "员工关系专员")),
    ("ADMIN", "行政部", 10, "行政总监", ("行政专员", "档案管理员")),
    ("IT", "信息技术部", 12, "信息技术总监", ("系统工程师", "项目经理")),
    ("SEC", "信息安全部", 12, "信息安全总监", ("安全工程师", "安全分析师")),
    ("FIN", "财务部", 14, "财务总监", ("会计", "预算分析师")),
    ("SAFETY", "安全管理部", 12, "安全总监", ("安全员",)),
    ("RD-CORE", "核心平台部", 14, "核心平台经理", ("后端工程师", "平台工程师")),
    ("RD-CORE-DATA", "数据存储组", 36, "数据存储组长", ("存储工程师", "数据库工程师")),
    ("RD-CORE-NET", "网络传输组", 32, "网络传输组长", ("网络工程师", "协议工程师")),
    ("RD-CORE-SRE", "可靠性组", 30, "可靠性组长", ("可靠性工程师",)),
    ("RD-CORE-BUILD", "工程效率组", 24, "工程效率组长", ("工具工程师",)),
    ("RD-APP", "应用开发部", 14, "应用开发经理", ("前端工程师", "客户端工程师")),
    ("RD-APP-WEB", "网页端组", 38, "网页端组长", ("前端工程师", "交互设计师")),
    ("RD-APP-MOBILE", "移动端组", 36, "移动端组长", ("客户端工程师",)),
    ("RD-APP-DESK", "桌面端组", 24, "桌面端组长", ("客户端工程师",)),
    ("RD-APP-CLOUD", "云服务组", 34, "云服务组长", ("后端工程师",)),
    ("RD-QA", "质量保障部", 10, "测试经理", ("测试工程师",)),
    ("RD-QA-AUTO", "自动化测试组", 28, "自动化测试组长", ("测试开发工程师",)),
    ("RD-QA-FIELD", "现场测试组", 22, "现场测试组长", ("测试工程师",)),
    ("RD-AI", "算法部", 10, "算法经理", ("算法工程师",)),
    ("RD-AI-VISION", "视觉组", 26, "视觉组长", ("算法工程师", "数据标注主管")),
    ("RD-AI-SPEECH", "语音组", 24, "语音组长", ("算法工程师", "语音工程师")),
    ("RD-HW", "硬件部", 10, "硬件经理", ("硬件工程师",)),
    ("RD-HW-BOARD", "电路组", 28, "电路组长", ("电路工程师", "版图工程师")),
    ("RD-HW-BODY", "结构组", 22, "结构组长", ("结构工程师",)),
    ("SALES-NORTH", "北方大区", 8, "北方大区经理", ("销售助理",)),
    ("SALES-NORTH-BJ", "北京销售组", 32, "北京销售组长", _SELLERS),
    ("SALES-NORTH-SY", "沈阳销售组", 24, "沈阳销售组长", _SELLERS),
    ("SALES-SOUTH", "南方大区", 8, "南方大区经理", ("销售助理",)),
    ("SALES-SOUTH-SH", "上海销售组", 32, "上海销售组长", _SELLERS),
    ("SALES-SOUTH-SZ", "深圳销售组", 32, "深圳销售组长", _SELLERS),
    ("SALES-SOUTH-CD", "成都销售组", 24, "成都销售组长", _SELLERS),
    ("SALES-INTL", "海外销售部", 14, "海外销售经理", ("海外客户经理",)),
    ("SALES-INTL-SEA", "东南亚组", 14, "东南亚组长", ("海外客户经理",)),
    ("SALES-KEY", "大客户部", 24, "大客户经理", ("大客户专员", "解决方案工程师")),
    ("PROD-LINE1", "一号产线", 6, "一号产线长", ("产线助理",)),
    ("PROD-LINE1-DAY", "一号产线白班", 70, "班长", _WORKERS),
    ("PROD-LINE1-NIGHT", "一号产线夜班", 60, "班长", _WORKERS),
    ("PROD-LINE2", "二号产线", 6, "二号产线长", ("产线助理",)),
    ("PROD-LINE2-DAY", "二号产线白班", 70, "班长", _WORKERS),
    ("PROD-LINE2-NIGHT", "二号产线夜班", 60, "班长", _WORKERS),
    ("PROD-LINE3", "三号产线", 6, "三号产线长", ("产线助理",)),
    ("PROD-LINE3-DAY", "三号产线白班", 70, "班长", _WORKERS),
    ("PROD-LINE3-NIGHT", "三号产线夜班", 60, "班长", _WORKERS),
    ("PROD-STOCK", "仓储物流部", 8, "仓储物流经理", ("物流计划员",)),
    ("PROD-STOCK-IN", "仓库组", 40, "仓库组长", ("仓管员", "叉车司机")),
    ("PROD-STOCK-OUT", "发运组", 36, "发运组长", ("发运员", "单证员")),
    ("PROD-TECH", "工艺设备部", 8, "工艺设备经理", ("设备工程师",)),
    ("PROD-TECH-FLOW", "工艺组", 26, "工艺组长", ("工艺工程师",)),
    ("PROD-TECH-CARE", "设备维护组", 36, "设备维护组长", ("维修工", "电工")),
    ("PROD-QC", "质量检验部", 8, "质量经理", ("质量工程师",)),
    ("PROD-QC-IN", "来料检验组", 26, "来料检验组长", ("检验员",)),
    ("PROD-QC-OUT", "成品检验组", 26, "成品检验组长", ("检验员",)),
    ("CS-CALL", "呼叫中心", 8, "呼叫中心经理", ("排班专员",)),
    ("CS-CALL-A", "呼叫一班", 36, "班长", _AGENTS),
    ("CS-CALL-B", "呼叫二班", 36, "班长", _AGENTS),
    ("CS-CALL-C", "呼叫三班", 34, "班长", _AGENTS),
    ("CS-TECH", "技术支持部", 8, "技术支持经理", ("技术支持工程师",)),
    ("CS-TECH-FAR", "远程支持组", 30, "远程支持组长", ("技术支持工程师",)),
    ("CS-TECH-SITE", "现场服务组", 30, "现场服务组长", ("现场工程师",)),
    ("CS-CARE", "客户关怀组", 20, "客户关怀组长", ("客户成功经理", "回访专员")),
    ("HR-HIRE", "招聘组", 16, "招聘组长", ("招聘专员",)),
    ("HR-PAY", "薪酬组", 14, "薪酬组长", ("薪酬专员",)),
    ("HR-GROW", "培训发展组", 12, "培训发展组长", ("培训专员",)),
    ("ADMIN-FRONT", "前台会务组", 18, "前台会务组长", ("前台", "会务专员")),
    ("ADMIN-CARS", "车辆组", 16, "车辆组长", ("司机",)),
    ("ADMIN-BUY", "采购组", 18, "采购组长", ("采购专员",)),
    ("IT-OPS", "系统运维组", 30, "系统运维组长", ("系统工程师", "数据库管理员")),
    ("IT-NET", "网络通信组", 24, "网络通信组长", ("网络工程师", "话务工程师")),
    ("IT-DESK", "桌面支持组", 30, "桌面支持组长", ("桌面支持",)),
    ("IT-APPS", "业务系统组", 34, "业务系统组长", ("应用工程师", "业务分析师")),
    ("SEC-OPS", "安全运营组", 24, "安全运营组长", ("安全分析师", "应急响应工程师")),
    ("SEC-RULES", "安全合规组", 14, "安全合规组长", ("合规专员",)),
    ("FIN-BOOKS", "会计核算组", 34, "会计核算组长", ("会计", "出纳")),
    ("FIN-COST", "成本组", 24, "成本组长", ("成本会计",)),
    ("FIN-CASH", "资金组", 18, "资金组长", ("资金专员",)),
    ("FIN-AUDIT", "内部审计部", 10, "内审经理", ("内审专员",)),
    ("SAFETY-FIRE", "消防组", 24, "消防组长", ("消防员", "安全员")),
    ("SAFETY-ENV", "环保组", 18, "环保组长", ("环保工程师", "安全员")),
)
_SITES: Final = {"PROD": SUZHOU, "SAFETY": SUZHOU, "SALES-INTL": SINGAPORE}
_TAGS: Final = {"RD": "研发", "SALES": "一线", "PROD": "一线", "CS": "一线", "SAFETY": "安全员"}
_PROTECTED: Final = frozenset({"FIN-AUDIT"})
"""Audit answers to its own head alone."""


def _team(code: str, name: str, size: int, head: str, titles: tuple[str, ...]) -> Team:
    parts = code.split("-")
    above = ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]
    site = next((_SITES[each] for each in above if each in _SITES), BEIJING)
    tags = tuple(_TAGS[each] for each in above if each in _TAGS)
    return Team(code, name, size, head, titles, site, tags, code in _PROTECTED)


TEAMS: Final = tuple(_team(*row) for row in _TREE)
"""Every department, parents before children."""
