"""The columns of a sheet of people, by the names that people give them in Chinese and in English. Pure.

What a member means is said by ``hr.data.JoinedData``; here is only what a sheet calls it. An empty cell says nothing: what is to be taken
away from a card is said in JSON lines, with ``null``.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final
from unicodedata import normalize

EMPLOYEE_NO: Final = "employee_no"
MEMBERSHIPS: Final = "memberships"
_LONGEST: Final = 128
HEADINGS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        EMPLOYEE_NO: (
            "工号",
            "员工号",
            "员工编号",
            "人员编号",
            "employee no",
            "employee number",
            "employee id",
            "staff no",
        ),
        "name": ("姓名", "名字", "员工姓名", "name", "full name"),
        "name_en": ("英文名", "name en", "english name"),
        "alias": ("别名", "昵称", "alias", "nickname"),
        "user_name": ("账号", "帐号", "用户名", "登录名", "user name", "login", "account"),
        "department": ("部门编码", "部门", "所在部门", "部门代码", "department", "department code", "dept"),
        MEMBERSHIPS: ("其他部门", "兼职部门", "further departments", "other departments"),
        "title": ("职务", "职位", "岗位", "title", "position", "job title"),
        "manager": ("上级", "直属上级", "直接上级", "上级工号", "manager", "manager no", "direct manager"),
        "dotted_manager": ("虚线上级", "dotted manager", "dotted line manager"),
        "backup_contact": ("备用联系人", "backup contact"),
        "worker_kind": ("用工形式", "员工类型", "worker kind", "employment type"),
        "location": ("办公地点", "工作地点", "location", "office"),
        "duties": ("职责", "duties"),
        "work_area": ("分管区域", "work area"),
        "category": ("分类", "category"),
        "contract_ref": ("合同编号", "contract ref", "contract"),
        "until": ("合同到期", "合同终止日期", "until", "contract until"),
        "office_phone": ("办公电话", "座机", "office phone", "telephone"),
        "fax": ("传真", "fax"),
        "email": ("邮箱", "企业邮箱", "工作邮箱", "电子邮箱", "email", "mail"),
        "mobile": ("手机", "手机号", "手机号码", "工作手机", "mobile", "mobile phone", "cell phone"),
        "wecom_id": ("企业微信", "wecom id"),
        "personal_mobile": ("私人手机", "个人手机", "personal mobile"),
        "personal_email": ("私人邮箱", "个人邮箱", "personal email"),
        "wechat": ("微信", "微信号", "wechat"),
        "qq": ("qq", "qq号"),
        "plate": ("车牌", "车牌号", "plate"),
        "home_address": ("住址", "家庭住址", "home address"),
        "birth_date": ("出生日期", "生日", "birth date", "birthday"),
        "id_number": ("身份证号", "身份证号码", "id number"),
    }
)
_NOISE: Final = re.compile(r"[\s_\-*.:：()（）]+")
_WORDS: Final = {_NOISE.sub("", word): member for member, words in HEADINGS.items() for word in words}
_WORKERS: Final = MappingProxyType(
    {
        "正式": "regular",
        "全职": "regular",
        "兼职": "part_time",
        "实习": "intern",
        "实习生": "intern",
        "外包": "outsourced",
    }
)
_BETWEEN: Final = re.compile(r"[;；|]")


def member_of(word: str) -> str | None:
    """Tell which member a column is by its name; ``None`` for one that is not ours."""
    return _WORDS.get(_NOISE.sub("", normalize("NFKC", word).casefold())) if len(word) <= _LONGEST else None


def members(places: Mapping[int, str], cells: Sequence[str]) -> dict[str, object]:
    """Give what a row says, by member: texts as they stand, departments and kinds of work in the words of an event."""
    said: dict[str, object] = {}
    for place, member in places.items():
        text = cells[place].strip() if place < len(cells) else ""
        if not text:
            continue
        if member == MEMBERSHIPS:
            said[member] = [{"department": each.strip()} for each in _BETWEEN.split(text) if each.strip()]
        elif member == "worker_kind":
            said[member] = _WORKERS.get(text, text)
        else:
            said[member] = text
    return said
