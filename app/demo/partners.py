"""Contacts outside of the demo company: 40 people of customers, partners and suppliers who do not exist, each owned by a department.

And the business with them: which accounts, orders and tickets are in whose hands. Pure, as ``app.demo.company`` is. Their names are
protected values wherever they are stored.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal

from app.demo.names import Draw, Names

EXTERNAL: Final = "external"
COUNT: Final = 40

_RELATIONS: Final[tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]] = (
    ("客户", ("SALES-NORTH-BJ", "SALES-SOUTH-SH", "SALES-SOUTH-SZ", "SALES-KEY"), ("采购负责人", "项目负责人")),
    ("供应商", ("ADMIN-BUY", "PROD-STOCK", "RD-HW"), ("客户代表", "商务负责人")),
    ("伙伴", ("RD-APP", "CS-TECH", "SALES-INTL"), ("合作经理", "技术顾问")),
)
_ORGANISATIONS: Final = (
    "示例云帆贸易有限公司",
    "示例北斗仪器有限公司",
    "示例青禾食品有限公司",
    "示例长汀物流有限公司",
    "示例石榴软件有限公司",
    "示例远山电子有限公司",
    "示例砚台文化有限公司",
    "示例白鹭包装有限公司",
    "示例梧桐建材有限公司",
    "示例星渚通信有限公司",
)
_CITIES: Final = ("浙江省杭州市", "江苏省苏州市", "上海市", "广东省深圳市", "湖北省武汉市", "四川省成都市", "北京市")
_FIRST_END: Final = date(2027, 1, 31)
_MOBILES: Final = 9800
"""Of the block 1380000xxxx: staff have those below 9000, personnel events those from 9001 on."""


def partners(draw: Draw, names: Names) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give key and members of each, as a caller of the API would write them."""
    for at in range(COUNT):
        name = names.next()
        relation, owners, titles = _RELATIONS[at % len(_RELATIONS)]
        ends = _FIRST_END + timedelta(days=draw.number(0, 700))
        yield (
            f"X{at + 1:04d}",
            {
                "name": name.han,
                "department": owners[at // len(_RELATIONS) % len(owners)],
                "title": draw.pick(titles),
                "organisation": _ORGANISATIONS[at % len(_ORGANISATIONS)],
                "relation": relation,
                "contract_ref": f"HT-2026-{at + 1:03d}",
                "contract_until": ends,
                "business_phone": f"1380000{_MOBILES + at}",
                "business_email": f"{name.user_name}@example.net",
                "delivery_address": f"{_CITIES[at % len(_CITIES)]}示例大道{at + 1}号{at % 9 + 1}幢",
            },
        )


@dataclass(frozen=True, slots=True)
class DemoEngagement:
    """A business fact, as the demo's CRM pushed it: about whom (a key), which, and in whose hands (user names)."""

    contact: str
    kind: Literal["account", "order", "ticket"]
    reference: str
    staff: tuple[str, ...]


_SALES, _PRODUCTION, _SERVICE = "demo-sales", "demo-production", "demo-service"

ENGAGEMENTS: Final = (
    DemoEngagement("X0001", "account", "A-2026-0001", (_SALES,)),
    DemoEngagement("X0001", "order", "SO-2026-0001", (_SALES, _PRODUCTION)),
    DemoEngagement("X0001", "ticket", "TK-2026-0001", (_SERVICE,)),
    DemoEngagement("X0003", "account", "A-2026-0003", (_SALES,)),
    DemoEngagement("X0003", "order", "SO-2026-0003", (_PRODUCTION,)),
    DemoEngagement("X0003", "ticket", "TK-2026-0003", (_SERVICE,)),
    DemoEngagement("X0004", "account", "A-2026-0004", (_SALES,)),
    DemoEngagement("X0007", "order", "SO-2026-0007", (_PRODUCTION,)),
    DemoEngagement("X0010", "ticket", "TK-2026-0010", (_SERVICE,)),
    DemoEngagement("X0013", "account", "A-2026-0013", ()),
)
"""The last one is in nobody's hands and needs an owner."""
