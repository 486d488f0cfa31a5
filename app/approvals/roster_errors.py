"""Refusals about who is on call.

Conflict
└── ShiftOverlaps   shift_overlaps   somebody is on call for the role then
Invalid
├── UnfitShift      unfit_shift      it begins in the past, ends before it begins, or is too short or too long
├── UnfitWindow     unfit_window     more of a roster than is read at once, or none of it
└── NotAHolder      not_a_holder     nobody who holds the role, or nobody whom the caller may know
"""

from app.kit.errors import Conflict, FieldError, Invalid


class ShiftOverlaps(Conflict):
    """One person at a time is on call for a role."""

    code, title, title_zh = "shift_overlaps", "Somebody is on call for this role then", "该时段已有人值守"


class UnfitShift(Invalid):
    """A shift begins now or within a year, and lasts from an hour to a month."""

    code, title, title_zh = "unfit_shift", "Nobody is on call for this time", "值守时段无效"

    def __init__(self, pointer: str) -> None:
        """Point at the member that is at fault."""
        detail = "It begins now or within a year, and lasts from an hour to 31 days."
        detail_zh = "应自现在起一年内开始，时长一小时至 31 天。"
        super().__init__(errors=[FieldError(pointer, self.code, detail, detail_zh)])


class UnfitWindow(Invalid):
    """A roster is read for 92 days at most."""

    code, title, title_zh = "unfit_window", "No roster is read for this time", "查询时段无效"

    def __init__(self) -> None:
        """Point at the end."""
        detail, detail_zh = "It ends after it begins, and lasts 92 days at most.", "结束须晚于开始，且不超过 92 天。"
        super().__init__(errors=[FieldError("?until", self.code, detail, detail_zh)])


class NotAHolder(Invalid):
    """Nobody who holds the role: absent, not known to the caller, or without it, all alike."""

    code, title, title_zh = "not_a_holder", "This is nobody who holds the role", "该人员不存在或未担任该角色"

    def __init__(self) -> None:
        """Point at the person."""
        super().__init__(errors=[FieldError("/person", self.code, self.title, self.title_zh)])
