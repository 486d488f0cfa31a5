"""What becomes of a row of people, and what each code means in English and Chinese. No I/O.

A row is refused with the code that a request of the same content would be refused with, so that one explanation serves both.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from app.exchanges.line import FAULTS, Fault
from app.imports.kinds import Outcome
from app.rosters.profile import LeftOut


class Verdict(StrEnum):
    """What an import itself says of a row."""

    CREATED = "created"
    AMENDED = "amended"
    ALREADY_SO = "already_so"
    NOT_HERE_YET = "not_here_yet"
    SAYS_GONE = "says_gone"
    HAS_LEFT = "has_left"
    TWICE_IN_FILE = "twice_in_file"
    NAMES_TWO_PEOPLE = "names_two_people"
    OTHER_USER_NAME = "other_user_name"
    OTHER_KIND = "other_kind"
    NO_KEY = "no_key"
    NO_KEY_COLUMN = "no_key_column"
    AMBIGUOUS_DEPARTMENT = "ambiguous_department"
    COMES_WITH_FILE = "comes_with_file"
    REFUSED = "refused"


VERDICTS: Final[Mapping[Verdict, tuple[str, str]]] = MappingProxyType(
    {
        Verdict.CREATED: ("Somebody new: the contact is made as the file says.", "新人员，已按文件创建。"),
        Verdict.AMENDED: ("What differed is as the file says.", "与文件不同之处已更新。"),
        Verdict.ALREADY_SO: ("It is so already.", "现状与文件一致。"),
        Verdict.NOT_HERE_YET: ("The file says that they do not work here yet.", "文件注明尚未入职，未处理。"),
        Verdict.SAYS_GONE: (
            "The file says that they left. No import makes anybody leave: send `employee.left`.",
            "文件注明已离职。导入不办理离职，请发送 employee.left 事件。",
        ),
        Verdict.HAS_LEFT: (
            "They have left here. No import takes anybody back: send `employee.rehired`.",
            "此人已离职。导入不办理返聘，请发送 employee.rehired 事件。",
        ),
        Verdict.TWICE_IN_FILE: ("Other rows are about the same person.", "文件中另有同一人员的行。"),
        Verdict.NAMES_TWO_PEOPLE: ("Employee number and user name are two people's.", "工号与账号属于不同人员。"),
        Verdict.OTHER_USER_NAME: (
            "They have another user name. No import renames an account.",
            "此人已有其他账号，导入不更改账号。",
        ),
        Verdict.OTHER_KIND: ("They are of another kind here.", "此人在本系统中属于其他类别。"),
        Verdict.NO_KEY: (
            "Nobody is found by name alone: no employee number, no user name.",
            "缺少工号和账号，不按姓名匹配。",
        ),
        Verdict.NO_KEY_COLUMN: ("No column of employee numbers or user names.", "表格没有工号列或账号列。"),
        Verdict.AMBIGUOUS_DEPARTMENT: ("Several departments are called so.", "有多个同名部门。"),
        Verdict.COMES_WITH_FILE: (
            "Whom it names comes with this file: named when the file is handed in again, or in the run itself.",
            "所指人员在本文件中，正式导入或再次导入时写入。",
        ),
        Verdict.REFUSED: ("The row was refused.", "该行被拒绝。"),
    }
)

UNCHANGED: Final = frozenset({Verdict.ALREADY_SO, Verdict.NOT_HERE_YET})
CONFLICTS: Final = frozenset(
    {
        Verdict.SAYS_GONE,
        Verdict.HAS_LEFT,
        Verdict.TWICE_IN_FILE,
        Verdict.NAMES_TWO_PEOPLE,
        Verdict.OTHER_USER_NAME,
        Verdict.OTHER_KIND,
    }
)

COLUMNS: Final[Mapping[LeftOut, tuple[str, str]]] = MappingProxyType(
    {
        LeftOut.NOT_COLLECTED: ("It is not collected here; the column was not read.", "本系统不收集此项，该列未读取。"),
        LeftOut.BY_NAME_ALONE: (
            "It names people by name alone; the column was not read.",
            "仅以姓名指明人员，该列未读取。",
        ),
        LeftOut.KEPT_BY_SERVICE: ("The service itself keeps it; the column was not read.", "由系统维护，该列未读取。"),
        LeftOut.NOT_IMPORTED: ("It is not taken from files; the column was not read.", "不从文件导入，该列未读取。"),
        LeftOut.UNKNOWN: ("The profile does not know it; the column was not read.", "方案未定义此列，该列未读取。"),
    }
)
"""Why columns are not read."""

REFUSALS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "approval_required": ("An approved request is required.", "需要先提交审批。"),
        "not_permitted": ("Policy does not permit this.", "策略不允许此操作。"),
        "not_found": ("There is no such contact to be changed.", "联系人不存在或不可更改。"),
        "precondition_failed": ("The contact has just been changed.", "联系人刚被更改，请重试。"),
        "duplicate_employee_no": ("The employee number is taken.", "工号已被使用。"),
        "duplicate_user_name": ("The user name is taken.", "账号已被使用。"),
        "account_exists": ("The user name is taken.", "账号已被使用。"),
        "account_refused": ("The account of this user name cannot be used.", "该账号不可用。"),
        "unknown_department": ("There is no such department.", "部门不存在。"),
        "unknown_contact": ("There is no such person.", "所指人员不存在。"),
        "not_collected": ("This kind of contact does not carry this.", "该类别不收集此字段。"),
        "consent_required": ("This takes a consent that is live.", "须先取得有效的个人同意。"),
        "malformed_user_name": ("This is not a user name.", "账号格式不正确。"),
        "malformed_employee_no": ("This is not an employee number.", "工号格式不正确。"),
        "malformed_phone": ("This is not a telephone number.", "电话号码格式不正确。"),
        "malformed_email": ("This is not a mail address.", "邮箱地址格式不正确。"),
        "malformed_id_number": ("This is not an identity number.", "身份证号格式不正确。"),
        "malformed_date": ("This is not a date.", "日期格式不正确。"),
        "past_date": ("This day has passed.", "该日期已过。"),
        "missing": ("This member is required.", "缺少必填项。"),
        "not_removable": ("This member cannot be removed.", "此字段不能删除。"),
        "invalid_text": (
            "The text has control characters or some that show nothing.",
            "文本含有控制字符或不可见字符。",
        ),
        "unknown_value": ("The word stands for no value that there is.", "取值不在允许范围内。"),
        "invalid_value": ("This value is not valid here.", "取值无效。"),
        "too_long": ("The text is too long.", "文本过长。"),
        "too_short": ("The text is too short.", "文本过短。"),
        "too_many": ("There are too many items.", "条目过多。"),
        "invalid_request": ("The row cannot be read.", "该行无法读取。"),
    }
)
"""Codes of refusals that a row shares with a request of the same content."""


def explain(code: str) -> tuple[str, str]:
    """Say what a code means; for one that is none of ours, that the row was refused."""
    if code in REFUSALS:
        return REFUSALS[code]
    for kind, words in ((Verdict, VERDICTS), (Fault, FAULTS)):
        if code in kind.__members__.values():
            return words[kind(code)]  # type: ignore[index]  # the table of this very kind
    return VERDICTS[Verdict.REFUSED]


def outcome(code: str) -> Outcome:
    """Say what a verdict of an import's own means for the count."""
    if code in {Verdict.CREATED, Verdict.AMENDED}:
        return Outcome.ADOPTED
    if code in UNCHANGED:
        return Outcome.UNCHANGED
    return Outcome.CONFLICT if code in CONFLICTS else Outcome.PROBLEM
