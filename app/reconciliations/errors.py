"""Refusals of reconciliations.

Invalid
├── EmptyFile              empty_head_count            there is nothing in the file
├── UnknownScope           unknown_department          there is no such department
├── UnfitTime              unfit_as_of                 the file's time lies in the future
└── FileUnreadable         unreadable_head_count       (``reading``) the whole file cannot be read
Conflict
├── NotCompared            not_compared                there is no diff yet, or its comparing failed
├── AlreadyBegun           already_applied             it has been applied
├── DiffMoved              diff_digest                 another diff than the one that was looked at
├── Outdated               reconciliation_outdated     a newer head-count of the source has been applied
├── Expired                reconciliation_expired      it was not applied in time; what the file said is gone
├── Incomplete             reconciliation_incomplete   rows name nobody, so who is missing cannot be told
├── FuseBlown              fuse_blown                  (``hr.errors``) more would leave than may without an approved request
├── FileGone               head_count_gone             its file is gone or was changed
└── DiffAltered            diff_altered                the kept diff is not the one that was compared
"""

from app.contacts.errors import UnknownDepartment
from app.kit.errors import Conflict, FieldError, Invalid


class EmptyFile(Invalid):
    """A file of no bytes."""

    code, title, title_zh = "empty_head_count", "There is nothing in the file", "文件为空"

    def __init__(self) -> None:
        """Point at the part."""
        super().__init__(errors=[FieldError("/file", self.code, self.title, self.title_zh)])


class UnknownScope(UnknownDepartment):
    """A department that is not there, as the parameter names it."""

    def __init__(self) -> None:
        """Point at the parameter."""
        super().__init__("?department")


class UnfitTime(Invalid):
    """A head-count of the future."""

    code, title, title_zh = "unfit_as_of", "The file's time lies in the future", "文件时点晚于当前时间"

    def __init__(self) -> None:
        """Point at the parameter."""
        super().__init__(errors=[FieldError("?as_of", self.code, self.title, self.title_zh)])


class NotCompared(Conflict):
    """Nothing can be applied yet."""

    code, title, title_zh = "not_compared", "There is no diff to apply", "尚无可应用的差异"


class AlreadyBegun(Conflict):
    """Once is enough."""

    code, title, title_zh = "already_applied", "The diff has been applied", "差异已应用"


class DiffMoved(Conflict):
    """What is to be applied is named by its digest."""

    code, title, title_zh = "diff_digest", "This is another diff than the one named", "差异摘要不一致"


class Outdated(Conflict):
    """An older truth does not replace a newer one."""

    code, title, title_zh = (
        "reconciliation_outdated",
        "A newer head-count of this source has been applied",
        "该来源更新的花名册已应用",
    )


class Expired(Conflict):
    """What the file said is gone."""

    code, title, title_zh = (
        "reconciliation_expired",
        "It was not applied in time; hand the file in anew",
        "已过期，请重新提交文件",
    )


class Incomplete(Conflict):
    """Who is missing cannot be told while rows name nobody."""

    code, title, title_zh = (
        "reconciliation_incomplete",
        "Rows of the file name nobody, so that whoever is missing may be one of them; mend the file",
        "文件中有无法识别工号的行，无法判断谁已离职；请修正文件",
    )

    def __init__(self, rows: int) -> None:
        """Say how many."""
        super().__init__(rows=rows)


class FileGone(Conflict):
    """Its pieces are not what was handed in."""

    code, title, title_zh = "head_count_gone", "The file is gone or was changed", "文件已丢失或被修改"


class DiffAltered(Conflict):
    """Somebody edited the diff past the service."""

    code, title, title_zh = (
        "diff_altered",
        "The kept diff is not the one that was compared",
        "已保存的差异与比对结果不一致",
    )
