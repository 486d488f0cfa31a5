"""Refusals about emergency sessions.

Forbidden
├── NotEligible        emergency_not_eligible       nobody appointed for this, or not any more
├── OwnPart            emergency_own_part           who had a part in a session neither confirms nor judges it, who is meant appoints nobody
├── ReviewOverdue      emergency_review_overdue     a session of the caller's waits for its review
NotFound
Conflict
├── SessionOpen        emergency_session_open       one session at a time; what is open is not judged yet
├── SessionOver        emergency_session_over       it has ended
├── AlreadyDone        emergency_already_done       confirmed, renewed, reviewed or appointed already
├── BeyondHardStop     emergency_hard_stop          four hours after its start a session is over
└── KeyNotUsable       emergency_key_not_usable     no public key of a custodian
Invalid
└── UnknownRecord      emergency_record_invalid     no opening record that the custodian's key has signed
"""

from app.kit.errors import Conflict, Forbidden, Invalid


class NotEligible(Forbidden):
    """Who may do this is a list with an end, kept by security."""

    code, title, title_zh = (
        "emergency_not_eligible",
        "Nobody who is appointed for emergencies",
        "不在应急授权名单内，或授权已到期",
    )


class OwnPart(Forbidden):
    """A second person is another person."""

    code, title, title_zh = (
        "emergency_own_part",
        "This takes somebody who has no part in it",
        "须由与此无关的另一人办理",
    )


class ReviewOverdue(Forbidden):
    """No further glass is broken before the last is accounted for."""

    code, title, title_zh = (
        "emergency_review_overdue",
        "An earlier session waits for its review, which is overdue",
        "此前的应急会话逾期未复核",
    )


class SessionOpen(Conflict):
    """One session at a time, and a review begins when it is over."""

    code, title, title_zh = "emergency_session_open", "The session is open", "应急会话尚未结束"


class SessionOver(Conflict):
    """There is nothing left to confirm, renew or look at."""

    code, title, title_zh = "emergency_session_over", "The session has ended", "应急会话已结束"


class AlreadyDone(Conflict):
    """Each of these is done once."""

    code, title, title_zh = "emergency_already_done", "This has been done already", "该操作已完成，不可重复"


class BeyondHardStop(Conflict):
    """No renewal reaches further."""

    code, title, title_zh = (
        "emergency_hard_stop",
        "A session ends four hours after its start at the latest",
        "应急会话自开始起最长四小时",
    )


class KeyNotUsable(Invalid):
    """What was sent is no public key of ``duanhao emergency keygen``."""

    code, title, title_zh = "emergency_key_not_usable", "This is no public key of a custodian", "不是有效的保管人公钥"


class UnknownRecord(Invalid):
    """What was sent is no opening record of this sheet, or not signed by its custodian."""

    code, title, title_zh = (
        "emergency_record_invalid",
        "This is no opening record that the custodian has signed",
        "不是保管人签名的开启记录",
    )
