"""Refusals of approvals.

NotFound
└── UnknownRequestKind     unknown_request_kind     no kind of this name that can be filed
Invalid
├── BadForm                invalid_form             the form does not fit the kind's schema
├── UnknownBeneficiary     unknown_beneficiary      nobody whom the requester may name
├── UnknownAttachment      unknown_attachment       no file that the requester may file with
└── NotShorter             not_shorter              an approver may shorten, never lengthen
Conflict
├── NobodyMayDecide        nobody_may_decide        nobody in the company may answer a step
├── AlreadyRequested       already_requested        the same is asked for or in force already
├── NotOpen                request_not_open         its course allows this no more
├── AlreadyDecided         already_decided          this person has answered, or is asked, already
├── TooManyAttachments     too_many_attachments     the request, or the person, has as many files as there may be
└── NotReturnable          not_returnable           nothing to give back
Forbidden
├── MayNotFile             may_not_file             the kind is not for this person's roles
├── NotAsked               not_asked                the caller's answer is not awaited
└── SeparationOfDuties     separation_of_duties     this person may not be the one to decide
"""

from app.kit.errors import Conflict, FieldError, Forbidden, Invalid, NotFound


class UnknownRequestKind(NotFound):
    """Kinds that are not enabled look like kinds that are not there."""

    code, title, title_zh = "unknown_request_kind", "No such kind of request", "没有该申请类型"


class BadForm(Invalid):
    """Each fault has its place in the form."""

    code, title, title_zh = "invalid_form", "The form does not fit the kind of request", "表单内容与申请类型不符"


class UnknownBeneficiary(Invalid):
    """Absent, or not for this caller: the two look alike."""

    code, title, title_zh = "unknown_beneficiary", "Nobody to be named here", "该受益人不存在或不可指定"


class UnknownAttachment(Invalid):
    """Absent, somebody else's, past its time, or filed with already: all alike."""

    code, title, title_zh = "unknown_attachment", "No such attachment to file with", "没有可用的附件"

    def __init__(self, pointer: str) -> None:
        """Point at the member that names it."""
        super().__init__(errors=[FieldError(pointer, self.code, self.title, self.title_zh)])


class NotShorter(Invalid):
    """Whoever decides may give less time than was asked for, never more."""

    code, title, title_zh = (
        "not_shorter",
        "A decision may shorten the term, never lengthen it",
        "审批只可缩短期限，不可延长",
    )


class MayNotFile(Forbidden):
    """The kind is for people with other roles."""

    code, title, title_zh = "may_not_file", "This kind is filed by others", "该类型须由其他角色提交"


class NotAsked(Forbidden):
    """Somebody else's answer is awaited, or nobody's."""

    code, title, title_zh = "not_asked", "Your answer is not awaited", "当前无需您处理"


class SeparationOfDuties(Forbidden):
    """Whoever asks, gains or has said yes before does not decide here, under any account and for anybody."""

    code, title, title_zh = (
        "separation_of_duties",
        "You may not be the one to decide this",
        "职责分离：您不能审批此申请",
    )


class NobodyMayDecide(Conflict):
    """A step is never skipped, so the request cannot be filed."""

    code, title, title_zh = "nobody_may_decide", "Nobody in the company may decide this", "没有符合条件的审批人"


class AlreadyRequested(Conflict):
    """One open request for the same is enough."""

    code, title, title_zh = "already_requested", "The same is requested already", "相同申请已在处理中"


class NotOpen(Conflict):
    """What the caller wants cannot happen to the request as it is now."""

    code, title, title_zh = "request_not_open", "The request is not open for this", "申请当前状态不支持此操作"


class AlreadyDecided(Conflict):
    """Everybody answers a step once."""

    code, title, title_zh = "already_decided", "This has been answered or asked already", "已处理，或已在处理人之列"


class TooManyAttachments(Conflict):
    """So many for a request, and so many that wait to be filed with for a person."""

    code, title, title_zh = "too_many_attachments", "There are as many attachments as there may be", "附件数量已达上限"


class NotReturnable(Conflict):
    """Nothing was given that could come back, or it came back."""

    code, title, title_zh = "not_returnable", "There is nothing to give back", "没有可归还的内容"
