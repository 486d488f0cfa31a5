"""What the codes of a head-count's rows mean, in English and Chinese: why a row cannot be read, and what became of it."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from app.exchanges.line import FAULTS
from app.kit.problems import FAULT_WORDS, every_problem

_VALUES: Final[Mapping[str, tuple[str, str]]] = {
    "malformed_phone": ("This is not a telephone number.", "电话号码格式不正确。"),
    "malformed_email": ("This is not a mail address.", "邮箱地址格式不正确。"),
    "malformed_id_number": ("This is not an identity number.", "身份证号格式不正确。"),
    "malformed_date": ("This is not a date (YYYY-MM-DD).", "日期格式应为 YYYY-MM-DD。"),
    "malformed_user_name": ("This is not a user name.", "账号格式不正确。"),
    "invalid_text": ("The text is empty or has control characters.", "文本为空或含有控制字符。"),
    "not_removable": ("This member cannot be removed.", "此字段不能删除。"),
    "nothing_given": ("No member is given.", "未给出任何字段。"),
    "out_of_range": ("The time is out of range.", "时间超出范围。"),
    "past_date": ("This day has passed.", "该日期已过。"),
}
"""Of values that cannot be read, as whoever writes a card is told."""

_ROWS: Final[Mapping[str, tuple[str, str]]] = {
    "no_employee_no_column": ("No column of employee numbers.", "表格没有工号列。"),
    "too_many_rows": ("The file has more than 500,000 rows.", "文件超过 50 万行。"),
    "malformed_json": ("The line is no JSON object.", "该行不是 JSON 对象。"),
    "too_long": ("The text is too long.", "文本过长。"),
    "no_employee_no": ("The row names nobody: its employee number is missing or malformed.", "该行没有可识别的工号。"),
    "twice_in_file": ("The employee number stands in several rows.", "该工号在文件中重复出现。"),
    "out_of_scope": (
        "The row's department is not in the scope of this reconciliation.",
        "该行部门不在本次对账范围内。",
    ),
    "names_oneself": (
        "The row names its own person as manager, dotted-line manager or deputy.",
        "该行将本人填为自己的上级、虚线上级或代理人。",
    ),
    "unknown_contact": (
        "The row names somebody who is neither here nor in the file.",
        "该行所填的上级、虚线上级或代理人不存在，也不在文件中。",
    ),
    "other_kind": ("The number belongs to somebody who is no employee.", "该工号属于非员工联系人。"),
    "not_permitted": ("The source may not write this person's card.", "该来源无权维护此人。"),
    "contact_unreadable": (
        "The card cannot be read here; the operator has been told.",
        "名片数据无法读取，已通知运维。",
    ),
    "changed_here_since": (
        "The person came or went here after the file's time.",
        "此人在文件时点之后于本系统入职或离职。",
    ),
    "nothing_left": ("Nothing of it is different any more.", "差异已不存在。"),
    "no_longer_so": ("Who it is about has come, gone or moved since.", "此人情况已变化，本条不再适用。"),
}


@cache
def _words() -> Mapping[str, tuple[str, str]]:
    """Gather all words; what a code means of a row counts before what it means anywhere else."""
    problems = {each.code: (f"{each.title}.", f"{each.title_zh}。") for each in every_problem()}
    return {**problems, **FAULT_WORDS, **{each.value: words for each, words in FAULTS.items()}, **_VALUES, **_ROWS}


def words_of(code: str | None) -> tuple[str | None, str | None]:
    """Say what a code means, in English and Chinese; of none nothing."""
    return _words().get(code or "", (None, None))
