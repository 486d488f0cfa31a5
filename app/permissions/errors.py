"""Refusals that come from standing and policy.

Forbidden
├── NoContact           no_contact            the subject is bound to nobody in the directory
├── AccountSuspended    account_suspended     bound, but suspended
└── NotPermitted        not_permitted         policy gives this power to others
NotFound
└── MarkNotFound        mark_not_found        the account carries no such mark
Conflict
└── AlreadyMarked       already_marked        the account carries this mark already
Invalid
└── UnfitReason         unfit_reason          a mark of this kind is not set for that reason
Unavailable
└── PolicyUnreadable    policy_unreadable     what is stored of the pack in force does not verify
"""

from app.kit.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable


class NoContact(Forbidden):
    """The token is genuine, but its subject is nobody here (any more)."""

    code, title, title_zh = "no_contact", "The subject is bound to no contact", "该账号未绑定通讯录成员"


class AccountSuspended(Forbidden):
    """The account is bound but suspended."""

    code, title, title_zh = "account_suspended", "The account is suspended", "账号已停用"


class NotPermitted(Forbidden):
    """Policy does not give the caller this power."""

    code, title, title_zh = "not_permitted", "Policy does not permit this", "策略不允许此操作"


class MarkNotFound(NotFound):
    """There is nothing to take off."""

    code, title, title_zh = "mark_not_found", "The account carries no such mark", "该账号没有此标记"


class AlreadyMarked(Conflict):
    """A second mark of a kind would say nothing; end the first, then set it anew."""

    code, title, title_zh = "already_marked", "The account carries this mark already", "该账号已有此标记"


class UnfitReason(Invalid):
    """Each kind of mark has its own reasons, and an end lies in the future."""

    code, title, title_zh = "unfit_reason", "A mark of this kind is not set so", "该标记不能这样设置"


class PolicyUnreadable(Unavailable):
    """No pack can be said to be in force, so nobody may see anything until a version is activated again."""

    code, title, title_zh = "policy_unreadable", "The policy in force cannot be read", "无法读取当前策略"
